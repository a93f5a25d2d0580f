"""What several steps of the lesson say."""

from __future__ import annotations

CHOSEN_CELL = "选中的格 p"
VALUE, N_PRIMITIVES, M_CHANNELS, C_CHANNELS = "值", "n 个基元 →", "m 个通道 →", "c 个通道 →"
CELLS_IN_ORDER = "格，按阅读顺序 →"
N_POSITIONS = "N 个位置 →"
ERROR_LEFT = "剩余误差"


def place(row: object, column: object, frame: object | None = None) -> str:
    """A cell; of a clip with its frame."""
    cell = f"第 {row} 行第 {column} 列"
    return cell if frame is None else f"第 {frame} 帧{cell}"


def positions(grid: str) -> str:
    """The axis of a table whose columns are the cells of `grid`."""
    return f"N 个位置，{grid}，逐个排列 →"


def sum_in_channel(channel: object) -> str:
    """The sum so far, in one of its channels."""
    return f"通道 {channel} 里的和"


def in_that_channel(symbol: str) -> str:
    """What the sum becomes, in the same channel."""
    return f"{symbol} 在该通道的值，绝对值最大"
