"""The components' markup: each English sentence with what is said instead."""

from __future__ import annotations

MARKUP = {
    # the lesson's steps
    "Steps of the lesson": "课程的步骤",
    "Back": "上一步",
    "Next": "下一步",
    "PageUp": "PageUp",
    "PageDown": "PageDown",
    # presenting
    "Presenting": "演示",
    "The picture before": "上一张图片",
    "The next picture": "下一张图片",
    "Your pictures, and those in which you clicked": "你的图片，以及你点过的图片",
    "Copy the link to this page, and show it with a code for phones": "复制此页的链接，并显示供手机扫描的二维码",
    "Link": "链接",
    "Present: large type, on every page. Escape leaves": "演示：每一页都用大字。Esc 退出",
    "Present": "演示",
    "Leave": "退出",
    "Esc": "Esc",
    # the camera
    "What the camera sees": "摄像头看到的",
    # the board of Experiment
    "Switch off": "关闭",
    "Keep only this": "只保留它",
    "Strength": "强度",
    "Strength of the primitive": "基元的强度",
    "Primitives": "基元",
    "Order of the primitives": "基元的顺序",
    "Largest effect first": "影响大的在前",
    "By index": "按编号",
    "Click a tile, or": "点击小图，或按",
    "and": "和",
    "Space": "空格",
    "keeps only it,": "只保留它，",
    "scale it": "缩放它",
}
