"""Step 1."""

from __future__ import annotations

NAME, TITLE = "特征", "模块得到的是一张特征表"
SENTENCE = "网格的每一格是一列数；对模块来说，图片就是这张表，别无其他。"
CHANNELS_DOWN = "c 个通道 ↓"
TABLE = "特征表，选中的格所在的列已标出"
COLUMN, COLUMN_ALT = "x<sub>p</sub>，标出的那一列", "选中的格的特征"
LENGTH = "它的长度 |x<sub>p</sub>|"


def in_channel(channel: object) -> str:
    """What the chosen cell has in one channel."""
    return f"它在通道 {channel} 的值 x<sub>kp</sub>"


def overlay(channel: object) -> str:
    """What lies over the picture."""
    return f"X 的第 {channel} 行按图片排布：紫色小于零，橙色大于零"
