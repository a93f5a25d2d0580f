"""The words of About."""

from __future__ import annotations

from pathlib import Path

from viz_app.views.about import card_words

PROSE = Path(__file__).with_name("about.html")
HEADING = "关于这个探索器"
PICTURES, INSIDE = "图片", "全部包含在 scikit-image 里。"
OF, THE_NETWORK, NETWORK, NOT_STATED = "对象", "整个网络", "网络", "未注明"
UNSAID = "卡片没有说明的数据"
YES, NO, TO = "是", "否", " 至 "

MEANINGS = {
    "click-AUC": "在所指区域内取一格、区域外取一格，内侧那格得到更多注意力的频率。0.5 是随机，1 是总是如此。",
    "overlap": "最好的一张收集图与标注区域有多吻合：两者共同覆盖的部分，占任一者覆盖部分的比例。1 是完全一致。",
    "overlap of ρ": "同上，但用的是基元被分配到哪里的图。",
    "median reach": "居中的那张收集图覆盖图片的多大部分。",
    "dead": "几乎从不被分配到任何地方的基元。",
    "redundancy": "一张收集图与最像它的另一张有多像，取平均。1 是完全一样。",
    "stability": "两个随机种子得到的基元有多像：各与其对应者配对，取它们被分配位置的相关系数。",
    "class purity": "一个基元被分配最多的二十张照片里，有多少属于同一类。",
    "MonoScore": "在另一个网络看来，这二十张照片比任意二十张更相似多少。",
    "part purity": "一个基元被分配最多的一百处里，有多少落在同一种东西上：皮肤、头发、衣物。",
    "mIoU": "每一处归给它最强的基元：这样得到的区域与标注区域有多吻合。1 是完全一致。",
    "mass-Jaccard": "容纳一个基元 60 % 的那些位置，与离它们最近的标注区域有多吻合。",
    "deletion": "逐个拿走基元，对回答最重要的先拿：途中回答还剩多少。剩得越少，说明越清楚哪些重要。",
    "J&F": "把视频第一帧的掩码用注意力传下去：它与后面各帧有多吻合。1 是完全一致。",
    "top-1": "正确类别是网络的第一个猜测。",
    "top-5": "正确类别在网络的前五个猜测之中。",
    "agreement with the plain trunk": "它的回答与没有模块的网络相同的频率。",
    "use (KL, nats)": "去掉一个模块后回答变化多少。0 是毫无变化。",
}


def model(name: str) -> str:
    """The title over what a model's card says."""
    return f"模型：{name}"


def how_well(name: str) -> str:
    """The title over what was measured of a model."""
    return f"{name} 表现如何"


def measured_on(what: str) -> str:
    """On what, and how to read the table."""
    return f"测量数据：{what}。每行最好的值为粗体。"


def column(name: str) -> str:
    """What stands over a column."""
    return "我们的" if name == "ours" else card_words.baseline(name)


def refused(name: str) -> str:
    """The title over why a checkpoint was refused."""
    return f"被拒绝：{name}"


def block_after(name: str) -> str:
    """A block, by the module that it stands behind."""
    return f"{name} 之后的模块"


def bag_of(n: object, m: object) -> str:
    """The sizes of its bag."""
    return f"{n} 个基元，每个 {m} 个通道"
