"""The words of Compare."""

from __future__ import annotations

LEAD = (
    '<div class="a2-lead"><h1>这个像素的信息来自哪里？</h1>'
    "<p>指向任意一张图片：所有图片都为同一处作答。</p></div>"
)
BOTH = {"kinds": "模块的种类", "networks": "两个网络"}
WHAT, OTHER = "比较什么", "与谁比较"
SCALE = {
    "shared": "全部同一尺度",
    "unit": "每格的注意力",
    "own": "每张图片画到它自己的峰值",
}
NAMES = {
    "squeeze_excitation": "压缩激励（SE）",
    "covariance_pooling": "协方差池化",
    "non_local": "非局部（Non-local）",
    "self_attention": "自注意力",
    "double_attention": "A²，双重注意力",
}
GATHERS = {
    "squeeze_excitation": "整张图片的一个平均，变成每个通道的一个门控值。",
    "covariance_pooling": "各通道在图片上如何一起变化，变成一个向量。",
    "non_local": "该像素与每一格比较；最相似的给得最多。",
    "self_attention": "与 non-local 相同，但分几个头；显示的是它们的平均。",
    "double_attention": "一小袋基元只收集一次；像素从中取属于自己的混合。",
}
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>注明之处未经训练。</strong>没有权重文件的模块是随机权重：'
    "它们的代价是对的，它们看哪里则没有意义。</div>"
)
NO_RIVALS = "{name} 在这里没有对手：五种模块都在我们的一个网络上训练。请与另一个网络比较，或在“探索”里选不属于你的权重。"
NO_OTHER = "没有别的网络可供比较：服务器的管理者可用 A2_NETWORKS 指定一些。"
NO_CLASSES, UNTRAINED_BLOCKS = "回答没有类别", "随机模块"
TRACING, RUNNING = "正在追踪图片", "正在运行其他种类的模块"
FETCHING = "正在取这一层"

SAME_GATES = (
    '<b>每个像素都一样。</b> <span class="a2-detail">任意两个像素之间，门控值最多相差 '
    "{spread}（量级 {scale}）：舍入误差。</span>"
)
SAME_ADDITION = (
    '<b>每个像素都一样。</b> <span class="a2-detail">任意两个像素之间，所加内容最多相差 '
    "{spread}（量级 {scale}）：舍入误差。</span>"
)
OWN = '每个像素各有自己的<span class="a2-detail">：两个像素所得最多相差 {spread}</span>。'

COST_COLUMNS = ("", "参数", "乘加次数", "内存峰值", "本机用时")

GROWTH = '<section class="a2-costs"><h2>代价如何随位置数增长</h2></section>'
MEASURE, GROWTH_ALT = "在本机测量", "代价随位置数"
MEASURED_POINTS = "实心点在本机测得，空心圈按乘加次数从最后一个实心点推算。"
COMPUTED_POINTS = "乘加次数，计算所得。按下按钮可测量用时：约需半分钟。"
POSITIONS_AXIS, MS_AXIS, MULTIPLY_ADDS_AXIS = "位置数 N", "毫秒", "百万次乘加"
MEASURED_POINT, COMPUTED_POINT = "测得", "推算"
MS, MULTIPLY_ADDS = "ms", "百万次乘加"
EXPONENTS = "用时随 N 的幂次增长，幂指数为"
EXPONENT_COLUMNS = ("", "测得，含 95 % 区间", "按乘加次数", "点数，位置数")
TOO_FEW = "测得的点太少"
UNTRAINED_KIND = "未训练"


def measuring(kind: str) -> str:
    """What is done while a visitor waits for costs."""
    return f"正在测量 {NAMES.get(kind, kind)}"


def trained(checkpoint: str) -> str:
    """That somebody trained a kind of block."""
    return f"已训练：{checkpoint}"


def moves(alt: str, name: str) -> str:
    """What the picture is, and how the pixel is moved in it."""
    return f"{alt}，{name}。方向键移动像素。"


def costs_here(positions: object) -> str:
    """The title over what one block costs."""
    return f"在这里，{positions} 个位置上一个模块的代价"


def about_costs(full: object) -> str:
    """How costs were counted and measured."""
    return (
        "乘加次数是矩阵乘法的，逐一计数。内存不含输入、权重和输出；用时取几次运行中最快的一次：两者都是实测，float32，一张图片。"
        f"Non-local 与自注意力以融合方式运行：它们从不写出 N × N 的图，单是那张图就要 {full}。"
    )


def fitted_to(points: int, least: str, most: str) -> str:
    """To how many points an exponent was fitted, and between which positions."""
    return f"{points}，{least} 至 {most}"


def growth(*, measured: bool) -> str:
    """What the points of the chart are."""
    points = MEASURED_POINTS if measured else COMPUTED_POINTS
    return f'<p class="a2-overlay-says">{points}虚线是这张图片。</p>'


def point(name: str, how: str, unit: str) -> str:
    """What a point of the chart is, in Plotly's language."""
    return f"{name}，{how}<br>%{{x:,}} 个位置<br><b>%{{y:,.3g}}</b> {unit}<extra></extra>"
