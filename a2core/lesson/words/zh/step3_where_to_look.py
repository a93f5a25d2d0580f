"""Step 3."""

from __future__ import annotations

NAME, TITLE = "看哪里", "在位置上做 softmax，得到“看哪里”的图"
LOGITS_ALT, MAP_ALT = "一个基元的 logit", "一个基元的收集图"
HEAVIEST, HEAVIEST_ALT = "图中最重的格，从大到小", "最重的几格的权重"
HEAVIEST_AXES = ("占峰值的份额", "格，按权重 →")
EVEN = "横线是简单平均：每一格都是 1/N。"
PEAK = "峰值 max<sub>j</sub> θ<sub>ij</sub>"
ONE_OVER_N = "简单平均 1/N"
HALF = "一半权重落在这么多格里"
OF_CELLS = "共 N 格"
SUM = "在所有位置上求和"

LIMIT = "the limit: the arg-max takes it all"  # in the lines of NumPy, which are English as all code is

FLAT = "温度很高时，logit 不再起作用：每一格份额相同，收集就成了简单平均。"


def overlay(primitive: str) -> str:
    """What lies over the picture."""
    return f"这个温度下的收集图 θ{primitive}"


def logits(primitive: str) -> str:
    """The first map."""
    return f"θ̃{primitive}，logit"


def shares(primitive: str) -> str:
    """The second map."""
    return f"θ{primitive}，softmax 之后"


def zero_shared(winners: object) -> str:
    """Temperature zero, where several logits are the largest."""
    return f"温度为零时，只有最大的 logit 算数：{winners} 格同为最大，平分全部权重。"


def zero(place: str) -> str:
    """Temperature zero."""
    return f"温度为零时，softmax 变成 arg-max：全部权重落在 logit 最大的那一格，{place}。"


def one(place: str) -> str:
    """The network's own temperature."""
    return f"Θ̃ 的每一行变成一张图，在所有位置上求和为一；它的峰值在{place}。网络自己用的温度是一。"


def colder(place: str) -> str:
    """Below one."""
    return f"比网络冷：最好的几格，尤其是{place}，占得更多。"


def warmer(place: str) -> str:
    """Above one."""
    return f"比网络热：图散开了，不过峰值仍在{place}。"
