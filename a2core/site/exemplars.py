"""Exemplars of each primitive out of an atlas that may be passed on, in small files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from a2core.atlas.answers import Exemplar, Photo
from a2core.atlas.read import Atlas
from a2core.checkpoints import checkpoint_folder
from a2core.errors import A2Error
from a2core.tracing.model import Model

FOLDER = "exemplars"
EACH = 8  # exemplars of a primitive, as on Explore
OF_A_FILE = 8  # primitives, some 40 kB
_ORDER = "peak"  # handed out most at one place, as on Explore
_BESIDE = ("*/atlas.json", "*/*/atlas.json")


@dataclass(frozen=True)
class Exemplars:
    """What the site shows of an atlas.

    Attributes:
        photos: how many pictures it holds.
        files: by block the contents of its files, each of `OF_A_FILE` primitives in their order.
        names: by block, what primitives are called by somebody, "" for nothing.
        credits: whose the pictures on the site are.
    """

    photos: int
    files: Mapping[str, list[list[list[dict[str, Any]]]]]
    names: Mapping[str, list[str]]
    credits: list[dict[str, str]]


def atlas_beside(model: Model) -> Atlas | None:
    """The first atlas beside the checkpoints that was built with the network of `model` and may be passed on.

    Raises:
        A2Error: one of those is damaged, or what reads it is not installed.
    """
    folder = checkpoint_folder()
    found = [path.parent for glob in _BESIDE for path in sorted(folder.glob(glob))]
    atlases = (Atlas(path) for path in found)
    return next((atlas for atlas in atlases if atlas.slim and not atlas.fits(model)), None)


def exemplars_of(atlas: Atlas, model: Model) -> Exemplars:
    """The exemplars of all primitives of `model`.

    Raises:
        A2Error: the atlas is of another network, or of pictures that nobody gave a licence for.
    """
    if why := atlas.fits(model):
        raise A2Error(why)
    if not atlas.slim:
        raise A2Error(
            f"The atlas {atlas.folder.name} does not say whose its pictures are. Make one to pass on: "
            "python -m a2core atlas slim."
        )
    files: dict[str, list[list[list[dict[str, Any]]]]] = {}
    names: dict[str, list[str]] = {}
    shown: dict[int, Photo] = {}
    for block, n in atlas.blocks.items():
        names[block] = [row["name"] for row in atlas.primitives(block)]
        found = [atlas.exemplars(block, primitive, _ORDER, EACH) for primitive in range(n)]
        photos = atlas.photos(one.photo for some in found for one in some)
        shown |= photos
        told = [[_told(one, photos[one.photo]) for one in some] for some in found]
        files[block] = [told[start : start + OF_A_FILE] for start in range(0, n, OF_A_FILE)]
    credits = {tuple(_whose(photo).items()): _whose(photo) for photo in shown.values()}
    ordered = sorted(credits.values(), key=lambda whose: (not whose["author"], whose["author"].casefold()))
    return Exemplars(len(atlas), files, names, ordered)


def _told(one: Exemplar, photo: Photo) -> dict[str, Any]:
    crop = base64.b64encode(one.crop).decode()
    return {"crop": crop, "value": float(f"{one.value:.4g}"), "path": photo.shown_path, **_whose(photo)}


def _whose(photo: Photo) -> dict[str, str]:
    return {
        "author": photo.author,
        "link": photo.web_link,
        "licence": photo.licence,
        "terms": photo.licence_link,
    }
