"""The pictures of docs/formats.md: formats, depths, bands, orientations, each with a check."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from a2core.media import Clip
from tests.a2core.media import picture_files as made
from tests.a2core.media.media_files import four_corners, noise, saved
from tests.a2core.media.test_media import corners

Tried = tuple[str, bytes, Callable[[Clip], bool]]
"""What the file is, its content, and whether the picture read from it looks as it should."""


def like(wanted: np.ndarray, tolerance: int = 14) -> Callable[[Clip], bool]:
    """Whether the corners of the picture are those of `wanted`, (H, W, 3) uint8."""

    def looks(clip: Clip) -> bool:
        difference = np.array(corners(clip.frames[0]), int) - np.array(corners(wanted), int)
        return clip.frames.shape[1:] == wanted.shape and bool(np.abs(difference).max() <= tolerance)

    return looks


def ramp(bits: int, *, stretched: bool) -> Callable[[Clip], bool]:
    """Whether a ramp of `made.counts` runs from black to white, or as far as 16 bits have it."""
    top = 255 if stretched else round(255 * (2**bits - 1) / 65535)
    return lambda clip: int(clip.frames.max()) == top


def formats_tried() -> list[Tried]:
    """One picture in every format."""
    picture, square = made.CORNERS, four_corners(48, 48)
    tried = [
        (name, saved(picture, name.replace(" ", "")), like(picture))
        for name in ("PNG", "JPEG", "WebP", "BMP", "TIFF", "AVIF", "JPEG 2000", "TGA", "PPM")
    ]
    grey = Image.fromarray(picture).convert("L")
    black = Image.fromarray(picture).convert("1")
    return [
        *tried,
        ("GIF", saved(picture, "GIF"), like(picture)),
        ("PGM", saved(grey, "PPM"), like(np.asarray(grey.convert("RGB")))),
        ("PBM", saved(black, "PPM"), like(np.asarray(black.convert("RGB")))),
        ("HEIC, 8 bits", made.heic(picture), like(picture)),
        ("HEIC, 10 bits", made.deep_heic(picture.astype(np.uint16) * 257), like(picture)),
        ("ICO of three sizes", saved(square, "ICO", sizes=[(16, 16), (48, 48), (32, 32)]), like(square)),
    ]


def turned(orientation: int) -> np.ndarray:
    """What must be stored for the picture to be upright by this EXIF orientation."""
    exif = Image.Exif()
    exif[0x112] = {6: 8, 8: 6}.get(orientation, orientation)
    tagged = Image.open(io.BytesIO(saved(made.CORNERS, "PNG", exif=exif.tobytes())))
    return np.asarray(ImageOps.exif_transpose(tagged))


def orientations_tried() -> list[Tried]:
    """All eight, of the formats that state one."""
    tried: list[Tried] = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        stored, tag = turned(orientation), exif.tobytes()
        for name in ("JPEG", "HEIC", "AVIF", "WebP", "TIFF"):
            data = made.heic(stored, exif=tag) if name == "HEIC" else saved(stored, name, exif=tag)
            tried.append((f"{name}, EXIF orientation {orientation}", data, like(made.CORNERS)))
    return tried


def depths_tried() -> list[Tried]:
    """Samples of more than 8 bits."""
    tried: list[Tried] = []
    for bits in (10, 12, 14, 16):
        for name in ("PNG", "TIFF"):
            what = "16 bits" if bits == 16 else f"{bits} bits in 16"
            data = saved(Image.fromarray(made.counts(bits)), name)
            tried.append((f"{name}, grey, {what}", data, ramp(bits, stretched=bits < 16)))
    floats = np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64)
    wide = np.linspace(-500, 90_000, 64 * 48).astype(np.int32).reshape(48, 64)
    return [
        *tried,
        ("TIFF, floats from 0 to 1", saved(Image.fromarray(floats), "TIFF"), ramp(16, stretched=True)),
        ("TIFF, 32-bit integers", saved(Image.fromarray(wide), "TIFF"), ramp(16, stretched=True)),
    ]


def bands_tried() -> list[Tried]:
    """Bands behind the colours."""
    colours, infrared = made.CORNERS, noise(64, 48)[..., :1]
    clear = np.zeros((48, 64, 1), np.uint8)
    white = np.full_like(colours, 255)
    tried: list[Tried] = []
    for planar, words in (("contig", ""), ("separate", ", one after the other")):
        for more in (1, 2):
            samples = np.dstack([colours, *[infrared] * more])
            data = made.bands_tiff(samples, planar=planar, extra=(0,) * more)
            tried.append((f"TIFF, {3 + more} bands{words}, unspecified", data, like(colours)))
    for kind, words in ((1, "associated"), (2, "unassociated")):
        data = made.bands_tiff(np.dstack([np.zeros_like(colours), clear]), extra=(kind,))
        tried.append((f"TIFF, fourth band {words} alpha, clear", data, like(white)))
    return tried


def _never(clip: Clip) -> bool:
    return False


def refused_tried() -> list[Tried]:
    """What is shown of reduced copies, and what is refused."""
    full = np.repeat(np.arange(64, dtype=np.uint8)[None], 48, axis=0)
    shown = like(np.dstack([full] * 3))
    return [
        (
            f"TIFF, first page a reduced copy, full page {where} it",
            made.thumbnail_first(full=made.page(64, 48), strip=full.tobytes(), inner=inner),
            shown,
        )
        for inner, where in ((False, "behind"), (True, "below"))
    ] + [
        *(
            (f"{kind}, a raw camera file", made.raw_camera_file(kind), _never)
            for kind in ("DNG", "NEF", "CR2", "ARW")
        ),
        ("GIF, screen of 16 × 16, frames of 9000 × 9000", made.gif_of_large_frames(9000), _never),
        ("WebP, canvas of 16 × 16, frames of 9000 × 9000", made.webp_of_large_frames(9000), _never),
        ("HEIC, cut off", made.heic(noise(64, 48))[:900], _never),
        ("AVIF, cut off", saved(noise(64, 48), "AVIF")[:900], _never),
    ]


def pictures_tried() -> list[Tried]:
    """All of them."""
    return [
        *formats_tried(),
        *orientations_tried(),
        *depths_tried(),
        *bands_tried(),
        *refused_tried(),
    ]
