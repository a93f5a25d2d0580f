"""What an atlas answers with, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2core.atlas.crops import centre, window
from a2core.atlas.sources import SMALL_PX
from a2core.atlas.store import FORMAT, TABLES
from a2core.errors import AtlasError
from a2core.languages import sentence

_LARGEST_TOLD = 64 * 2**20
_CREDIT = "Photo by {author}, {licence}, cropped and made smaller."
_CREDIT_AND_LINK = "Photo by {author}, {licence}, cropped and made smaller. {link}"
_LICENCES = {
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY 2.0": "https://creativecommons.org/licenses/by/2.0/",
}
_PLACES_OF_PICTURES = ("pictures.parquet", "../pictures.parquet")  # of a slim atlas: nowhere else


@dataclass(frozen=True)
class Photo:
    """A picture, or a frame of a clip, of an atlas.

    Attributes:
        number: in the atlas, counted from 0.
        id: sha256 of its file.
        source, path: the place that it was found in, and where in there.
        group: the folder that it lies in, "" where in none.
        frame, time_s: of a clip.
        width_px, height_px: of the picture as it was read.
        same_as: the number of an earlier picture that it nearly is; None where there is none.
        top: the network's answer: classes and probabilities, best first.
        author, licence, link: whose it is, in an atlas that may be passed on; "" elsewhere.
    """

    number: int
    id: str
    source: str
    path: str
    group: str
    frame: int
    time_s: float
    width_px: int
    height_px: int
    same_as: int | None
    top: list[tuple[str, float]]
    author: str = ""
    licence: str = ""
    link: str = ""

    @property
    def shown_path(self) -> str:
        """Where it lay, for people; of a path from the root its last parts: the rest is the owner's."""
        path = self.path.replace("\\", "/")
        return "/".join(path.split("/")[-2:]) if path.startswith("/") or path[1:3] == ":/" else self.path

    @property
    def title(self) -> str:
        """What stands under a crop: who made the picture, where that is known; else its file."""
        return self.author or self.shown_path.rpartition("/")[2]

    @property
    def web_link(self) -> str:
        """Where it was found; "" for what is no address of the web, and might run when clicked."""
        return self.link if self.link.startswith(("http://", "https://")) else ""

    @property
    def licence_link(self) -> str:
        """Where its licence can be read; "" of one that is not known here."""
        return _LICENCES.get(self.licence, "")

    @property
    def credit(self) -> str:
        """Whose it is and under which licence, "" where nothing is known; that it was cut is said too."""
        if not self.licence:
            return ""
        author = self.author or "somebody unnamed"
        if not self.link:
            return sentence(_CREDIT, author=author, licence=self.licence)
        return sentence(_CREDIT_AND_LINK, author=author, licence=self.licence, link=self.link)


@dataclass(frozen=True)
class Exemplar:
    """A place in a picture where a primitive was gathered or handed out.

    Attributes:
        photo: the picture's number.
        order, rank, value: among which exemplars it stands where, and by what; of counter-examples ("idle")
            the effect.
        row, col: the cell, on a grid of `rows` by `cols`.
        crop: WebP of 96 × 96 pixels around it; b"" where none was kept.
    """

    photo: int
    order: str
    rank: int
    value: float
    row: int
    col: int
    rows: int
    cols: int
    crop: bytes

    @property
    def place(self) -> tuple[float, float]:
        """(x, y) of the cell's centre, as shares of the picture's sides."""
        return centre(self.row * self.cols + self.col, self.rows, self.cols)

    def place_in_crop(self, photo: Photo) -> tuple[float, float]:
        """The same in the crop, as shares of its sides; `photo` is the exemplar's."""
        scale = SMALL_PX / max(photo.width_px, photo.height_px)
        width, height = (max(1, round(side * scale)) for side in (photo.width_px, photo.height_px))
        x, y = self.place
        left, top, right, bottom = window(width, height, x, y)
        return (x * width - left) / (right - left), (y * height - top) / (bottom - top)


def read_told(folder: Path) -> Mapping[str, Any]:
    """The `atlas.json` of a finished atlas whose tables are all there.

    Raises:
        AtlasError: no atlas, one that is not finished or damaged, or one of another version.
    """
    path = folder / "atlas.json"
    if not path.is_file():
        if (folder / "building").is_dir():
            raise AtlasError(
                "The atlas {atlas} is not finished. Run the command that began it again: it goes on from "
                "where it stopped.",
                atlas=folder.name,
            )
        raise AtlasError(
            "There is no atlas in {folder}. Build one: python -m a2core atlas build PHOTOS --out ATLAS.",
            folder=folder,
        )
    try:
        if path.stat().st_size > _LARGEST_TOLD:
            raise ValueError("too large")
        told = json.loads(path.read_text(encoding="utf-8"))
        version = told["format"]
        if version == FORMAT:
            _ = [(block["name"], int(block["primitives"])) for block in told["blocks"]]
            if slim := told.get("slim"):
                _ = int(slim["crop_px"]), _PLACES_OF_PICTURES.index(slim["pictures"])
            _ = told["checkpoint"]["sha256"], told["checkpoint"]["name"], int(told["photos"]), told["sources"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtlasError(
            "The atlas.json of {atlas} is damaged ({why}). Restore it or build the atlas again.",
            atlas=folder.name,
            why=str(error),
        ) from error
    if version != FORMAT:
        raise AtlasError(
            "The atlas {atlas} is of version {version}; this one reads {known}. Update a2core, or "
            "build the atlas again.",
            atlas=folder.name,
            version=version,
            known=FORMAT,
        )
    needed = [f"{table}.parquet" for table in TABLES if not (told.get("slim") and table == "uses")]
    needed += [told["slim"]["pictures"]] if told.get("slim") else []
    gone = [name for name in needed if not (folder / name).is_file()]
    if gone:
        raise AtlasError(
            "The atlas {atlas} lacks {gone}. Copy all of it, or build it again.",
            atlas=folder.name,
            gone=", ".join(gone),
        )
    result: Mapping[str, Any] = told
    return result
