"""Step 6."""

from __future__ import annotations

NAME, TITLE = "分配", "分配：每一格混合出自己的一份"
SENTENCE = "这一格的新特征，就是属于它的基元混合；这里从最大的份额开始，逐项加起来。"
OVERLAY = "目前各项是从哪里收集的：这一格的有效注意力"
LEADERS, LEADER_ALT = "最大的几个份额，以及各自从哪里收集", "收集图"
SUM, SUM_ALT = "目前的和，z<sub>p</sub> 为线", "目前的混合，以及它最终成为的"
ERROR, ERROR_ALT = "剩余误差，占 |z<sub>p</sub>| 的份额", "加了这么多项之后的剩余误差"
ERROR_AXES = ("误差", "项，从大到小 →")
TERMS = "求和的项数"
SHARES = "它们的份额合计"
TRAP_TITLE = "陷阱：把整张图写出来"
TRAP = "Z = A (ΘᵀR) 得到同样的 Z，但 ΘᵀR 对每一格都有一行一列。谁也不必算它：(A Θᵀ) R 从不超出两个因子 Θ 与 R 的大小。"
TRAP_COLUMNS = ("网格", "N", "ΘᵀR，N × N", "Θ 与 R，各 n × N")
THIS_GRID, FINER_GRID = "你正在看的", "同样内容，格小一半"


def clip(frames: object, side: object) -> str:
    """The grid of a clip."""
    return f"一段视频：{frames} 帧，每帧 {side} × {side} 格"


def longer_clip(frames: object, side: object) -> str:
    """The grid of a longer one."""
    return f"更长的视频：{frames} 帧，每帧 {side} × {side} 格"
