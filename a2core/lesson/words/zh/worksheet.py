"""The words of the worksheet: ten questions with their answers."""

from __future__ import annotations

from a2core.lesson.words.worksheet import Question

HEAVIEST_COLUMNS = ("格", "θ", "a")
HEADING, NAME, ANSWERED = "手算双重注意力", "姓名", "答案"
EQUATIONS = (
    "A = W<sub>φ</sub> X̂ + b<sub>φ</sub>， &ensp; Θ̃ = W<sub>θ</sub> X̂ + b<sub>θ</sub>， &ensp; "
    "R̃ = W<sub>ρ</sub> X̂ + b<sub>ρ</sub>，其中 X̂ 是模块所读的 X。Θ 是 Θ̃ 在位置上的 softmax（论文的 B），"
    "R 是 R̃ 在基元上的 softmax（论文的 V）。 &ensp; G = A Θᵀ， &ensp; Z = G R， &ensp; "
    "Y = X + W<sub>e</sub> Z + b<sub>e</sub>。"
)


def about(*, title: str, block: str, where: str, primitive: int) -> str:
    """What the page is about, all of it HTML."""
    return f"{title}，模块 {block}。标记的格 p 是{where}；基元是 i = {primitive}。所有数值都来自网络本身。"


def positions(*, c: int, grid: str, count: int) -> Question:
    """How much there is in X."""
    return Question(
        f"模块得到 c = {c} 个通道，网格为 {grid} 格。位置数 N 是多少？X 里有多少个数？",
        f"N = {grid.replace('×', '·')} = {count:,}。X 有 c · N = {c * count:,} 个数。",
    )


def projection(*, c: int, m: int) -> Question:
    """How many weights the first projection has."""
    return Question(
        f"A = W<sub>φ</sub> X̂ + b<sub>φ</sub> 有 m = {m} 行，每行一个通道，并读一格的全部 {c} 个通道。W<sub>φ</sub> 与 "
        "b<sub>φ</sub> 共有多少个数？图片大小变了，它会变吗？",
        f"c · m + m = {c * m + m:,}。不会：每一格用的是同一个映射。",
    )


def two_logits(*, primitive: int, first: str, second: str, times: str, times_warmer: str) -> Question:
    """What softmax makes of a difference, and what the temperature does to it."""
    return Question(
        f"Θ̃ 的第 {primitive} 行属于一个基元，其中两格的 logit 是 {first} 和 {second}。softmax 给前者的权重是后者的多少倍？"
        "温度为 2 时呢？",
        f"exp({first} − {second}) = {times} 倍；温度为 2 时是它的平方根，{times_warmer} 倍。",
    )


def heaviest_cell(*, primitive: int, weight: str, times: str, even: str) -> Question:
    """The peak of a gather map beside plain averaging."""
    return Question(
        f"收集图 θ<sub>{primitive}</sub> 最重的格权重为 {weight}。它是简单平均的多少倍？温度为 0 时是多少？温度很高时呢？",
        f"θ · N = {times} 倍。温度为 0 时它的权重是 1（arg-max）；温度很高时是 1/N = {even}。",
    )


def gathered(*, primitive: int, channel: int, total: str, cells: str, sum_of_three: str) -> Question:
    """Three terms of a primitive."""
    return Question(
        f"这是 θ<sub>{primitive}</sub> 最重的三格，以及它们在 A 的通道 {channel} 的值。它们给 g<sub>{primitive}</sub> "
        f"在该通道加了多少？该通道总共是 {total}。{cells}",
        f"{sum_of_three}，总共 {total}。",
        3,
    )


def shares(*, logits: str, primitives: str, largest: str, rest: str, best: int, worked: str) -> Question:
    """What a cell takes of its best primitive."""
    return Question(
        f"标记的格对基元 {primitives} 的 logit 是 {logits}；其余所有基元合计 Σ exp(ρ̃ − {largest}) = {rest}。它从基元 {best} "
        "取多大份额？",
        worked,
        3,
    )


def mixture_columns(channel: int) -> tuple[str, str, str]:
    """What the table of three primitives holds."""
    return "基元", "份额 ρ", f"通道 {channel} 的值"


def mixed(*, channel: int, total: str, primitives: str, sum_of_three: str, missing: str) -> Question:
    """Three terms of a mixture."""
    return Question(
        f"用最大的三个份额，在通道 {channel} 拼出 z<sub>p</sub>。总共是 {total}：还差多少？{primitives}",
        f"{sum_of_three}；还差 {missing}。",
        3,
    )


def wrong_axis(*, mean: str, marked: str, least: str, most: str) -> Question:
    """What goes wrong with the softmax over the other axis."""
    return Question(
        "有人把 R̃ 的 softmax 做在位置上。这时一格的份额之和，对各格平均是多少？这有什么问题？",
        f"n 行每行之和为 1，所以列和平均为 n/N = {mean}；标记的格是 {marked}，其他格从 {least} 到 {most} 都有。这样一格"
        "得到多少，就取决于其他格要什么。",
        3,
    )


def full_map(*, n: int, full: str, factors: str) -> Question:
    """What the N × N map would weigh."""
    return Question(
        f"用 float32，完整的 N × N 图占多少兆字节（10⁶ 字节）？两个因子 Θ 与 R 占多少？当 n = {n} 时，N 超过多少之后因子更小？",
        f"4 N² = {full} MB；2 · 4 n N = {factors} MB。当 N > 2 n = {2 * n} 时因子更小。",
    )


def change(*, length: str, added: str, per_cent: str) -> Question:
    """How much the block changed a cell, and why it adds."""
    return Question(
        f"标记的格的特征长度为 {length}；模块加上一个长度为 {added} 的向量。这一格改变了其长度的百分之几？为什么还要加上输入？",
        f"{per_cent} %。这样模块只需学会要改变什么，而且可以从完全不改变开始。",
    )
