"""Step 7."""

from __future__ import annotations

NAME, TITLE = "相加", "扩展，再加到原有的特征上"
SENTENCE = "最后一个线性映射把混合变回全部通道，再加上去；图片亮起的地方，特征改变最大。如果没有标记过格，这一步打开时停在改变最大的一格。"
OVERLAY = "|Δ<sub>p</sub>| / |x<sub>p</sub>|：模块把每一格改变了多少"
BEFORE, BEFORE_ALT = "X，之前", "该通道，之前"
ADDED, ADDED_ALT = "Δ，用它自己的尺度", "加上的内容"
AFTER, AFTER_ALT = "Y，之后", "该通道，之后"
GIVEN = "Δ<sub>p</sub>，加给选中的格的内容"
GIVEN_ALT = "加给选中的格的内容，按通道"
CHANGE = "这一格的改变量 |Δ<sub>p</sub>| / |x<sub>p</sub>|"
MOST_CHANGE = "所有格中最大的改变量"
MOST_CHANGED = "所在的格"


def before(channel: object) -> str:
    """What the cell had in one channel."""
    return f"通道 {channel} 中：x<sub>kp</sub>"
