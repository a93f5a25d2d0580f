"""Step 4."""

from __future__ import annotations

NAME, TITLE = "收集", "收集：在所有位置上加权求和"
SENTENCE = "每一项都是从同一格读出的两样东西相乘：它的权重和它的特征。这就是“二阶”的意思，也是基元不必等于简单平均的原因。"
RUNNING_ALT = "到目前为止各格的累加和，以及它最终成为的基元"
AVERAGE_ALT = "特征的简单平均，以及基元"
COLLECTED, COLLECTED_ALT = "已收集的权重", "沿各格累计收集的权重"
COLLECTED_AXIS, COLLECTED_NOTE = "零到一", "细线是简单平均。"
LAST_CELL = "求和的最后一格 j"
ITS_WEIGHT = "它的权重 θ<sub>ij</sub>"
WEIGHT_COLLECTED = "已收集的权重"
AVERAGE_OFF = "简单平均差多远"


def overlay(primitive: str) -> str:
    """What lies over the picture."""
    return f"已在和中的各格上的 θ{primitive}"


def running(primitive: str) -> str:
    """The bars of the sum so far."""
    return f"累加和，{primitive} 为线"


def average(primitive: str) -> str:
    """The bars of the plain average."""
    return f"所有 a<sub>j</sub> 的简单平均，{primitive} 为线"
