"""Brings 8-bit pictures of any colours to sRGB on white: embedded profiles, inks, transparency."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageCms

from a2core.media.strips import strips


def srgb_on_white(
    picture: Image.Image,
    plain: Callable[[Image.Image], Image.Image],
    profile: bytes | None,
    notes: list[str],
) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of a picture, laid on white where it is transparent, which the notes then say.

    Args:
        picture: Of 8 bits a sample.
        plain: Brings a part of it to one of the modes L, RGB, RGBA, CMYK and LAB.
        profile: Embedded colour profile; ignored where it is broken or unfit.
        notes: A sentence is added where anything was transparent.
    """
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    clear = False
    for rows, strip in strips(picture):
        colours = to_srgb(plain(strip), profile)
        if colours.mode == "RGBA" and colours.getchannel("A").getextrema()[0] != 255:
            clear = True
            colours = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
        pixels[rows] = np.asarray(colours if colours.mode == "RGB" else colours.convert("RGB"))
    if clear:
        notes.append("Transparent parts were filled with white.")
    return pixels


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """L, RGB, RGBA, CMYK or LAB as L, RGB or RGBA in sRGB; a profile that is broken or unfit is ignored."""
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colours = picture.convert("RGB") if alpha else picture
    if profile:
        try:
            converted = _through_profile(colours, ImageCms.ImageCmsProfile(io.BytesIO(profile)))
        except Exception:  # noqa: BLE001 - hostile bytes, and a picture without its profile is still one
            converted = None
        colours = converted or colours
    if colours.mode == "LAB":
        colours = _through_profile(colours, ImageCms.createProfile("LAB")) or colours
    if alpha:
        colours = colours.convert("RGB")
        colours.putalpha(alpha)
    return colours.convert("RGB") if colours.mode == "CMYK" else colours


_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}


def _through_profile(
    picture: Image.Image, profile: ImageCms.ImageCmsProfile | ImageCms.core.CmsProfile
) -> Image.Image | None:
    """The picture in sRGB, or None where the profile is for other colours or says no more than sRGB."""
    opened = profile if isinstance(profile, ImageCms.ImageCmsProfile) else ImageCms.ImageCmsProfile(profile)
    if opened.profile.xcolor_space != _PROFILE_SPACES[picture.mode]:
        return None
    transform = ImageCms.ImageCmsTransform(
        opened, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")), picture.mode, "RGB"
    )
    if picture.mode == "RGB":
        # Most profiles met are sRGB itself under many names: leave the samples exact, and save the time.
        steps = np.linspace(0, 255, 9).round().astype(np.uint8)
        cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
        there = np.asarray(transform.apply(Image.fromarray(cube)))
        if np.abs(there.astype(int) - cube).max() <= 2:
            return None
    return transform.apply(picture)
