"""An atlas, opened: each question reads the rows that it needs and no more.

atlas = a2core.Atlas("my-atlas")
atlas.exemplars("blocks.4", 23, order="peak")
atlas.uses("holiday/beach.jpg")["blocks.4"]["mean"]
atlas.nearest("holiday/beach.jpg")
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from a2core.atlas.answers import Exemplar, Photo, read_told
from a2core.atlas.crops import crops_of
from a2core.atlas.names import LONGEST, Names
from a2core.atlas.parquet import parquet
from a2core.atlas.ranks import IDLE, ORDERS
from a2core.atlas.sources import path_of_text
from a2core.atlas.store import USES_OF_A_GROUP
from a2core.errors import AtlasError
from a2core.tracing.model import Model
from a2core.tracing.trace import Trace

_ABOUT = (
    "id",
    "source",
    "path",
    "group",
    "frame",
    "time_s",
    "width_px",
    "height_px",
    "same_as",
    "top",
    "shares",
)
_FEWEST_DIGITS = 8  # of an id, to stand for it


class Atlas:
    """An atlas in a folder, as `python -m a2core atlas build` writes it.

    Opening it reads `atlas.json`. Several threads may ask it; they read in turn.

    Attributes:
        folder: where it lies.
        told: all that `atlas.json` says.
        blocks: name to number of primitives, in network order.
        slim: of an atlas made small to be passed on (`slim.py`), what was left out; {} of any other.
        names: what primitives are called by somebody.

    Raises:
        AtlasError: no atlas, one that is not finished or damaged, or one of another version.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.told = read_told(self.folder)
        self.blocks: dict[str, int] = {block["name"]: block["primitives"] for block in self.told["blocks"]}
        self.slim: dict[str, Any] = self.told.get("slim") or {}
        self.names = Names(self.folder)
        self._files: dict[str, Any] = {}
        self._starts: dict[str, np.ndarray] = {}
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """How many pictures it holds, those that are nearly the same as others included."""
        return int(self.told["photos"])

    def fits(self, model: Model) -> str:
        """Why this atlas is not about `model`, in a sentence; "" where it is."""
        from a2core.atlas.look import weights_digest

        if weights_digest(model) == self.told["checkpoint"]["sha256"]:
            return ""
        return (
            f"This atlas was built with another checkpoint ({self.told['checkpoint']['name']}, or a state of "
            f"it before it changed) than {model.name}, so its primitives are not these. Build it anew."
        )

    def exemplars(
        self, block: str, primitive: int, order: str = "mean", count: int | None = None
    ) -> list[Exemplar]:
        """The pictures that say what a primitive is, best first.

        Args:
            block: name.
            primitive: counted from 0.
            order: "mean" (of ρ over the picture), "peak" (of ρ), "effect" (on the winning class), or "idle":
                counter-examples, a high peak without an effect.
            count: at most so many.

        Raises:
            AtlasError: no such block, primitive or order.
        """
        if order not in (*ORDERS, IDLE):
            raise AtlasError(f"There is no order {order!r}. Choose {', '.join((*ORDERS, IDLE))}.")
        group = self._number(block, primitive)
        rows = [row for row in self._rows("exemplars", [group]).to_pylist() if row["order"] == order]
        names = ("photo", "order", "rank", "value", "row", "col", "rows", "cols")
        found = [
            Exemplar(**{name: row[name] for name in names}, crop=row["crop"] or b"") for row in rows[:count]
        ]
        return [replace(one, crop=self._cut(one)) for one in found] if self.slim else found

    def primitive(self, block: str, primitive: int) -> dict[str, np.ndarray]:
        """Each picture's use of one primitive: mean, peak, mass, effect, cell, peak_cell, (photos,) each.

        A slim atlas has kept their means alone.

        Raises:
            AtlasError: no such block or primitive.
        """
        each = -(-len(self) // USES_OF_A_GROUP)
        number = self._number(block, primitive)
        if self.slim:
            return {"mean": self._means[:, number].copy()}
        names = ["mean", "peak", "mass", "effect", "cell", "peak_cell"]
        rows = self._rows("uses", range(number * each, (number + 1) * each), names)
        return {name: rows[name].to_numpy() for name in names}

    def uses(self, photo: int | str) -> dict[str, dict[str, np.ndarray]]:
        """By block, what each of its primitives did in one picture: mean, peak, …, (n,) each.

        A slim atlas has kept their means alone.

        Args:
            photo: number, path or id.

        Raises:
            AtlasError: no such picture.
        """
        names = ["mean"] if self.slim else ["mean", "peak", "mass", "effect", "cell", "peak_cell"]
        row = self._row(self.find(photo), names)
        found: dict[str, dict[str, np.ndarray]] = {}
        at = 0
        for block, count in self.blocks.items():
            found[block] = {name: row[name].values.to_numpy()[at : at + count] for name in names}
            at += count
        return found

    def photo(self, photo: int | str) -> Photo:
        """What there is to say of a picture.

        Raises:
            AtlasError: no such picture.
        """
        number = self.find(photo)
        return self.photos([number])[number]

    def photos(self, numbers: Iterable[int]) -> dict[int, Photo]:
        """What there is to say of several pictures, by their numbers; each row group is read once.

        Raises:
            AtlasError: no such picture.
        """
        wanted = sorted({self.find(int(number)) for number in numbers})
        credits = self._of_pictures(wanted, ["author", "licence", "link"]) if self.slim else {}
        found = {}
        for number, row in self._of_table("photos", wanted, list(_ABOUT)).items():
            top = list(zip(row.pop("top"), row.pop("shares"), strict=True))
            found[number] = Photo(number=number, top=top, **row, **credits.get(number, {}))
        return found

    def small(self, photo: int | str) -> bytes:
        """A small version of a picture, WebP, which a slim atlas keeps of each; b"" where there is none.

        Raises:
            AtlasError: no such picture.
        """
        number = self.find(photo)
        found: bytes = self._of_pictures([number], ["picture"])[number]["picture"] if self.slim else b""
        return found

    def find(self, photo: int | str) -> int:
        """The number of a picture given by number, path, or id (its first digits will do).

        Raises:
            AtlasError: no such picture.
        """
        if isinstance(photo, int | np.integer):
            if not 0 <= photo < len(self):
                raise AtlasError(f"There is no picture {photo}: they are counted from 0 to {len(self) - 1}.")
            return int(photo)
        if photo in (paths := self._texts("path")):
            return paths.index(photo)
        for number, digest in enumerate(self._texts("id")):
            if len(photo) >= _FEWEST_DIGITS and digest.startswith(photo):
                return number
        raise AtlasError(
            f"No picture of this atlas has the path or id {photo!r}. Its pictures know their path from "
            "the folder that was given."
        )

    def picture(self, photo: int | str) -> Path:
        """The file of a picture, where it was when the atlas was built, seen from the atlas.

        Raises:
            AtlasError: it is gone, or was never a file of its own.
        """
        one = self.photo(photo)
        sources = (source for source in self.told["sources"] if source["name"] == one.source)
        source: dict[str, str] = next(sources, {})
        kind, place = source.get("kind"), self.folder / source.get("from_here", one.source)
        # What was found in a folder lies in it; whoever sent the atlas may say otherwise.
        inside = kind == "folder" and not {"..", Path(one.path).anchor} & {*Path(one.path).parts}
        path = path_of_text(place.parent if kind == "list" else place, one.path)
        if not (inside or kind == "list") or path is None:
            raise AtlasError("The picture {path} is gone; its crop is kept.", path=one.shown_path)
        return path.resolve()

    def nearest(self, photo: int | str | Trace | np.ndarray, count: int = 12) -> list[tuple[int, float]]:
        """The pictures whose primitives are used most alike: (number, likeness), 1 for the same, best first.

        A picture's code is how much of each primitive it is handed, a distribution for each block; likeness
        is the overlap Σ √(p q) of two, averaged over the blocks. All are compared, by one matrix product. The
        picture itself is left out, and so is what is nearly the same as another.

        Args:
            photo: number, path or id; a trace of any picture by the same network, or its code (P,).
            count: so many.

        Raises:
            AtlasError: no such picture, or a trace by another network.
        """
        if isinstance(photo, Trace):
            code, own = self.code(photo), -1
        elif isinstance(photo, np.ndarray):
            code, own = photo, -1
        else:
            own = self.find(photo)
            code = np.concatenate([of["mean"] for of in self.uses(own).values()])
        if code.shape != (self._roots.shape[1],):
            raise AtlasError(f"A code of this atlas has {self._roots.shape[1]} numbers, not {code.shape}.")
        likeness = self._roots @ np.sqrt(np.maximum(code, 0)).astype(np.float32) / len(self.blocks)
        likeness[self._alike] = -1
        if own >= 0:
            likeness[own] = -1
            likeness[self._same_as == own] = -1
        best = np.argsort(-likeness, kind="stable")[:count]
        return [(int(number), float(likeness[number])) for number in best if likeness[number] >= 0]

    def code(self, trace: Trace) -> np.ndarray:
        """(P,) the code of a traced picture: mean ρ of each primitive.

        Raises:
            AtlasError: the trace is by another network.
        """
        name = self.told["checkpoint"]["name"]
        if trace.checkpoint != name or not set(self.blocks) <= set(trace.blocks):
            raise AtlasError(
                f"This trace is by {trace.checkpoint}, the atlas by {name}. Trace the picture with that one."
            )
        return np.concatenate([trace.blocks[name].distribute.mean(axis=(1, 2, 3)) for name in self.blocks])

    def primitives(self, block: str) -> list[dict[str, Any]]:
        """For each primitive of a block its measures (`atlas.measure`), name and note.

        Raises:
            AtlasError: no such block.
        """
        self._number(block, 0)
        names = [name for name in self._file("primitives").schema_arrow.names if not name.startswith("tile")]
        rows = [row for row in self._rows("primitives", None, names).to_pylist() if row["block"] == block]
        named, nameless = self.names.all().get(block, {}), dict.fromkeys(LONGEST, "")
        return [{**row, **named.get(str(row["primitive"]), nameless)} for row in rows]

    def tiles(self, block: str) -> list[bytes]:
        """For each primitive of a block its first four exemplars by mean ρ as one WebP; b"" where none is.

        Raises:
            AtlasError: no such block, or an older version measured it.
        """
        start = self._number(block, 0)
        if "tile" not in self._file("primitives").schema_arrow.names:
            raise AtlasError(
                f"The atlas {self.folder.name} was measured by an older version. Measure it anew: "
                "python -m a2core atlas measure ATLAS."
            )
        column = self._rows("primitives", None, ["tile"])["tile"]
        return [tile or b"" for tile in column.slice(start, self.blocks[block]).to_pylist()]

    def name(
        self, block: str, primitive: int, text: str | None = None, *, note: str | None = None
    ) -> dict[str, str]:
        """What somebody calls a primitive: {"name", "note"}. A text that is given is kept.

        Raises:
            AtlasError: no such primitive, or names cannot be written beside the atlas.
        """
        self._number(block, primitive)
        return self.names.give(block, primitive, text, note)

    def _number(self, block: str, primitive: int) -> int:
        """Of a primitive among those of all blocks."""
        if block not in self.blocks:
            raise AtlasError(f"There is no block {block!r}. This atlas has {', '.join(self.blocks)}.")
        if not 0 <= primitive < self.blocks[block]:
            raise AtlasError(
                f"Block {block} has no primitive {primitive}: it has {self.blocks[block]}, counted from 0."
            )
        names = list(self.blocks)
        return sum(self.blocks[name] for name in names[: names.index(block)]) + int(primitive)

    def _row(self, number: int, names: list[str]) -> dict[str, Any]:
        group, within = self._place("photos", number)
        rows = self._rows("photos", [group], names)
        return {name: rows[name][within] for name in names}

    def _of_table(self, table: str, numbers: Iterable[int], names: list[str]) -> dict[int, dict[str, Any]]:
        """Rows of a table of pictures by their numbers."""
        by_group: dict[int, list[tuple[int, int]]] = {}
        for number in numbers:
            group, within = self._place(table, number)
            by_group.setdefault(group, []).append((number, within))
        found: dict[int, dict[str, Any]] = {}
        for group, some in by_group.items():
            rows = self._rows(table, [group], names)  # not `take`, which has pyarrow import pandas
            found |= {number: rows.slice(within, 1).to_pylist()[0] for number, within in some}
        return found

    def _of_pictures(self, numbers: Iterable[int], names: list[str]) -> dict[int, dict[str, Any]]:
        return self._of_table("pictures", numbers, names)

    def _place(self, table: str, number: int) -> tuple[int, int]:
        """The row group of a table of pictures that holds one, and its place in there."""
        if table not in self._starts:
            metadata = self._file(table).metadata
            sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
            self._starts[table] = np.concatenate([[0], np.cumsum(sizes)])
        starts = self._starts[table]
        group = int(np.searchsorted(starts, number, side="right")) - 1
        return group, number - int(starts[group])

    def _cut(self, exemplar: Exemplar) -> bytes:
        """The crop of an exemplar, cut when it is looked at out of the small picture that is kept."""
        small = self.small(exemplar.photo)
        return crops_of(small, [exemplar.place], int(self.slim["crop_px"]))[0] if small else b""

    def _texts(self, name: str) -> list[str]:
        texts: list[str] = self._rows("photos", None, [name])[name].to_pylist()
        return texts

    @cached_property
    def _roots(self) -> np.ndarray:
        """(photos, P) float32: square roots of all codes, read once."""
        found = self._codes()
        return np.sqrt(found, out=found)

    @cached_property
    def _means(self) -> np.ndarray:
        """(photos, P) float32: all codes, of a slim atlas, which has few."""
        return self._codes()

    def _codes(self) -> np.ndarray:
        from a2core.atlas.measure import codes

        found = np.empty((len(self), sum(self.blocks.values())), np.float32)
        at = 0
        with self._lock:
            for code in codes(self._file("photos")):
                found[at : at + len(code)] = code
                at += len(code)
        return found

    @cached_property
    def _same_as(self) -> np.ndarray:
        """(photos,) int64, -1 where a picture is like none before."""
        return self._rows("photos", None, ["same_as"])["same_as"].fill_null(-1).to_numpy()

    @cached_property
    def _alike(self) -> np.ndarray:
        return self._same_as >= 0

    def _rows(self, table: str, groups: Iterable[int] | None, names: list[str] | None = None) -> Any:
        """Row groups of a table, None for all, and of them the columns `names`."""
        with self._lock:
            file = self._file(table)
            return file.read(names) if groups is None else file.read_row_groups(list(groups), names)

    def _file(self, table: str) -> Any:
        if table not in self._files:
            path = self.folder / (self.slim["pictures"] if table == "pictures" else f"{table}.parquet")
            try:
                self._files[table] = parquet().ParquetFile(path)
            except (OSError, ValueError) as error:
                raise AtlasError(
                    "{file} of the atlas {atlas} is damaged. Build the atlas again.",
                    file=path.name,
                    atlas=self.folder.name,
                ) from error
        return self._files[table]
