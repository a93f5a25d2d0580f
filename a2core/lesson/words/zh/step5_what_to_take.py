"""Step 5."""

from __future__ import annotations

NAME, TITLE = "取什么", "在基元上做 softmax，得到每一格的份额"
SENTENCE = "R̃ 的每一列变成份额，在基元上求和为一：每一格点自己的混合，与别的格点什么无关。"
LOGITS, LOGITS_AXIS = "ρ̃<sub>p</sub>，这一格的 logit", "logit"
LOGITS_ALT = "选中的格在各基元上的 logit"
SHARES, SHARES_AXIS = "ρ<sub>p</sub>，它的份额", "份额"
SHARES_ALT = "选中的格在各基元上的份额"
RANK = "该基元在这一格的名次"
OF_PRIMITIVES = "共 n 个基元"
EFFECTIVE = "在这里真正起作用的基元数"
SUM = "在所有基元上求和"
TRAP_TITLE = "陷阱：把 R̃ 的 softmax 做在位置上"
TRAP = "公开代码里最常见的错误。这样每个基元会在各格之间瓜分，一格得到多少取决于其他格要得多凶：有的被淹没，有的挨饿。"
TRAP_MAP, TRAP_MAP_ALT = "每一格总共会接收多少", "列和，轴弄错了"
RIGHT_SUM = "正确：每一列之和为"
WRONG_SUM = "错误：这一格的列和为"
WRONG_LEAST = "错误：最小的列和"
WRONG_LARGEST = "错误：最大的列和"


def overlay(primitive: str, subscript: str) -> str:
    """What lies over the picture."""
    return f"谁接收 {primitive}：行 ρ{subscript} 按图片排布"


def share_of(primitive: str) -> str:
    """What the cell takes of one primitive."""
    return f"它从 {primitive} 取的份额 ρ<sub>ip</sub>"
