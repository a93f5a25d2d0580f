"""Step 2."""

from __future__ import annotations

NAME, TITLE = "投影", "同一份特征的三个投影"
SENTENCE = "三个线性映射读同样的列：A 说一格能给出什么，Θ̃ 说每个基元该看哪里，R̃ 说每一格要什么。"
CHANNEL, PRIMITIVE = "通道", "基元"


def overlay(primitive: object) -> str:
    """What lies over the picture."""
    return f"Θ̃ 的第 {primitive} 行按图片排布"


def rows_down(count: str, what: str) -> str:
    """The axis of a table with `count` rows, each of them a channel or a primitive."""
    return f"{count} 个{what} ↓"


def table(symbol: str) -> str:
    """A table, for who cannot see it."""
    return f"表 {symbol}，标出了一行一列"


def row(index: object, symbol: str, what: str) -> str:
    """A table's marked row, as a map."""
    return f"{symbol} 的第 {index} 行，一个{what}"


def row_alt(symbol: str) -> str:
    """The same, for who cannot see it."""
    return f"{symbol} 标出的那一行画成图"


def crossing(letter: str, index: str, symbol: str) -> str:
    """The value that row and column have in common."""
    return f"{letter}<sub>{index}p</sub>，{symbol} 中两线相交处"
