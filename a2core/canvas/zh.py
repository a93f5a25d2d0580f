"""The canvas in Chinese: its terms, its markup, and what a page round it says.

What its scripts say is in assets/words.zh.js. `TERMS` is what every Chinese text of ours keeps to, in the app and
the site too: those of the paper's reading notes where they agree (收集, 分配); what is ours (peel, half from) is
named by what it shows.
"""

from __future__ import annotations

import re

# English term: Chinese term. A sentence that has the one has the other: tests/a2core/test_languages.py.
TERMS = {
    "double attention": "双重注意力",
    "effective attention": "有效注意力",
    "attention": "注意力",
    "primitive": "基元",
    "bag of primitives": "基元袋",
    "gather map": "收集图",
    "distribution weight": "分配权重",
    "block": "模块",
    "position": "位置",
    "channel": "通道",
    "cell": "格",
    "pixel": "像素",
    "logit": "logit",
    "softmax": "softmax",
    "temperature": "温度",
    "random weights": "随机权重",
    "half from": "半数区",
    "use": "使用率",
    "effect": "影响",
    "peel": "拆解",
    "head": "头",
    "layer": "层",
    "pin": "图钉",
}

UNTRAINED = ("随机权重。", "这个网络的模块从未训练过：它们的图没有意义。")
TITLE = "双重注意力"

# What a checkpoint's card says of a primitive, by parts of its sentence; the same in assets/words.zh.js.
CARDS = (
    (r"^Hardly used; usually gathered ", "很少使用；通常收集自"),
    (r"^Usually gathered ", "通常收集自"),
    (r"at the top left$", "左上"),
    (r"at the top right$", "右上"),
    (r"at the bottom left$", "左下"),
    (r"at the bottom right$", "右下"),
    (r"towards the top$", "偏上处"),
    (r"towards the bottom$", "偏下处"),
    (r"left of centre$", "中心偏左"),
    (r"right of centre$", "中心偏右"),
    (r"in the centre$", "中心"),
    (r"around the edges$", "边缘一圈"),
    (r"anywhere in the frame$", "画面各处"),
    (r"^purity (?=[\d.]+)", "纯度 "),
    (r", of parts (?=[\d.]+)", "，部件纯度 "),
    (r"^of parts (?=[\d.]+)", "部件纯度 "),
    (r"(?<=\d), MonoScore (?=[−\-\d.]+)", "，MonoScore "),
)

MARKUP = {
    "Attention explorer": "注意力探索器",
    "Block of the network": "网络的模块",
    "What the map shows": "图显示什么",
    "Colour scale": "颜色尺度",
    "Overlay": "叠加",
    "Share or save this picture (PNG)": "分享或保存这张图片（PNG）",
    "Share or save this picture": "分享或保存这张图片",
    "Presentation: large type, no controls (F). Escape leaves": "演示：大字，无控件（F）。Esc 退出",
    "Presentation mode": "演示模式",
    "A tour of three steps": "三步导览",
    "Tour of three steps": "三步导览",
    "Probe the picture: arrow keys move by one cell, with Shift they draw a box, Enter pins, P adds a pin, "
    "1 to 4 select one, Delete removes it, D turns the direction round, brackets step through the primitives, "
    "F presents, Escape lets go": "探查图片：方向键移动一格，按住 Shift 画框，回车固定，P 添加图钉，1 到 4 选择图钉，"
    "Delete 移除，D 反转方向，方括号键逐个查看基元，F 演示，Esc 取消选择",
    "Move over the picture: it lights up where that pixel’s information was gathered from. Click to hold it": (
        "在图片上移动：亮起来的地方，就是那个像素的信息被收集的地方。点击可固定它"
    ),
    "The clip over time": "视频随时间",
    "Play": "播放",
    "Play and pause (space); comma and full stop step": "播放与暂停（空格）；逗号、句号逐帧",
    "Speed": "速度",
    "Frame": "帧",
    "All frames": "所有帧",
    "back to the pixel": "回到像素",
    "unpin": "取消固定",
    "clear the box": "清除框",
    "Layers and heads of the network’s own attention": "网络自身注意力的层与头",
    "Layer": "层",
    "Ask": "提问",
    "What is asked": "向谁提问",
    "Heads": "头",
    "peel": "拆解",
    "Terms in the map": "图中的各项",
    "all": "全部",
    "none": "全不",
    "top": "最强",
    "How many of the strongest terms": "最强的几项",
    "primitive": "基元",
    "half from": "半数区",
    "Maps of one primitive": "一个基元的图",
    "let go": "取消选择",
    "gathered": "收集",
    "from here": "自这里",
    "handed out": "分配",
    "here": "到这里",
    "A primitive is a summary of the whole picture: the block gathers it from where θ is bright. Then every spot "
    "is handed a mixture of all primitives, its own, in the shares ρ.": (
        "基元是对整张图片的概括：模块从 θ 亮的地方收集它。然后每一处都按份额 ρ，分配到属于自己的一份基元混合。"
    ),
    "Pins compared": "图钉对比",
    "share received, ρ, and its difference to pin 1 in points of percent": (
        "接收份额 ρ，以及与图钉 1 相差的百分点"
    ),
    "All primitives": "全部基元",
    "Filter: g12 or a word": "筛选：g12 或一个词",
    "Filter the primitives by number or by a word of their cards": "按编号或卡片里的词筛选基元",
    "Sort the gallery by": "图库排序依据",
    "effect: pictures only": "影响：仅限图片",
    "Maps in the gallery": "图库里的图",
}


def card_said(card: str) -> str:
    """A line of `payload.card_lines` in Chinese; what somebody wrote by hand stays."""

    def said(part: str) -> str:
        for english, chinese in CARDS:
            part = re.sub(english, chinese, part, count=1)
        return part

    return " · ".join(map(said, card.split(" · ")))
