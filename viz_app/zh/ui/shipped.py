"""Names of primitives in the atlas that comes with the checkpoints."""

from __future__ import annotations

import re

_NAMES = {
    "plain empty background just above a thing: sky, wall or a pale plate": (
        "紧挨物体上方、空无一物的素净背景：天空、墙面或浅色盘子"
    ),
    "fur, hide, feathers or a like body of rough texture": "皮毛、兽皮、羽毛一类质地粗糙的躯体",
    "middle of a small round thing: berry, hub, flower, ball": "小圆物的中央：浆果、轮毂、花、球",
    "upper edge of a round thing": "圆形物体的上缘",
    "smooth plain surface beside a thing: table top, board, paper": "物体旁平滑素净的表面：桌面、木板、纸",
    "just below a level upper edge: frame, beam, lintel, rim": "紧挨水平上缘的下方：框、梁、门楣、边沿",
    "thin curved or veined thing: wing, tube, arch, wheel": "细而弯曲或带脉络之物：翅膀、管、拱、轮",
    "trees, bushes or leaves behind things": "物体后面的树、灌木或叶丛",
    "long thing that lies aslant or hangs: stick, tail, sleeve, pen": "斜放或垂下的长物：棍、尾巴、袖子、笔",
    "background at the upper edge of the picture": "图片上缘的背景",
}
_NOTE = re.compile(
    r"Named by its exemplars alone\. In (\d+) of the (\d+) unseen photos that use it most this was where it "
    r"gathers, and in (\d+) of (\d+) where others gather \(docs/atlas\.md\)\."
)


def name(english: str) -> str:
    """What a primitive is called there."""
    return _NAMES.get(english, english)


def note(english: str) -> str:
    """What is noted of that name."""
    found = _NOTE.fullmatch(english)
    if found is None:
        return english
    held, most, elsewhere, others = found.groups()
    return (
        f"只凭范例取的名字。在没见过的、使用它最多的 {most} 张照片里，有 {held} 张它从这样的地方收集；"
        f"而别的基元收集之处，{others} 处里有 {elsewhere} 处是这样（docs/atlas.md）。"
    )
