"""The tables of an atlas: Parquet files that anybody's tools open.

    photos      a row a picture; its code, `mean`, and whatever else is kept of its primitives as lists
    uses        a row a picture and primitive, sorted by block and primitive: one primitive is one row group
    exemplars   a row an exemplar, sorted likewise, with its crop
    primitives  a row a primitive: its measures (`measure.py`)

Numbers that were kept in 16 bits are written as float32, which every tool reads; compressed they take little
more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from a2core.atlas.crops import centre, crops_of
from a2core.atlas.look import USE
from a2core.atlas.parquet import arrow, parquet
from a2core.atlas.parts import Part, Parts
from a2core.atlas.ranks import IDLE, ORDERS, exemplars_of

FORMAT = 1
TABLES = ("photos", "uses", "exemplars", "primitives")
PHOTOS_OF_A_GROUP = 512
USES_OF_A_GROUP = 2**20
OF_HANDING = ("peak", IDLE)  # orders whose exemplars are shown where they were handed out, not gathered
_PLAIN = ("frame", "time_s", "width_px", "height_px")
_FLOATS = ("mean", "peak", "mass", "effect")


def write_photos(parts: Parts, path: Path, sources: Sequence[str], labels: Sequence[str]) -> None:
    """The table of pictures."""
    pa = arrow()
    with _writer(path, _photo_schema(pa, parts.primitives), _FLOATS, lists=True) as writer:
        for some in _together(parts.parts):
            told = [photo for part in some for photo in part.told()["photos"]]
            arrays = {
                name: np.concatenate([part.array(name) for part in some])
                for name in (
                    "id",
                    "frame",
                    "time_s",
                    "width_px",
                    "height_px",
                    "same_as",
                    "grids",
                    "top",
                    "shares",
                )
            }
            uses = np.concatenate([np.asarray(part.uses).T for part in some])
            columns: dict[str, Any] = {
                "photo": np.arange(some[0].first, some[0].first + len(told), dtype=np.uint32),
                "id": [digest.decode() for digest in arrays["id"].tolist()],
                "source": [sources[index] for index, _, _ in told],
                "path": [path for _, path, _ in told],
                "group": [group for _, _, group in told],
                **{name: arrays[name] for name in _PLAIN},
                "same_as": pa.array(arrays["same_as"], mask=arrays["same_as"] < 0),
                "grids": arrays["grids"].reshape(len(told), -1).tolist(),
                "top": [[labels[index] for index in row] for row in arrays["top"].tolist()],
                "shares": arrays["shares"].tolist(),
                **{name: _as_lists(uses[name]) for name in USE.names or ()},
            }
            writer.write_table(pa.table(columns, schema=writer.schema), row_group_size=PHOTOS_OF_A_GROUP)


def write_uses(parts: Parts, path: Path, blocks: Mapping[str, int]) -> None:
    """The table of uses: each primitive a row group, or as many as it takes by a million rows."""
    pa = arrow()
    photo = np.arange(parts.count, dtype=np.uint32)
    with _writer(path, _use_schema(pa), _FLOATS) as writer:
        for index, (block, primitive) in enumerate(primitives_of(blocks)):
            uses = parts.column(index)
            columns = {
                "block": pa.array([block] * len(uses)).dictionary_encode(),
                "primitive": np.full(len(uses), primitive, np.uint16),
                "photo": photo,
                **{name: _wide(uses[name]) for name in USE.names or ()},
            }
            writer.write_table(pa.table(columns, schema=writer.schema), row_group_size=USES_OF_A_GROUP)


def write_exemplars(
    parts: Parts, path: Path, blocks: Mapping[str, int], *, count: int, effects: bool, workers: int
) -> None:
    """The table of exemplars, with crops of those pictures that are kept small."""
    pa = arrow()
    slots = _slots(parts, blocks, count, effects)
    crops_path = path.with_suffix(".crops")
    try:
        where = _cut(parts, slots, crops_path, workers)
        with _writer(path, _exemplar_schema(pa), ()) as writer, crops_path.open("rb") as crops:
            for index, (block, primitive) in enumerate(primitives_of(blocks)):
                rows = slots[slots["primitive"] == index]
                places = where[slots["primitive"] == index]
                columns = {
                    "block": pa.array([block] * len(rows)).dictionary_encode(),
                    "primitive": np.full(len(rows), primitive, np.uint16),
                    "order": [(*ORDERS, IDLE)[order] for order in rows["order"].tolist()],
                    **{name: rows[name] for name in ("rank", "photo", "value", "row", "col", "rows", "cols")},
                    "crop": [_bytes_at(crops, *place) for place in places.tolist()],
                }
                writer.write_table(pa.table(columns, schema=writer.schema), row_group_size=2**20)
    finally:
        crops_path.unlink(missing_ok=True)


def primitives_of(blocks: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """(block, primitive) of all, in the order in which they are numbered throughout."""
    return ((block, primitive) for block, count in blocks.items() for primitive in range(count))


def write_table(path: Path, columns: Mapping[str, Any]) -> None:
    """A small table, whole or not at all."""
    making = path.with_name(f".{path.name}.tmp")
    parquet().write_table(arrow().table(dict(columns)), making, compression="zstd")
    making.replace(path)


_SLOT = np.dtype(
    [
        *(("primitive", np.int64), ("order", np.int8), ("rank", np.uint16), ("photo", np.uint32)),
        *(("value", np.float32), ("cell", np.int64)),
        *((name, np.uint16) for name in ("row", "col", "rows", "cols")),
    ]
)


def _slots(parts: Parts, blocks: Mapping[str, int], count: int, effects: bool) -> np.ndarray:
    """(S,): every exemplar of every primitive, in the order of the table."""
    counted = np.flatnonzero(parts.over("same_as") < 0)
    ids, grids = parts.over("id")[counted], parts.over("grids")
    block_of = np.repeat(np.arange(len(blocks)), list(blocks.values()))
    found = []
    for index in range(parts.primitives):
        uses = parts.column(index)[counted]
        for order, chosen in exemplars_of(uses, ids, count, effects).items():
            rows = np.zeros(len(chosen), _SLOT)
            photos = counted[chosen]
            rows["primitive"], rows["order"] = index, (*ORDERS, IDLE).index(order)
            rows["rank"], rows["photo"] = np.arange(len(chosen)), photos
            rows["value"] = uses["effect" if order == IDLE else order][chosen]
            rows["cell"] = uses["peak_cell" if order in OF_HANDING else "cell"][chosen]
            rows["rows"], rows["cols"] = grids[photos, block_of[index]].T
            rows["row"], rows["col"] = rows["cell"] // rows["cols"], rows["cell"] % rows["cols"]
            found.append(rows)
    return np.concatenate(found)


def _cut(parts: Parts, slots: np.ndarray, path: Path, workers: int) -> np.ndarray:
    """(S, 2): offset and bytes of each slot's crop in the file `path`; 0 bytes where there is none.

    Picture by picture, so that each is decoded once.
    """
    where = np.zeros((len(slots), 2), np.int64)
    by_photo = np.argsort(slots["photo"], kind="stable")
    photos = slots["photo"][by_photo]
    with path.open("wb") as file, ThreadPoolExecutor(max(1, workers)) as pool:
        for part in parts.parts:
            lo, hi = np.searchsorted(photos, [part.first, part.first + part.count])
            if lo == hi:
                continue
            small = part.array("small")
            groups = np.split(by_photo[lo:hi], np.flatnonzero(np.diff(photos[lo:hi])) + 1)
            with (part.folder / "small.bin").open("rb") as pictures:
                jpegs = [
                    _bytes_at(pictures, *small[slots["photo"][g[0]] - part.first].tolist()) for g in groups
                ]
            places = [
                [centre(*map(int, slots[["cell", "rows", "cols"]][at])) for at in group] for group in groups
            ]
            for group, crops in zip(groups, pool.map(_crops, jpegs, places), strict=True):
                written: dict[bytes, int] = {}
                for at, crop in zip(group, crops, strict=True):
                    if crop and crop not in written:
                        written[crop] = file.tell()
                        file.write(crop)
                    where[at] = written.get(crop, 0), len(crop)
    return where


def _crops(jpeg: bytes | None, places: list[tuple[float, float]]) -> list[bytes]:
    return crops_of(jpeg, places) if jpeg else [b""] * len(places)


def _bytes_at(file: Any, at: int, size: int) -> bytes | None:
    if not size:
        return None
    file.seek(at)
    found: bytes = file.read(size)
    return found


def _together(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts that fill a row group or more."""
    some: list[Part] = []
    for part in (part for part in parts if part.count):
        some.append(part)
        if sum(one.count for one in some) >= PHOTOS_OF_A_GROUP:
            yield some
            some = []
    if some:
        yield some


def _wide(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def _as_lists(values: np.ndarray) -> Any:
    """(n, P) as n lists, without a Python object for each number."""
    flat = arrow().array(np.ascontiguousarray(_wide(values)).reshape(-1))
    return arrow().FixedSizeListArray.from_arrays(flat, values.shape[1])


def _writer(path: Path, schema: Any, split: Sequence[str], *, lists: bool = False) -> Any:
    """A Parquet writer; columns of floats, `split` into their bytes, compress to half."""
    names = [f"{name}.list.element" if lists else name for name in split]
    return parquet().ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_byte_stream_split=names or False,
        use_dictionary=[name for name in schema.names if name not in split and name != "photo"],
        write_page_index=False,
    )


def _photo_schema(pa: Any, primitives: int) -> Any:
    kinds = {"mean": pa.float32(), "peak": pa.float32(), "mass": pa.float32(), "effect": pa.float32()}
    kinds |= {"cell": pa.uint16(), "peak_cell": pa.uint16()}
    return pa.schema(
        [
            *(("photo", pa.uint32()), ("id", pa.string()), ("source", pa.string()), ("path", pa.string())),
            *(("group", pa.string()), ("frame", pa.uint16()), ("time_s", pa.float64())),
            *(("width_px", pa.uint32()), ("height_px", pa.uint32()), ("same_as", pa.int64())),
            *(("grids", pa.list_(pa.uint16())), ("top", pa.list_(pa.string()))),
            ("shares", pa.list_(pa.float32())),
            *((name, pa.list_(kind, primitives)) for name, kind in kinds.items()),
        ]
    )


def _use_schema(pa: Any) -> Any:
    return pa.schema(
        [
            ("block", pa.dictionary(pa.int32(), pa.string())),
            *(("primitive", pa.uint16()), ("photo", pa.uint32())),
            *((name, pa.float32()) for name in _FLOATS),
            *(("cell", pa.uint16()), ("peak_cell", pa.uint16())),
        ]
    )


def _exemplar_schema(pa: Any) -> Any:
    return pa.schema(
        [
            ("block", pa.dictionary(pa.int32(), pa.string())),
            *(("primitive", pa.uint16()), ("order", pa.string()), ("rank", pa.uint16())),
            *(("photo", pa.uint32()), ("value", pa.float32())),
            *((name, pa.uint16()) for name in ("row", "col", "rows", "cols")),
            ("crop", pa.binary()),
        ]
    )


def size_of(path: Path) -> int:
    """Bytes of a file."""
    return path.stat().st_size
