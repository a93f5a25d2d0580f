"""The site's page in Chinese. What its scripts say: assets/words.zh.js; the prose at its end: about.zh.html."""

from __future__ import annotations

PAGE = {
    "A²-Nets: where a pixel gets its information from": "A²-Nets：一个像素的信息从哪里来",
    "Point at a picture of yours and see where a network gathered what it knows about that spot. Everything "
    "runs on your own device.": "指向你的图片，看网络对这一处所知道的，是从哪里收集来的。一切都在你自己的设备上运行。",
    "Where does a pixel get its information from?": "一个像素的信息从哪里来？",
    "Point at the picture. Bring a photo, a clip or your camera: they stay on this device, nothing is sent.": (
        "指向图片。也可以带来照片、视频或你的摄像头：它们只留在此设备上，什么都不会发送。"
    ),
    "The equations, in seven steps": "七步看等式",
    "The picture": "图片",
    "You can also drop a file on the page, or paste one": "也可以把文件拖到页面上，或粘贴进来",
    "Photo or clip": "照片或视频",
    "Camera": "摄像头",
    "Sample": "示例",
    "Freeze": "定格",
    "Other camera": "切换摄像头",
    "Leave": "离开",
    "The network says": "网络的回答",
    "Where else?": "还有哪里？",
    "Whose all these pictures are": "所有这些图片的作者",
    "Experiment": "实验",
    "Change what a block hands out, and see what the network says then. Only what stands behind the block runs "
    "again.": "改变模块分配出去的内容，看网络随后怎么回答。只有模块之后的部分会重新运行。",
    "Primitive": "基元",
    "Switch off": "关闭",
    "Keep alone": "只保留它",
    "Scale by": "缩放",
    "Factor": "倍数",
    "Its weight ρ": "它的权重 ρ",
    "goes missing": "缺失",
    "goes to the others": "分给其他基元",
    "Bag of primitives": "基元袋",
    "Reset": "重置",
    "class": "类别",
    "before": "之前",
    "after": "之后",
    "log-odds": "对数几率",
    "Take it with you": "带走",
    "One page, works offline (HTML)": "一个可离线使用的网页（HTML）",
    "Link to this view": "此视图的链接",
    "The picture itself is saved by the arrow above it (PNG).": "图片本身可用它上方的箭头保存（PNG）。",
    # Of the lesson.
    "A²-Nets: double attention in seven steps": "A²-Nets：双重注意力的七步",
    "The equations of a double attention block on one picture, in seven steps. Whatever you move, the numbers "
    "follow, on your own device.": "一张图片上一个双重注意力模块的等式，分七步。无论移动什么，数值都随之改变，一切都在你自己的设备上。",
    "Double attention in seven steps": "双重注意力的七步",
    "The equations of one block of the network, on one picture. Drag in the picture or move a slider: the "
    "numbers follow.": "网络中一个模块的等式，在一张图片上。在图片上拖动，或移动滑块：数值随之改变。",
    "Back to the explorer": "回到探索页",
    "Steps of the lesson": "课程的步骤",
    "Present": "演示",
    "Large type, in front of a class. Escape leaves": "在全班面前用大字。Esc 退出",
    "Back": "上一步",
    "Next": "下一步",
    "A worksheet to print, with answers": "可打印的练习题，附答案",
}


def network(name: str, trunk: str) -> str:
    """Whose the network is."""
    return (
        f"网络是 {name}。其中的模块由本页的作者训练；它们所在的主干（{trunk}）由他人在 ImageNet 上训练，权重归其所有："
        "权重所出自的软件包没有注明许可证。"
    )
