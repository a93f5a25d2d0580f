"""The words of the Primitives page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viz_app.ui.text import as_markdown

LEAD = (
    '<div class="a2-lead"><h1>每个基元是什么？</h1>'
    "<p>看它在一个图谱的所有图片里，最多被分配到哪里。</p></div>"
)
NONE = "还没有可显示的图谱。请用你自己的图片建一个：`make atlas PHOTOS=FOLDER`，再用它启动探索器：`A2_ATLAS=atlas make app`。"
ATLAS, BLOCK, SORT, WORDS, VIEW = "图谱", "模块", "排序", "词", "视图"
VIEWS = {"tiles": "小图", "map": "地图", "credits": "图片作者"}
PRIMITIVES = "基元"
ABOUT_MAP = (
    "在相同图片里被使用的基元彼此靠近：取其使用率相关性的前两个主成分。点越大，使用越多。点击可进入该基元。"
)
ABOUT_WORDS = "名字、类别、文件夹，或 g23"
SORTS: dict[str, str] = {
    "primitive": "编号",
    "use": "使用率",
    "reach": "广度",
    "effect_size": "影响",
    "purity": "纯度",
    "stability": "稳定性",
}
BACK, NAME, NOTE, KEEP = "全部基元", "名字", "备注", "保存名字"
YOURS = "你起的名字属于你：只保留在本次会话中，其他访问者看不到。"
SHARED = "此服务器上的名字保存在图谱旁边：每个访问者都能看到，也能修改。"
TAKE_NAMES, BRING_NAMES = "带走名字", "带来名字"
MORE, CLOSE, LIKE_THIS = "显示全部范例", "关闭", "与此相似的图片"
GATHERED, HANDED = "从这里收集", "分配到这里"
TOGETHER = "常与之同用的有"
CELL = "图谱记下的格子"
UNTRACED = "这里没有该图谱所用的权重，所以不追踪这张图片。"
ORDERS = {
    "mean": "在整张图片上分配最多",
    "peak": "在一处分配最多",
    "effect": "对回答的贡献最大",
    "idle": "分配很多，但回答并不靠它",
}
HISTOGRAM = "它在多少图片里被分配，分配了多少"
NO_MATCH = "没有这样称呼的基元。"
MEAN_AXIS, PICTURES_AXIS = "图片中 ρ 的均值，%", "图片数"

CREDIT_COLUMNS = {"path": "文件", "author": "作者", "licence": "许可证", "link": "链接"}


def likeness(share: str) -> str:
    """How like one picture another is."""
    return f"相似度 {share}"


def about(told: Mapping[str, Any]) -> str:
    """What the atlas is of."""
    alike = f"，其中 {told['alike']:,} 张与另一张几乎相同" if told["alike"] else ""
    network = as_markdown(str(told["checkpoint"]["name"]))
    return f"{told['photos']:,} 张图片{alike}，由 {network} 以 {told['size_px']} 像素观看。"


def stale(told: Mapping[str, Any]) -> str:
    """That no checkpoint here is the atlas's."""
    return f"这个图谱是用当时的 {as_markdown(str(told['checkpoint']['name']))} 建的。这里没有那一套权重，所以它的基元与这里的不同，图片也不会重新追踪。"


def how_traced(*, whole: bool, px: int) -> str:
    """What the maps of a picture were made from."""
    if whole:
        return f"刚刚从图片文件追踪，{px} 像素，与图谱所见一致。"
    return f"刚刚从图谱保存的小图追踪，{px} 像素：比图谱所见粗糙。"


def tracing(place: str) -> str:
    """What is waited for."""
    return f"正在重新查看 {as_markdown(place)}"


def middle(middle: str, low: str, high: str) -> str:
    """How a mean ρ is spread over the pictures, in per cent."""
    return f"居中的图片里 ρ 的均值为 {middle} %，十分之九的图片在 {low} 至 {high} % 之间。"


def spread(use: str, reach: str) -> str:
    """How much of a primitive is handed out and how evenly over the pictures, as a sentence."""
    return f"占其模块全部分配的 {use}；它在图片间散布的均匀程度，相当于 {reach} 的图片各得同样多。"


def adds(effect: str) -> str:
    """What it does to the answer."""
    return f"按一阶计算，它平均给获胜类别的 logit 加上 {effect}。"


def lie_in(share: str, folder: str) -> str:
    """How many of its exemplars are of one folder."""
    return f"它的范例有 {share} 在文件夹 {folder} 里。"


def twin(primitive: object, correlation: str) -> str:
    """Which is most like it with another seed."""
    return f"换一个随机种子，与它最像的是 g{primitive}（相关系数 {correlation}）。"
