"""What stands on the axes of charts, and what pointing at them says."""

from __future__ import annotations

BY_RANK, BY_INDEX = "基元，接收最多的在前", "基元，按编号"
SHARE, CHANNELS, TIME = "接收份额，%", "通道", "时间，s"
VALUE = "值"
EARLIEST = "基元，最早的在最上"
FIRST_ORDER, TRUE_EFFECT = "一阶项，logit", "关闭它的真实影响，logit"


def value_in(primitive: object) -> str:
    """What a primitive holds in a channel."""
    return f"g<sub>{primitive}</sub> 里的值"


def received(count: int) -> str:
    """A bar of one pixel's ρ."""
    return (
        "此像素接收 <b>%{y:.2f} %</b><br>来自基元 %{customdata[0]}<br>"
        f"排第 %{{customdata[1]}}，共 {count} 个<extra></extra>"
    )


EFFECT = "基元 %{customdata}<br>一阶 <b>%{x:.4f}</b><br>真实影响 <b>%{y:.4f}</b><extra></extra>"
MOMENT = "基元 %{customdata[0]}，%{customdata[2]:.2f} s<br><b>%{customdata[3]:.2f} %</b><extra></extra>"
