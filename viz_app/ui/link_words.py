"""What is said of a link that could not be followed in all: for each thing what is done instead; pure."""

from __future__ import annotations

from viz_app.ui import language
from viz_app.ui.text import short_name


def quoted(text: str) -> str:
    """What somebody wrote into the address, cut short, for a sentence."""
    return f"“{short_name(text, longest=40)}”"


def own_picture(shown: str) -> str:
    """The picture is somebody's own; `shown` is the one that is shown meanwhile."""
    return (
        "The link is about a picture of somebody’s own, and a link cannot carry a picture. Drop that "
        f"file on Explore and it opens as it was left; until then you see: {shown}."
    )


def no_picture(asked: str, shown: str) -> str:
    """There is no such picture."""
    return f"There is no picture {quoted(asked)} here: you see {shown}."


def no_size(asked: str, shown_px: int) -> str:
    """The size is not one that is offered."""
    return f"{quoted(asked)} is no size that is offered: you see {shown_px} px."


def no_weights(asked: str, shown: str) -> str:
    """There are no such weights."""
    return f"There are no weights {quoted(asked)} here: you see {shown}."


def no_block(asked: str, checkpoint: str, shown: str) -> str:
    """The network has no such block."""
    return f"There is no block {quoted(asked)} in {checkpoint}: {shown} is shown."


def too_many_pixels(name: str, count: int, most: int) -> str:
    """The field `name` lists more pixels than it can."""
    return f"Of the {count} pixels in “{name}”, the first {most} are used."


def no_primitive(asked: str, count: int, block: str) -> str:
    """The block has no such primitive."""
    return f"There is no primitive {quoted(asked)} among the {count} of {block}: none is chosen."


def no_setting(asked: str, name: str) -> str:
    """The setting `name` cannot be that."""
    return f"{quoted(asked)} is no {name}: it stays as it was."


def no_pixel(asked: str) -> str:
    """It is not written as a pixel is."""
    return f"{quoted(asked)} is no pixel, such as x160y112: it is left out."


def outside(x_px: int, y_px: int, width_px: int, height_px: int) -> str:
    """The pixel is outside the picture."""
    size = f"{width_px} × {height_px}"
    return f"Pixel x {x_px}, y {y_px} lies outside the picture of {size} pixels: it is left out."


def after_the_last(frame: int, frames: int) -> str:
    """The pixel is of a frame that is not there."""
    return f"Frame {frame} lies after the last of {frames} frames: its pixel is left out."


language.in_each_language(__name__)
