"""Opened pictures of any mode and depth as samples of 8 bits: what Pillow leaves to be done or does wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, Jpeg2KImagePlugin

from a2core.languages import sentence
from a2core.media import depth
from a2core.media.opened import Opened
from a2core.media.strips import array_of


class EightBits(NamedTuple):
    """A picture of 8 bits a sample, and what is still to be done to each of its pixels."""

    picture: Image.Image
    plain: Callable[[Image.Image], Image.Image]
    """Brings the picture, or a part of it, to L, RGB, RGBA, CMYK or LAB without a colour key."""

    def resized(self, size: tuple[int, int], box: tuple[float, float, float, float]) -> EightBits:
        """The part in the box, at another size."""
        whole = self.plain(self.picture)
        return EightBits(
            whole.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0), lambda part: part
        )


def in_eight_bits(opened: Opened, notes: list[str]) -> EightBits:
    """A picture that was loaded, with a note where its samples were deeper."""
    picture = opened.picture
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        return EightBits(Image.fromarray(_grey(opened, notes)), lambda part: part)
    if opened.bits > 8:
        picture.info.pop("transparency", None)  # a colour key of 16 bits says nothing about 8-bit samples
        stretched = _stretched(opened, notes)
        if stretched is not None:
            return EightBits(stretched, lambda part: part)
        notes.append(sentence("{bits}-bit samples were reduced to 8 bits.", bits=opened.bits))
    if opened.opaque:
        return EightBits(picture, lambda part: part.convert("RGB"))
    if picture.mode == "CMYK" and picture.format == "JPEG" and "adobe" not in picture.info:
        # Adobe writes CMYK JPEGs inverted and leaves its mark; Pillow inverts all, marked or not.
        return EightBits(picture, ImageChops.invert)
    return EightBits(picture, _plain)


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode in ("L", "RGB", "RGBA", "CMYK", "LAB") and "transparency" not in picture.info:
        return picture
    if picture.has_transparency_data:
        return (picture.convert("LA") if picture.mode == "La" else picture).convert("RGBA")
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _grey(opened: Opened, notes: list[str]) -> np.ndarray:
    """(H, W) uint8 of grey samples of more than 8 bits."""
    values = array_of(opened.picture)
    if opened.picture.mode.startswith("I;16"):
        # Pillow widens the samples of JPEG 2000 to 16 bits; elsewhere they keep the range of theirs.
        widened = isinstance(opened.picture, Jpeg2KImagePlugin.Jpeg2KImageFile)
        white = 65535 if widened else opened.white or 2**opened.bits - 1
        grey = depth.from_integers(values.astype(np.uint16, copy=False), white, notes)
    else:
        grey = depth.from_any(values.view(np.uint32) if opened.wide else values, notes)
    return 255 - grey if opened.white_is_zero else grey  # Pillow leaves it so


def _stretched(opened: Opened, notes: list[str]) -> Image.Image | None:
    """Colours of a sensor's 14 bits or fewer in 16, by their own range; None where they use more.

    Raises:
        ValueError: They do, but cannot be read at their own depth.
    """
    picture, size = opened.picture, opened.picture.size
    if opened.deep is None or opened.bits != 16 or picture.mode not in ("RGB", "RGBA", "LA"):
        return None
    alpha = picture.mode != "RGB" and not opened.opaque
    colours = picture.getbands()[: 1 if picture.mode == "LA" else 3]
    # Pillow has kept the upper 8 bits only, which tell whether there is anything to stretch.
    highest = max(int(np.asarray(picture.getchannel(band)).max()) for band in colours)
    if not 0 < highest <= 63:
        return None
    # Its pixels are not needed any more, and those to come are twice as deep.
    picture.thumbnail((1, 1), Image.Resampling.NEAREST)
    deep = opened.deep()
    if deep is None or deep.dtype != np.uint16 or deep.ndim != 3 or deep.shape[1::-1] != size:
        raise ValueError("dark samples of 16 bits that cannot be read at their own depth")
    shown = depth.from_integers(deep[..., : len(colours) + alpha], 65535, notes, colours=len(colours))
    return Image.fromarray(shown[..., 0] if shown.shape[2] == 1 else shown)
