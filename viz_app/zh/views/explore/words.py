"""The words of Explore."""

from __future__ import annotations

from collections.abc import Sequence

from viz_app.ui.text import as_markdown

LEAD = (
    '<div class="a2-lead"><h1>指向图片里的任意一处。</h1>'
    "<p>亮起来的地方，就是神经网络为那一处收集信息的地方。</p></div>"
)

GUESSES, NO_CLASSES = "网络的猜测", "这个网络的回答没有类别"
PICTURE, SIZE, WEIGHTS = "图片", "细节，px", "权重"
ABOUT_WEIGHTS = "学到的东西：一个网络，以及在其中训练的模块。换一套权重，同一张图片会收集出别的基元。"
YOURS = "你的：{name}"
BORN = "；它学到的是它自身的注意力"
ABOUT_SIZE = "网络所看图片的长边。像素越多，图越细，时间越长。"
ATTEND_OVER, STRETCH, FRAMES = "注意力范围", "从 – 到，s", "帧数，均匀分布"
TOGETHER = {"joint": "整段视频", "each": "每帧单独"}
ABOUT_TOGETHER = "整段视频：每个基元从所有帧收集，一个像素可以接收任何时刻的信息。每帧单独：把每一帧当作一张图片。两者之差，就是联合注意力所增加的。"

DROP = "你自己的图片或视频"
ABOUT_CAMERA = "拍一张照片，或一小段视频"
CAMERA_TAKES, TAKE_PICTURE = "摄像头拍什么", "拍照"
TAKES = {"picture": "照片", "clip": "视频"}
READING_CLIP = "正在读取视频"

STOPPED, TRACE_AFTER_ALL = "追踪之前已停止。", "还是追踪它"

FETCHING = "正在取这一层"

BARS = {"rank": "从大到小", "index": "按编号"}
ORDER, SUM = "条形的顺序", "逐个数看这个和"
SHARES = "<h3>它的份额 <small>分配权重 ρ</small></h3>"
BAG = "<h3>基元袋 <small>G，每列一个基元</small></h3>"
SUM_COLUMNS = {
    "rank": "名次",
    "primitive": "基元 i",
    "rho": "ρᵢ",
    "length": "|gᵢ|",
    "share": "占 |zₚ| 的份额，%",
}
LIFE = '<p class="a2-pinned"><b>基元的一生。</b> <small>点击可跳到某一时刻并查看一个基元。</small></p>'
LIFE_TITLES = {"gathered": "各时刻的收集，θ", "handed": "各时刻的分配，ρ 的均值"}

TAKE = "<h3>带走</h3>"
FIGURE, PAGE, ARRAYS, RHO = "插图", "可离线使用的网页", "所有数组", "标记像素处的 ρ"
MOVIE = "标记像素的影片"


def movie_of(primitive: int) -> str:
    """What the movie of one primitive is called."""
    return f"g{primitive} 的影片"


def reading(name: str) -> str:
    """What is done with a file while its visitor waits."""
    return f"正在读取 {as_markdown(name)}"


def too_many(brought: int, read: int) -> str:
    """That not all files were read."""
    return f"带来的 {brought} 个文件中，读取了前 {read} 个。其余的请随后再放入。"


def tracing(frames: int) -> str:
    """What is done with a picture, or with a clip of `frames`."""
    return f"正在追踪 {frames} 帧" if frames > 1 else "正在追踪图片"


def weights_name(name: str, *, yours: bool) -> str:
    """A choice of weights."""
    return YOURS.format(name=name.rpartition("/")[2]) if yours else name


def untrained(*, whole_network: bool, yours: bool = False, born: bool = False) -> str:
    """That the maps mean nothing."""
    if yours:
        return (
            '<div class="a2-untrained" role="status"><strong>随机模块。</strong>这个网络原本没有双重注意力：放进了新的模块，'
            f"它们不改变网络的回答。在训练之前，它们的图没有意义{BORN if born else ''}。</div>"
        )
    what = "这个网络及其模块都从未训练过：这些图" if whole_network else "这些模块从未训练过：它们的图"
    return f'<div class="a2-untrained" role="status"><strong>随机权重。</strong>{what}没有意义，放在这里供比较。</div>'


def refused(count: int) -> str:
    """The title over the checkpoints and networks that were refused."""
    return "有一个网络被拒绝" if count == 1 else f"{count} 个网络被拒绝"


def measuring(block: str, done: int, count: int) -> str:
    """How far the effects of a block's primitives are measured."""
    return f"正在逐个关闭 {block} 的基元：{done} / {count}"


def took(width_px: int, height_px: int, seconds: float, device: str) -> str:
    """Where and how fast the answer was found."""
    return f"{width_px} × {height_px} px，{seconds:.2f} s，{device}"


def gives(primitive: object, share: str) -> str:
    """How much one primitive gives."""
    return f"基元 {primitive} 给出 {share}"


def shares_alt(count: int, leaders: Sequence[str]) -> str:
    """The weights in words and numbers."""
    return f"条形图：{count} 个基元中，{'，'.join(leaders)}"


def bag_alt(n: int, m: int, primitive: int) -> str:
    """What the chart of the bag shows."""
    return f"热图：{n} 个基元，{m} 个通道，{primitive} 号已框出"


def vector_title(primitive: int) -> str:
    """What stands over the chart of one primitive."""
    return f"<h3>一个基元 <small>g<sub>{primitive}</sub>，逐个通道</small></h3>"


def vector_alt(m: int, primitive: int) -> str:
    """What the chart of one primitive shows."""
    return f"条形图：基元 {primitive} 的 {m} 个通道"


def sum_alt(n: int) -> str:
    """What the table of the sum holds."""
    return f"表：名次、基元、它的分配权重、长度和份额，{n} 行"


def life_alt(title: str, primitives: int, frames: int) -> str:
    """What a chart over time shows."""
    return f"热图：{title}，{primitives} 个基元，{frames} 帧"


def pinned(*, x: int, y: int, effective: str, count: int, primitive: int, share: str, rank: int) -> str:
    """Which pixel the charts are about and what it receives."""
    return (
        f'<p class="a2-pinned">标记的像素（x {x}，y {y}）主要从 {count} 个基元中的 <b>{effective}</b> 个接收；'
        f"<b>g<sub>{primitive}</sub></b> 给它 <b>{share}</b>，排第 {rank}。"
        "<small>点击图片可标记另一个像素。</small></p>"
    )


def summed(
    *,
    n: int,
    length: str,
    bits: str,
    bits_most: str,
    even: str,
    attention_bits: str,
    attention_most: str,
    wide: str,
    cells: int,
) -> str:
    """What the table of the sum holds and how evenly it is spread."""
    return (
        f'<p class="a2-sum"><b>z<sub>p</sub> = Σ ρ<sub>i</sub> g<sub>i</sub></b>，对全部 {n} 个基元，|z<sub>p</sub>| = {length}。'
        "份额是 ρ<sub>i</sub> g<sub>i</sub> 沿 z<sub>p</sub> 的部分除以 |z<sub>p</sub>|：份额合计 100 %，小于零的往反方向拉。"
        f"ρ 的熵：<b>{bits} 比特</b>（最多 {bits_most}），相当于 {even} 个基元平分。"
        f"注意力的熵：<b>{attention_bits} 比特</b>（最多 {attention_most}），相当于 {cells} 格中的 {wide} 格那么宽。</p>"
    )


def elsewhere(primitive: int, name: str = "") -> str:
    """The way to a primitive's exemplars in the pictures of an atlas."""
    called = f"（{as_markdown(name)}）" if name else ""
    return f"还在哪里？其他图片里的 g{primitive}{called}"


def no_atlas(label: str, others: Sequence[str]) -> str:
    """That the atlases that are here are about other weights, in Markdown."""
    only = as_markdown("、".join(dict.fromkeys(others)))
    return f"还在哪里？这里没有 {as_markdown(label)} 的图谱，只有 {only} 的。"


def taught_by(*, on_clips: bool, elsewhere: str) -> str:
    """What the blocks learned on."""
    if on_clips:
        return "模块在视频上训练"
    return f"模块在照片上训练；{elsewhere} 的在视频上训练" if elsewhere else "模块在照片上训练"
