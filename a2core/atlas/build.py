"""An atlas from pictures: one pass in parts, which goes on where it was stopped, then the tables.

What is in the folder that is written:

    building/                 until it is done: settings.json and the parts, each whole or not there
    photos.parquet …          the tables (`store.py`), written when all parts are there
    atlas.json                written last: what there is, of which checkpoint, what was skipped and why
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from a2core.atlas.engine import Engine, Result
from a2core.atlas.look import Looker, weights_digest
from a2core.atlas.measure import write_primitives
from a2core.atlas.on_ray import RayEngine, ray_library
from a2core.atlas.parquet import parquet
from a2core.atlas.parts import Parts, sha256_of
from a2core.atlas.ranks import EXEMPLARS
from a2core.atlas.read import Atlas
from a2core.atlas.sources import Listing, Reader, described, find_items, stored_text
from a2core.atlas.store import FORMAT, TABLES, size_of, write_exemplars, write_photos, write_uses
from a2core.checkpoints import write_atomically
from a2core.errors import AtlasError
from a2core.load import load_model
from a2core.threads import usable_cores
from a2core.tracing.engine import TORCH, pick_engine
from a2core.tracing.model import Model
from a2core.tracing.model_input import input_shape

PART_ITEMS = 256
MOST_TOLD = 1000  # of what was skipped, by name
_WORDS = {
    "sha256": "the checkpoint has changed since",
    "size_px": "another --size",
    "frames": "another --frames",
    "exemplars": "another --exemplars",
    "pictures": "pictures kept or not",
    "listing": "the pictures are not the same any more",
    "format": "another version of a2core",
    "part_items": "parts of another size",
}


@dataclass(frozen=True)
class Built:
    """What came of a build.

    Attributes:
        photos, alike, skipped: pictures, of which so many are nearly the same as one before, and files that
            could not be read.
        new: pictures that were looked at in this run.
        reading_s, looking_s: processor seconds of this run, of all processes.
    """

    photos: int
    alike: int
    skipped: int
    new: int
    reading_s: float
    looking_s: float


def build_atlas(
    given: Sequence[str],
    out: Path,
    *,
    checkpoint: str = "a2-lite0",
    size: int = 448,
    device: str = "auto",
    workers: int | None = None,
    pictures: bool = True,
    frames: int = 16,
    exemplars: int = EXEMPLARS,
    column: str = "",
    engine: Literal["local", "ray"] = "local",
    ray_address: str = "",
    ray_gpus: float = 0.0,
    command: str = "",
    part_items: int = PART_ITEMS,
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Build the atlas of the pictures in `given`, or go on with one that was begun; see `sources.find_items`.

    Args:
        given: folders, lists, tars, Parquet files.
        out: the atlas's folder, new, empty, or one that was begun with the same arguments.
        checkpoint: as `load_model` takes it.
        size: long side of the model input, in pixels, as of `Model.trace`.
        device: as `load_model` takes it.
        workers: processes; by default one for each core, 0 works in this one. The tables are the same.
        pictures: whether exemplars are cut out and kept.
        frames: at most so many of a clip.
        exemplars: of each order.
        column: of Parquet files.
        engine: "local", or "ray": actors of Ray; the tables are the same.
        ray_address: of a cluster; "" starts Ray on this machine.
        ray_gpus: of each actor of Ray, a fraction or more.
        command: what is written down as the command.
        part_items: files in a part.
        progress: called with (files done, files in all) after each part.

    Raises:
        AtlasError: no pictures, none that can be read, a folder that holds something else or cannot be
            written, or another checkpoint, size or set of pictures than it was begun with.
        A2Error: as `load_model`.
    """
    parquet()
    if engine == "ray":
        ray_library()
    if not 1 <= exemplars <= 1024:
        raise AtlasError(f"{exemplars} exemplars were asked for: ask for 1 to 1024.")
    listing = find_items(given, column)
    model = load_model(checkpoint, device)
    looker = Looker(model, _begun_by(out) or pick_engine())
    blocks = looker.find_blocks(np.zeros((*input_shape(size, size, size, model.input), 3), np.uint8))
    settings = {
        "format": FORMAT,
        "sha256": weights_digest(model),
        "size_px": size,
        "frames": frames,
        "exemplars": exemplars,
        "pictures": pictures,
        "listing": listing.digest(),
        "part_items": part_items,
        "network_by": looker.engine,
    }
    workers = usable_cores() if workers is None else workers
    with _writing(out):
        done = _prepare(out, settings)
        if done is not None:
            return Built(done["photos"], done["alike"], done["skipped_count"], 0, 0.0, 0.0)
        parts = Parts(out / "building", sum(blocks.values()), exemplars)
        parts.resume()
        before = parts.count
        reader = Reader(listing.sources, model.input, size, frames)
        chosen = Engine(checkpoint, looker, reader, pictures, workers)
        if engine == "ray":
            chosen = RayEngine(
                checkpoint, looker, reader, pictures, workers, address=ray_address, gpus=ray_gpus
            )
        _look_at_all(listing, parts, chosen, part_items, progress)
        told = _told(out, settings, listing, parts, model, blocks) | {"command": stored_text(command)}
        _write_tables(parts, out, told, blocks, model.labels, workers)
    new = parts.count - before
    return Built(parts.count, told["alike"], told["skipped_count"], new, chosen.reading_s, chosen.looking_s)


def _told(
    out: Path,
    settings: dict[str, Any],
    listing: Listing,
    parts: Parts,
    model: Model,
    blocks: dict[str, int],
) -> dict[str, Any]:
    """What `atlas.json` tells.

    Raises:
        AtlasError: no picture could be read.
    """
    skipped = [list(entry) for entry in listing.skipped] + parts.skipped
    if not parts.count:
        shutil.rmtree(out / "building")
        (path, why), many = skipped[0], len(listing.items)
        raise AtlasError(f"None of {many} files could be read as a picture. The first, {path}: {why}")
    return {
        "format": FORMAT,
        "is": "an atlas of a2core",
        "checkpoint": {"name": model.name, "sha256": settings["sha256"], "trained": model.trained},
        **{name: value for name, value in settings.items() if name not in ("format", "sha256")},
        "classes": bool(model.labels) and not model.answers_with,
        "blocks": [{"name": name, "primitives": count} for name, count in blocks.items()],
        "photos": parts.count,
        "alike": int((parts.over("same_as") >= 0).sum()),
        "sources": described(listing.sources, out),
        "skipped_count": len(skipped),
        "skipped": skipped[:MOST_TOLD],
    }


def _look_at_all(
    listing: Listing,
    parts: Parts,
    engine: Engine,
    part_items: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    done, total = parts.items, len(listing.items)
    results: Iterator[Result] = engine.run(listing.items[done:])
    while done < total:
        if progress is not None:
            progress(done, total)
        items = listing.items[done : done + part_items]
        parts.add(items, list(islice(results, len(items))))
        done += len(items)
    if progress is not None:
        progress(done, total)


def _prepare(out: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """Make the folder ready; what its atlas.json tells where it is done already."""
    done, begun = out / "atlas.json", out / "building" / "settings.json"
    if done.is_file():
        told: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        _same({**told, "sha256": told.get("checkpoint", {}).get("sha256")}, settings, out)
        shutil.rmtree(out / "building", ignore_errors=True)  # killed after its last step but one
        return told
    if begun.is_file():
        _same(json.loads(begun.read_text(encoding="utf-8")), settings, out)
        return None
    if out.is_dir() and any(
        path.name != "building" and not path.name.startswith(".") for path in out.iterdir()
    ):
        raise AtlasError(f"{out} holds other files. Choose a new folder as --out.")
    write_atomically(begun, json.dumps(settings, indent=1).encode())
    return None


def _begun_by(out: Path) -> str:
    """What ran the network for the parts that are there; "" where none are: all parts are of one engine."""
    try:
        begun = json.loads((out / "building" / "settings.json").read_text(encoding="utf-8"))
        return str(begun.get("network_by", TORCH))
    except (OSError, ValueError):
        return ""


def _same(before: dict[str, Any], now: dict[str, Any], out: Path) -> None:
    other = [words for name, words in _WORDS.items() if before.get(name) != now[name]]
    if other:
        raise AtlasError(
            f"{out} was begun with something else: {', '.join(other)}. Choose another --out, or take it away "
            "to build it anew."
        )


def _write_tables(
    parts: Parts,
    out: Path,
    told: dict[str, Any],
    blocks: dict[str, int],
    labels: Sequence[str],
    workers: int,
) -> None:
    """The tables, then what tells of them, then the parts are taken away."""
    making = out / "building" / ".tables"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    names = [source["name"] for source in told["sources"]]
    write_photos(parts, making / "photos.parquet", names, labels)
    write_uses(parts, making / "uses.parquet", blocks)
    write_exemplars(
        parts,
        making / "exemplars.parquet",
        blocks,
        count=told["exemplars"],
        effects=told["classes"],
        workers=workers,
    )
    write_primitives(making, blocks, told["classes"])
    for table in TABLES:
        (making / f"{table}.parquet").replace(out / f"{table}.parquet")
    write_told(out, told)
    shutil.rmtree(out / "building")


def measure_atlas(folder: Path, second: Path | None = None) -> None:
    """Measure the primitives of a finished atlas anew, with a `second` one of another seed for stability.

    Raises:
        AtlasError: no atlas, a second one that does not fit, or the folder cannot be written.
    """
    atlas = Atlas(folder)
    if second is not None:
        Atlas(second)
    with _writing(folder):
        write_primitives(folder, atlas.blocks, atlas.told["classes"], second)
        write_told(folder, dict(atlas.told))


def write_told(out: Path, told: dict[str, Any]) -> None:
    """`atlas.json`, with the sha256 of each table as it is now."""
    files = [out / f"{table}.parquet" for table in TABLES]
    told["parts"] = {path.name: {"sha256": sha256_of(path), "size_bytes": size_of(path)} for path in files}
    write_atomically(out / "atlas.json", (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """While open, the atlas's folder is written.

    Raises:
        AtlasError: the disk or the folder does not let it.
    """
    try:
        yield
    except OSError as error:
        raise AtlasError(
            f"{out} cannot be written ({error.strerror or error}). Make room or choose another --out; what "
            "is whole is kept, and the same command goes on from there."
        ) from error
