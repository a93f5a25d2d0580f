"""What stands round the steps, wherever the lesson is."""

from __future__ import annotations

from a2core.canvas.glossary import Symbol, symbols

FRAME, PRIMITIVE, TEMPERATURE = "帧", "基元 i", "温度 τ"
CHANNEL, A_CHANNEL = "通道 k", "A 的通道 k"
REACHED = "求和到的最后一格 j，按阅读顺序"
TERMS = "求和的项数，从大到小"

THE_CELL, THE_LAST_CELL = "这一格", "求和的最后一格"

CHECK = "自己验算"
LINES = "<p>下面几行 NumPy 从课程数组文件算出本页的数值。</p>"
PRINTED = "它们打印出"


def moves(alt: str, what: str) -> str:
    """What the picture is, and how `what` is moved in it."""
    return f"{alt}。方向键移动{what}。"


def under_picture(overlay: str, what: str) -> str:
    """What lies over the picture, and how `what` is moved in it."""
    return f'<p class="a2-overlay-says">{overlay}。<span>在图片上拖动可移动{what}。</span></p>'


def prints(lines: str) -> str:
    """What the lines of NumPy print."""
    return f'<p>{PRINTED}</p><pre class="a2-prints">{lines}</pre>'


def definitions(names: tuple[str, ...]) -> str:
    """The symbols of these names with what they are, their shape and how the paper writes them."""
    known = symbols("zh")
    lines = "".join(f"<dt>{known[name].sign}</dt><dd>{_defined(known[name])}</dd>" for name in names)
    return f'<dl class="a2-where">{lines}</dl>'


def _defined(symbol: Symbol) -> str:
    shape = f" <span>{symbol.shape}</span>" if symbol.shape else ""
    other = symbol.paper and symbol.paper not in symbol.sign
    return f"{symbol.what}{shape}" + (f"；论文记作 {symbol.paper}" if other else "")
