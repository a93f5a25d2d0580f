"""Atlases made small enough to be passed on with a checkpoint, of pictures that may be.

    OUT/pictures.parquet     a row a picture: small, whose it is, under which licence, where it was found
    OUT/NAME/                an atlas each, of one network: of a picture its code alone, and fewer exemplars

Several atlases of the same pictures share these. Crops are cut out of the small pictures when they are looked
at; what a picture did to each primitive is left out, but for its mean.
"""

from __future__ import annotations

import csv
import html
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from a2core.atlas.crops import CROP_PX, crops_of, tile_of, webp
from a2core.atlas.names import FILE, written_names
from a2core.atlas.parquet import arrow, parquet
from a2core.atlas.parts import sha256_of
from a2core.atlas.read import Atlas
from a2core.atlas.sources import LARGEST_SIDE_PX, SMALL_PX
from a2core.atlas.store import PHOTOS_OF_A_GROUP, size_of
from a2core.checkpoints import write_atomically
from a2core.errors import AtlasError
from a2core.media import read_media

PICTURES = "pictures.parquet"
EXEMPLARS, SIDE_PX = 12, 160
_QUALITY, _EFFORT = 36, 6
_PICTURES_OF_A_GROUP = 32
_LEFT_OUT = ("peak", "mass", "effect", "cell", "peak_cell")  # of each picture and primitive
_OF_FEW_VALUES = ("block", "group", "licence", "source")
_TILES = 4


class Credit(NamedTuple):
    """Whose a picture is."""

    author: str
    licence: str
    link: str


def slim_atlases(
    atlases: Sequence[Atlas],
    out: Path,
    credits: Sequence[Path],
    *,
    exemplars: int = EXEMPLARS,
    side_px: int = SIDE_PX,
) -> int:
    """Write small versions of `atlases`, all of the same pictures, into `out`; how many bytes they take.

    Args:
        atlases: finished ones, whose pictures are still where they were.
        out: a folder; each atlas goes into one of its folder's name.
        credits: CSV files with the columns file (relative to the CSV), author, licence, and url or link.
            Every picture must be in one, with a licence.
        exemplars: of each order.
        side_px: long side of the small pictures; crops are three eighths of it.

    Raises:
        AtlasError: atlases of different pictures, a picture that is gone or that nobody gives a licence for,
            or credits that cannot be read.
        OSError: the folder cannot be written.
    """
    first = atlases[0]
    if any(
        (one.told["listing"], len(one)) != (first.told["listing"], len(first)) or one.slim for one in atlases
    ):
        raise AtlasError("Atlases that share their pictures must be built over the same ones, whole.")
    whose = read_credits(credits)
    out.mkdir(parents=True, exist_ok=True)
    smalls = _write_pictures(first, out / PICTURES, whose, side_px)
    crop_px = round(CROP_PX * side_px / SMALL_PX)
    for atlas in atlases:
        _write_atlas(atlas, out / atlas.folder.resolve().name, smalls, exemplars, crop_px)
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def read_credits(files: Sequence[Path]) -> dict[Path, Credit]:
    """Whose each picture is, by its absolute path.

    Raises:
        AtlasError: a file that cannot be read or lacks a column.
    """
    found: dict[Path, Credit] = {}
    for path in files:
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    link = row.get("url") or row.get("link") or ""
                    credit = Credit(_author(row["author"]), _licence(row["licence"]), link.strip())
                    found[(path.parent / row["file"]).resolve()] = credit
        except (OSError, ValueError, KeyError, AttributeError, csv.Error) as error:
            raise AtlasError(
                f"{path.name} cannot be read as credits ({error}). Give a CSV file with the columns file, "
                "author, licence and url."
            ) from error
    return found


def _author(text: str) -> str:
    """A name as it is written: lists of pictures hold some with HTML's entities, or bytes in octal digits."""
    said = re.sub(
        r"(?:\\[0-3][0-7]{2})+",
        lambda octal: bytes(int(code, 8) for code in octal[0].split("\\")[1:]).decode("utf-8", "replace"),
        html.unescape(text),
    )
    return " ".join(said.split())


def _licence(text: str) -> str:
    """A licence by its name: Creative Commons' addresses are spelled out, remarks in brackets left out."""
    text = re.sub(r"\s*\(.*\)$", "", text.strip())
    address = re.fullmatch(r"https?://creativecommons\.org/licenses/([a-z-]+)/([0-9.]+)/?.*", text)
    return f"CC {address[1].upper()} {address[2]}" if address else text


def _write_pictures(atlas: Atlas, path: Path, whose: dict[Path, Credit], side_px: int) -> list[bytes]:
    """The table of small pictures; they are returned too."""
    photos, smalls, rows = atlas.photos(range(len(atlas))), [], []
    for number, photo in photos.items():
        file = atlas.picture(number)
        credit = whose.get(file)
        if credit is None or not credit.licence:
            raise AtlasError(f"Nobody gives a licence for {photo.path}. Leave it out of the atlas.")
        frames = read_media(file, max_frames=atlas.told["frames"], max_side_px=LARGEST_SIDE_PX).frames
        picture = Image.fromarray(frames[photo.frame])
        picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        smalls.append(webp(picture, _QUALITY, _EFFORT))
        rows.append({"photo": number, "id": photo.id, "picture": smalls[-1], **credit._asdict()})
    pa = arrow()
    texts = [(name, pa.string()) for name in Credit._fields]
    schema = pa.schema([("photo", pa.uint32()), ("id", pa.string()), ("picture", pa.binary()), *texts])
    _write(path, pa.Table.from_pylist(rows, schema), _PICTURES_OF_A_GROUP)
    return smalls


def _write_atlas(atlas: Atlas, out: Path, smalls: Sequence[bytes], exemplars: int, crop_px: int) -> None:
    out.mkdir(exist_ok=True)
    (out / FILE).unlink(missing_ok=True)  # of the network that was there before
    if named := atlas.names.all():
        write_atomically(out / FILE, written_names(named))
    photos = parquet().read_table(atlas.folder / "photos.parquet").drop_columns(list(_LEFT_OUT))
    paths = shortest(photos["path"].to_pylist())
    at = photos.column_names.index("path")
    photos = photos.set_column(at, "path", arrow().array(paths))
    _write(out / "photos.parquet", photos, PHOTOS_OF_A_GROUP, split=["mean.list.element"])
    tables = [_fewer(atlas, index, exemplars) for index in range(sum(atlas.blocks.values()))]
    path, making = out / "exemplars.parquet", out / ".exemplars.parquet.tmp"
    # A row group each, as in every atlas; what they say of themselves would be as large as they are.
    with parquet().ParquetWriter(
        making, tables[0].schema, compression="zstd", write_statistics=False, use_dictionary=False
    ) as writer:
        for table in tables:
            writer.write_table(table)
    making.replace(path)
    measures = parquet().read_table(atlas.folder / "primitives.parquet")
    measures = measures.drop_columns([name for name in measures.column_names if name.startswith("tile")])
    tiles = arrow().array([_tile(table, smalls, crop_px) for table in tables], arrow().binary())
    _write(out / "primitives.parquet", measures.append_column("tile", tiles), 2**20)
    told = {name: value for name, value in atlas.told.items() if name not in ("parts", "skipped", "command")}
    told["sources"] = [{"name": source["name"], "kind": "passed on"} for source in told["sources"]]
    told["slim"] = {"pictures": f"../{PICTURES}", "crop_px": crop_px, "exemplars": exemplars}
    files = [out / f"{name}.parquet" for name in ("photos", "exemplars", "primitives")]
    told["parts"] = {path.name: {"sha256": sha256_of(path), "size_bytes": size_of(path)} for path in files}
    write_atomically(out / "atlas.json", (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())


def shortest(paths: Sequence[str]) -> list[str]:
    """Paths without the folders that all of them lie in: where they lay is nobody's business."""
    common: dict[str, str] = {}
    for rooted in (True, False):  # those of lists may begin at the root, those of folders begin in these
        some = [path for path in paths if Path(path).is_absolute() == rooted]
        above = os.path.commonpath([str(Path(path).parent) for path in some]) if some else ""
        common |= dict.fromkeys(some, above)
    return [os.path.relpath(path, common[path]) if common[path] else path for path in paths]


def _fewer(atlas: Atlas, index: int, count: int) -> Any:
    """The first exemplars of each order of one primitive, without crops; of counter-examples a quarter."""
    rows = parquet().ParquetFile(atlas.folder / "exemplars.parquet").read_row_group(index)
    names = rows["order"].to_pylist()
    most = {"idle": max(1, count // 4)}
    keep = [
        at
        for at, (name, rank) in enumerate(zip(names, rows["rank"].to_pylist(), strict=True))
        if rank < most.get(name, count)
    ]
    rows = rows.take(keep)
    at = rows.column_names.index("crop")
    return rows.set_column(at, rows.field("crop"), arrow().nulls(len(rows), arrow().binary()))


def _tile(rows: Any, smalls: Sequence[bytes], crop_px: int) -> bytes:
    """The tile of one primitive, by its exemplars by mean ρ."""
    shown = [row for row in rows.to_pylist() if row["order"] == "mean"][:_TILES]
    places = [((row["col"] + 0.5) / row["cols"], (row["row"] + 0.5) / row["rows"]) for row in shown]
    return tile_of(
        [
            crops_of(smalls[row["photo"]], [place], crop_px)[0]
            for row, place in zip(shown, places, strict=True)
        ]
    )


def _write(path: Path, table: Any, group: int, split: Sequence[str] = ()) -> None:
    """A table, whole or not there; columns of floats, `split` into their bytes, compress to half."""
    making = path.with_name(f".{path.name}.tmp")
    parquet().write_table(
        table,
        making,
        compression="zstd",
        compression_level=15,
        row_group_size=group,
        use_byte_stream_split=list(split) or False,
        use_dictionary=[name for name in table.column_names if name in _OF_FEW_VALUES],
    )
    making.replace(path)
