"""Measures of each primitive over all pictures of an atlas: the table `primitives`.

    use       mean of ρ_i over all pictures: the share of what is handed out
    reach     how many pictures sharing its use equally would have the same entropy, as a share of all: 1
              where it is used alike everywhere, near 0 where it lives in a few
    effect, effect_size   mean of the first-order effect on the winning class, and of its absolute value
    purity, purity_group  of the first exemplars by mean ρ, the share that lies in one folder, and in which;
              nothing where the pictures lie in one folder
    labels    winning classes in whose pictures it is used most, beside its mean use
    together, together_r  primitives of its block that are used in the same pictures, and how they correlate
    x, y      its place on the map of its block: the first two principal components of all primitives' use
    tile      its first four exemplars by mean ρ as one small picture, for whoever shows all at once
    twin, stability       that of a second atlas, of another seed, which it matches, and how they correlate

Pictures that are nearly the same as one before are left out of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from a2core.atlas.crops import tile_of
from a2core.atlas.parquet import arrow, parquet
from a2core.atlas.store import primitives_of, write_table
from a2core.errors import AtlasError

_LABELS = 3
_LEAST_OF_A_LABEL = 3  # pictures, for a class to be named
_TOGETHER = 5
_TILES = 4


def write_primitives(
    folder: Path, blocks: Mapping[str, int], classes: bool, second: Path | None = None
) -> None:
    """Measure all primitives of the tables in `folder` and write the table `primitives` beside them.

    Args:
        folder: holds photos, uses and exemplars.
        blocks: name to number of primitives.
        classes: whether the network has any.
        second: folder of an atlas of the same pictures by another seed, for their stability.

    Raises:
        AtlasError: the second atlas has other blocks, or no two pictures in common.
    """
    photos = parquet().ParquetFile(folder / "photos.parquet")
    counted = ~_column(photos, "same_as").is_valid().to_numpy()
    groups, group_names = _codes(_column(photos, "group"))
    labels, label_names = _codes(_first(photos)) if classes else (np.zeros(0, np.int64), [])
    rows = _of_each(folder, blocks, counted, labels[counted] if classes else labels, label_names)
    _add_shown(folder, rows, groups, group_names)
    _add_together(photos, blocks, counted, rows)
    if second is not None:
        _add_stability(folder, second, blocks, rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    write_table(
        folder / "primitives.parquet",
        {name: arrow().array([row.get(name) for row in rows], _type_of(name)) for name in names},
    )


def _type_of(name: str) -> Any:
    pa = arrow()
    kinds = {
        "primitive": pa.uint16(),
        "twin": pa.uint16(),
        "labels": pa.list_(pa.string()),
        "tile": pa.binary(),
        "together": pa.list_(pa.uint16()),
        "together_r": pa.list_(pa.float32()),
    }
    return pa.string() if name in ("block", "purity_group") else kinds.get(name, pa.float32())


def _of_each(
    folder: Path, blocks: Mapping[str, int], counted: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> list[dict[str, Any]]:
    """A row for each primitive: what hangs on its own uses alone."""
    file = parquet().ParquetFile(folder / "uses.parquet")
    of_label = np.bincount(labels, minlength=len(names)) if len(names) else np.zeros(0)
    rows = []
    for (block, primitive), uses in zip(
        primitives_of(blocks), _by_primitive(file, len(counted)), strict=True
    ):
        mean, effect = (uses[name].to_numpy()[counted].astype(np.float64) for name in ("mean", "effect"))
        share = mean / max(mean.sum(), 1e-300)
        entropy = -np.sum(share * np.log(np.maximum(share, 1e-300)))
        row = {
            "block": block,
            "primitive": primitive,
            "use": mean.mean(),
            "reach": np.exp(entropy) / len(mean),
            "peak": float(uses["peak"].to_numpy()[counted].max()),
        }
        if len(names):
            row |= {"effect": effect.mean(), "effect_size": np.abs(effect).mean()}
            lift = np.bincount(labels, mean, len(names)) / np.maximum(of_label, 1) / max(mean.mean(), 1e-300)
            lift[of_label < min(_LEAST_OF_A_LABEL, of_label.max())] = 0
            best = np.argsort(-lift, kind="stable")[:_LABELS]
            row["labels"] = [names[index] for index in best if lift[index] > 1]
        rows.append(row)
    return rows


def _by_primitive(file: Any, photos: int) -> Iterator[Any]:
    """The uses of one primitive after the other, each read by itself."""
    each = file.num_row_groups * photos // max(file.metadata.num_rows, 1)
    for at in range(0, file.num_row_groups, each):
        yield file.read_row_groups(range(at, at + each), ["mean", "peak", "effect"])


def _add_shown(folder: Path, rows: list[dict[str, Any]], groups: np.ndarray, names: Sequence[str]) -> None:
    """What the exemplars by mean say: a tile, and purity where pictures lie in several folders."""
    file = parquet().ParquetFile(folder / "exemplars.parquet")
    for index, row in enumerate(rows):
        shown = file.read_row_group(index, ["order", "photo", "crop"])
        by_mean = np.flatnonzero(np.array(shown["order"].to_pylist()) == "mean")
        row["tile"] = tile_of([crop for crop in shown["crop"].take(by_mean[:_TILES]).to_pylist() if crop])
        if sum(bool(name) for name in names) < 2:
            continue
        counts = np.bincount(groups[shown["photo"].to_numpy()[by_mean]], minlength=len(names))
        best = int(counts.argmax())
        row |= {"purity": counts[best] / counts.sum(), "purity_group": names[best]}


def _add_together(
    photos: Any, blocks: Mapping[str, int], counted: np.ndarray, rows: list[dict[str, Any]]
) -> None:
    """Correlations of use within each block, and the map that they make."""
    count = sum(blocks.values())
    total, products, at = np.zeros(count), np.zeros((count, count)), 0
    for code in codes(photos):
        here = code[counted[at : at + len(code)]].astype(np.float64)
        at += len(code)
        total += here.sum(axis=0)
        products += here.T @ here
    many = max(int(counted.sum()), 1)
    covariance = products / many - np.outer(total, total) / many**2
    deviation = np.sqrt(np.maximum(covariance.diagonal(), 1e-24))
    r = covariance / np.outer(deviation, deviation)
    start = 0
    for size in blocks.values():
        within = r[start : start + size, start : start + size]
        where = _map_of(within)
        apart = within - 2 * np.eye(size)
        for i in range(size):
            best = np.argsort(-apart[i], kind="stable")[: min(_TOGETHER, size - 1)]
            rows[start + i] |= {
                "together": best.tolist(),
                "together_r": apart[i][best].tolist(),
                "x": where[i, 0],
                "y": where[i, 1],
            }
        start += size


def _map_of(r: np.ndarray) -> np.ndarray:
    """(n, 2): the first two principal components of correlations (n, n), their largest entries positive."""
    values, vectors = np.linalg.eigh(r)
    where = np.zeros((len(r), 2))
    for axis in range(min(2, len(r))):
        along = vectors[:, -1 - axis] * np.sqrt(max(values[-1 - axis], 0))
        where[:, axis] = along * np.sign(along[np.abs(along).argmax()] or 1)
    return where


def _add_stability(folder: Path, second: Path, blocks: Mapping[str, int], rows: list[dict[str, Any]]) -> None:
    from scipy.optimize import linear_sum_assignment

    files = [parquet().ParquetFile(path / "photos.parquet") for path in (folder, second)]
    keys = [_numbers(file) for file in files]
    common = [key for key in keys[0] if key in keys[1]]
    if len(common) < 3:
        raise AtlasError(f"{second.name} is of other pictures. Build both atlases over the same ones.")
    ours, theirs = (
        np.concatenate(list(codes(file)))[[of[key] for key in common]].astype(np.float64)
        for file, of in zip(files, keys, strict=True)
    )
    if ours.shape != theirs.shape:
        raise AtlasError(f"{second.name} has other blocks. Build it with a checkpoint of the same shape.")
    start = 0
    for size in blocks.values():
        here = slice(start, start + size)
        a, b = (_standardised(code[:, here]) for code in (ours, theirs))
        r = a.T @ b / len(a)
        for i, twin in zip(*linear_sum_assignment(-r), strict=True):
            rows[start + i] |= {"twin": int(twin), "stability": r[i, twin]}
        start += size


def _numbers(photos: Any) -> dict[tuple[str, int], int]:
    """(id, frame) to the number of the first such picture."""
    found: dict[tuple[str, int], int] = {}
    for at, key in enumerate(
        zip(*(_column(photos, name).to_pylist() for name in ("id", "frame")), strict=True)
    ):
        found.setdefault(key, at)
    return found


def _standardised(code: np.ndarray) -> np.ndarray:
    return (code - code.mean(axis=0)) / np.maximum(code.std(axis=0), 1e-12)


def codes(photos: Any) -> Iterator[np.ndarray]:
    """Codes (k, P) float32 of all pictures, a row group at a time."""
    for group in range(photos.num_row_groups):
        column = photos.read_row_group(group, ["mean"])["mean"].combine_chunks()
        yield column.flatten().to_numpy().reshape(len(column), -1)


def _column(file: Any, name: str) -> Any:
    return file.read([name])[name]


def _first(photos: Any) -> Any:
    """The winning class of each picture."""
    import pyarrow.compute as pc

    return pc.list_element(_column(photos, "top"), 0)


def _codes(column: Any) -> tuple[np.ndarray, list[str]]:
    """Texts as numbers, and what they stand for, in the order of the alphabet."""
    texts = column.to_pylist()
    names = sorted(set(texts))
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[text] for text in texts], np.int64), names
