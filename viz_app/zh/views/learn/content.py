"""What stands round the lesson on its page."""

from __future__ import annotations

TRACING, WORKING_OUT = "正在追踪图片", "正在准备课程"
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>随机权重。</strong>这些模块从未训练过：'
    "每个等式都成立，但图没有意义。</div>"
)

TRAP = "陷阱"

ARRAYS, WORKSHEET = "课程的数组（NPZ）", "可打印的练习题（HTML）"
CHOSEN_ON_EXPLORE = '<p class="a2-overlay-says">课程从“探索”页选定的图片和格开始。</p>'
