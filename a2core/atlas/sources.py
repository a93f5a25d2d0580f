"""Where the pictures of an atlas come from: folders, lists, webdataset tars, Parquet tables.

Everything that is to be looked at is listed first, in an order that is the same each time; each entry can
then be read by itself, by any process.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from a2core.atlas.parquet import parquet
from a2core.errors import A2Error, AtlasError
from a2core.media import read_media
from a2core.media.folders import CLIPS, PICTURES, files_below
from a2core.networks.spec import InputSpec
from a2core.tracing.model_input import input_shape, resize_frames

LARGEST_SIDE_PX = 1344  # of what is decoded, as in the app: large JPEGs are then read at a fraction
SMALL_PX = 256  # long side of the small picture that exemplars are cut from
_COLUMNS = ("image", "picture", "img", "bytes", "path", "file", "file_name", "filepath", "jpg")
_ANY = PICTURES | CLIPS

Kind = Literal["folder", "list", "tar", "parquet"]


@dataclass(frozen=True)
class Source:
    """One of the places that were given.

    Attributes:
        name: what it is called in the atlas: as it was given, or of an absolute path its last part.
        kind, place: what it is and where; `place` is not stored.
        column: of a Parquet table, the one that holds paths or bytes.
    """

    name: str
    kind: Kind
    place: Path
    column: str = ""


class Item(NamedTuple):
    """One picture or clip, by its source's index and its path in there."""

    source: int
    path: str
    group: str  # the folder in which it lies, next below its source: its class, where folders are classes
    at: tuple[int, int] = (0, 0)  # tar: offset and size in bytes; Parquet: row group and row


class Picture(NamedTuple):
    """One picture, or frame of a clip, as the network takes it."""

    id: str  # sha256 of the file's bytes
    frame: int  # of a clip, counted from 0 among those that were taken
    time_s: float
    width_px: int
    height_px: int
    pixels: np.ndarray  # (Hm, Wm, 3) uint8, the model input
    small: np.ndarray  # (h, w, 3) uint8, long side SMALL_PX


class Listing(NamedTuple):
    """What was found."""

    sources: list[Source]
    items: list[Item]
    skipped: list[tuple[str, str]]  # (path, why)

    def digest(self) -> str:
        """64 hexadecimal digits that stand for what is listed, in its order."""
        whole = hashlib.sha256()
        for item in self.items:
            whole.update(f"{item.source}\0{item.path}\0{item.at}\n".encode(errors="surrogateescape"))
        return whole.hexdigest()


def find_items(given: Sequence[str], column: str = "") -> Listing:
    """Everything in the places `given` that may be a picture or clip, sorted within each.

    Args:
        given: folders, which are searched whole; text files of one path a line, relative to the file; .tar
            files (webdataset); .parquet files.
        column: of the Parquet files; found by its name where it is left out.

    Raises:
        AtlasError: a place that is none of these or cannot be read, or no picture at all.
    """
    listing = Listing([], [], [])
    for text in given:
        place = Path(text)
        name = (place.name or text) if place.is_absolute() else text
        same = sum(one.name.partition(" #")[0] == name for one in listing.sources)
        source = Source(f"{name} #{same + 1}" if same else name, _kind_of(place), place.absolute())
        find = {"folder": _in_folder, "list": _in_list, "tar": _in_tar, "parquet": _in_parquet}[source.kind]
        try:
            if source.kind == "parquet":
                source = replace(source, column=column or _column_of(source.place))
            found = sorted(find(source, len(listing.sources), listing.skipped))
        except (OSError, tarfile.TarError, ValueError) as error:
            raise AtlasError(
                f"{source.name} cannot be read ({error}). Allow it, mend it, or leave it out."
            ) from error
        listing.sources.append(source)
        listing.items.extend(found)
    if not listing.items:
        raise AtlasError(
            f"There is no picture in {', '.join(given)}. Give folders of pictures or clips, a text file of "
            "paths, .tar or .parquet files."
        )
    return listing


def _kind_of(place: Path) -> Kind:
    if place.is_dir():
        return "folder"
    if not place.is_file():
        raise AtlasError(f"{place} is neither a folder nor a file. Check how it is written.")
    kinds: dict[str, Kind] = {".tar": "tar", ".parquet": "parquet", ".txt": "list", ".lst": "list"}
    kind = kinds.get(place.suffix.lower())
    if kind is None:
        raise AtlasError(
            f"{place.name} is neither a folder nor a list. Give a folder, a .txt file of one path a line, a "
            ".tar (not compressed) or a .parquet file."
        )
    return kind


def _in_folder(source: Source, index: int, skipped: list[tuple[str, str]]) -> Iterator[Item]:
    def skip(folder: Path, error: OSError) -> None:
        path = stored_text(_relative(folder, source.place))
        skipped.append((path, f"cannot be looked into ({error.strerror})"))

    for path in files_below(source.place, _ANY, skip):
        yield _item(index, _relative(path, source.place))


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _item(index: int, path: str, at: tuple[int, int] = (0, 0)) -> Item:
    above = path.split("/")[:-1]
    return Item(index, path, above[0] if above and above[0] not in ("", "..") else "", at)


def _in_list(source: Source, index: int, skipped: list[tuple[str, str]]) -> Iterator[Item]:
    text = source.place.read_bytes().decode("utf-8", "surrogateescape")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    return (_item(index, line) for line in dict.fromkeys(filter(None, lines)))


def _in_tar(source: Source, index: int, skipped: list[tuple[str, str]]) -> Iterator[Item]:
    with tarfile.open(source.place, "r:") as tar:
        for member in tar:
            if member.isfile() and Path(member.name).suffix.lower() in _ANY:
                yield _item(index, member.name, (member.offset_data, member.size))


def _column_of(place: Path) -> str:
    names = parquet().ParquetFile(place).schema_arrow.names
    found = [name for name in _COLUMNS if name in names]
    if not found:
        raise AtlasError(
            f"{place.name} has the columns {', '.join(names[:8])}: none is called {', '.join(_COLUMNS[:4])}. "
            "Say which holds the pictures: --column NAME."
        )
    return found[0]


def _in_parquet(source: Source, index: int, skipped: list[tuple[str, str]]) -> Iterator[Item]:
    file = parquet().ParquetFile(source.place)
    if source.column not in file.schema_arrow.names:
        raise AtlasError(f"{source.name} has no column {source.column!r}. Choose another --column.")
    for group in range(file.num_row_groups):
        for row in range(file.metadata.row_group(group).num_rows):
            yield Item(index, f"{group:06d}/{row:08d}", "", (group, row))


class Reader:
    """Reads what was listed; one to a process.

    Args:
        sources: of the listing.
        takes: the pictures that the network takes.
        size: long side of the model input, in pixels.
        frames: at most so many of a clip.
    """

    def __init__(self, sources: Sequence[Source], takes: InputSpec, size: int, frames: int) -> None:
        self.sources, self.takes, self.size, self.frames = list(sources), takes, size, frames
        self._rows: tuple[tuple[int, int], Any] | None = None

    def read(self, item: Item) -> list[Picture]:
        """The picture; of a clip its frames.

        Raises:
            A2Error: it cannot be read, or is no picture.
        """
        content = self._content(item)
        try:
            if isinstance(content, Path):
                with content.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            else:
                digest = hashlib.sha256(content).hexdigest()
        except OSError as error:
            raise AtlasError(f"It cannot be read ({error.strerror}).") from error
        clip = read_media(
            content, name=Path(item.path).name, max_frames=self.frames, max_side_px=LARGEST_SIDE_PX
        )
        height, width = clip.frames.shape[1:3]
        pixels = resize_frames(
            clip.frames, input_shape(height, width, self.size, self.takes), self.takes.interpolation
        )
        scale = SMALL_PX / max(height, width)
        small = resize_frames(clip.frames, (max(1, round(height * scale)), max(1, round(width * scale))))
        return [
            Picture(digest, index, float(time), width, height, pixels[index], small[index])
            for index, time in enumerate(clip.times_s)
        ]

    def _content(self, item: Item) -> bytes | Path:
        source = self.sources[item.source]
        if source.kind == "folder":
            return source.place / item.path
        if source.kind == "list":
            return source.place.parent / item.path
        if source.kind == "tar":
            try:
                with source.place.open("rb") as file:
                    file.seek(item.at[0])
                    return file.read(item.at[1])
            except OSError as error:
                raise AtlasError(f"{source.name} cannot be read ({error.strerror}).") from error
        return self._cell(source, item)

    def _cell(self, source: Source, item: Item) -> bytes | Path:
        group, row = item.at
        if self._rows is None or self._rows[0] != (item.source, group):
            column = parquet().ParquetFile(source.place).read_row_group(group, [source.column])[source.column]
            self._rows = (item.source, group), column
        value = self._rows[1][row].as_py()
        if isinstance(value, dict):  # as the data sets of Hugging Face hold pictures
            value = value.get("bytes") or value.get("path")
        if isinstance(value, bytes):
            return value
        if isinstance(value, str) and value:
            return source.place.parent / value
        raise AtlasError("It holds neither bytes nor a path.")


def stored_text(path: str) -> str:
    """A path as text that can be written anywhere: bytes that are no UTF-8 are spelled out."""
    return path.encode("utf-8", "backslashreplace").decode()


def path_of_text(folder: Path, text: str) -> Path | None:
    """The file below `folder` whose path was stored as `text`; None where it is gone."""
    wild = re.sub(r"\\udc([89a-f][0-9a-f])", lambda code: chr(0xDC00 + int(code[1], 16)), text)
    for path in (folder / text, folder / wild):
        try:
            if path.is_file():
                return path
        except (OSError, ValueError):
            continue
    return None


def described(sources: Iterable[Source], out: Path) -> list[dict[str, str]]:
    """Sources as the atlas holds them: no absolute path; the way there from the atlas where it is short."""
    told = []
    for source in sources:
        entry = {"name": stored_text(source.name), "kind": source.kind}
        try:
            way = Path(os.path.relpath(source.place, out.absolute()))
        except ValueError:  # on another drive
            way = Path("..", "..", "..", "..")
        if way.parts[:4] != ("..",) * 4:
            entry["from_here"] = stored_text(way.as_posix())
        told.append(entry)
    return told


def fault_of(error: Exception) -> str:
    """What to say of an item that could not be read."""
    return stored_text(str(error) if isinstance(error, A2Error) else f"{type(error).__name__}: {error}")
