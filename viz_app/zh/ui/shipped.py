"""Names of primitives in the atlas that comes with the checkpoints."""

from __future__ import annotations

import re

_NAMES = {
    "leaves: trees, bushes or plants behind things": "叶子：物体后面的树、灌木或植物",
    "plain ground or background just left of a thing": "紧挨物体左侧的素净地面或背景",
    "fur, feathers, hair or a like body of fine wavy texture": "皮毛、羽毛、头发一类细密起伏的纹理",
    "line or band that runs level: horizon, ledge, kerb, rail": "水平的线或带：地平线、台沿、路缘、栏杆",
    "thin upright: pole, mast, trunk, post": "细而直立之物：杆、桅、树干、柱",
    "ground or table top at the foot of what stands on it": "立在上面的东西脚下的地面或桌面",
    "left outline of a thing, seen against what is behind it": "物体的左轮廓，衬着它后面的东西",
    "plain empty background, nothing on it": "空无一物的素净背景",
    "inside of an evenly coloured or evenly patterned area: cloth, sky, water, leaves": (
        "颜色均匀或花纹均匀的区域内部：布、天空、水面、叶丛"
    ),
    "cloud, smoke or another soft rounded bulk": "云、烟或别的柔软圆团",
    "background above things, at the upper edge of the picture": "物体上方、图片上缘的背景",
    "body of the main thing, left of the picture's middle": "主体的身躯，在图片中线偏左",
    "smooth pale area without texture: white sky, paper, paint": "没有纹理的平滑浅色区域：白色天空、纸、涂料",
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
