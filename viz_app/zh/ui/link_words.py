"""What is said of a link that could not be followed in all."""

from __future__ import annotations

from viz_app.ui.text import short_name


def quoted(text: str) -> str:
    """What somebody wrote into the address."""
    return f"“{short_name(text, longest=40)}”"


def own_picture(shown: str) -> str:
    """The picture is somebody's own."""
    return f"这个链接说的是某人自己的图片，而链接装不下图片。请把那个文件放到“探索”页，就会按当时的样子打开；在此之前显示的是：{shown}。"


def no_picture(asked: str, shown: str) -> str:
    """There is no such picture."""
    return f"这里没有图片{quoted(asked)}：显示的是 {shown}。"


def no_size(asked: str, shown_px: int) -> str:
    """The size is not one that is offered."""
    return f"{quoted(asked)}不是可选的尺寸：显示的是 {shown_px} px。"


def no_weights(asked: str, shown: str) -> str:
    """There are no such weights."""
    return f"这里没有权重{quoted(asked)}：显示的是 {shown}。"


def no_block(asked: str, checkpoint: str, shown: str) -> str:
    """The network has no such block."""
    return f"{checkpoint} 里没有模块{quoted(asked)}：显示的是 {shown}。"


def too_many_pixels(name: str, count: int, most: int) -> str:
    """The field `name` lists more pixels than it can."""
    return f"“{name}”里的 {count} 个像素中，使用前 {most} 个。"


def no_primitive(asked: str, count: int, block: str) -> str:
    """The block has no such primitive."""
    return f"{block} 的 {count} 个基元中没有{quoted(asked)}：未选择基元。"


def no_setting(asked: str, name: str) -> str:
    """The setting `name` cannot be that."""
    return f"{name} 不能是{quoted(asked)}：保持原样。"


def no_pixel(asked: str) -> str:
    """It is not written as a pixel is."""
    return f"{quoted(asked)}不是像素的写法（例如 x160y112）：已略去。"


def outside(x_px: int, y_px: int, width_px: int, height_px: int) -> str:
    """The pixel is outside the picture."""
    return f"像素 x {x_px}，y {y_px} 在 {width_px} × {height_px} 像素的图片之外：已略去。"


def after_the_last(frame: int, frames: int) -> str:
    """The pixel is of a frame that is not there."""
    return f"第 {frame} 帧在 {frames} 帧的最后一帧之后：它的像素已略去。"
