"""What the Primitives page shows: tiles, exemplars as HTML; pure. Its words: words.py."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from a2core import Exemplar, Photo
from a2core.canvas import percent
from viz_app.components.tile_board import Tile
from viz_app.ui.exemplars import data_url, hint, value
from viz_app.ui.numbers import decimal, signed
from viz_app.ui.primitives import called, said
from viz_app.views.atlas import words


def tiles(rows: Sequence[Mapping[str, Any]], pictures: Sequence[bytes]) -> list[Tile]:
    """A tile for each primitive."""
    return [
        Tile(
            picture=data_url(picture) if picture else "",
            title=called(row),
            said=said(row),
            hint=row.get("note") or "",
        )
        for row, picture in zip(rows, pictures, strict=True)
    ]


def exemplar_tiles(exemplars: Sequence[Exemplar], photos: Mapping[int, Photo]) -> list[Tile]:
    """A tile for each exemplar."""
    return [
        Tile(
            picture=data_url(one.crop) if one.crop else "",
            title=photos[one.photo].title,
            said=value(one),
            hint=hint(one, photos[one.photo]),
        )
        for one in exemplars
    ]


def answer_html(photo: Photo) -> str:
    """What the network answered for a picture."""
    first = ", ".join(f"{label} {percent(share)}" for label, share in photo.top[:3])
    return f"<p>{html.escape(first)}</p>" if first else ""


def ordered(rows: Sequence[Mapping[str, Any]], sort: str, wanted_words: str) -> list[int]:
    """Which primitives hold all of `wanted_words`, in the order asked for."""
    wanted = wanted_words.lower().split()

    def text(row: Mapping[str, Any]) -> str:
        parts = [called(row), row.get("note"), row.get("purity_group"), *(row.get("labels") or ())]
        return " ".join(filter(None, parts)).lower()

    chosen = [index for index, row in enumerate(rows) if all(word in text(row) for word in wanted)]
    if sort == "primitive":
        return chosen

    def measured(index: int) -> float:
        value = rows[index].get(sort)
        return -math.inf if value is None else value

    return sorted(chosen, key=measured, reverse=True)


def measures_html(row: Mapping[str, Any]) -> str:
    """What is measured of one primitive."""
    lines = [words.spread(percent(row["use"]), percent(row["reach"]))]
    if row.get("effect") is not None:
        lines.append(words.adds(signed(row["effect"])))
    if row.get("purity") is not None:
        lines.append(words.lie_in(percent(row["purity"]), row["purity_group"]))
    if row.get("stability") is not None:
        lines.append(words.twin(row["twin"], decimal(row["stability"])))
    if row.get("note"):
        lines.append(row["note"])
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def escaped(text: str) -> str:
    """As HTML."""
    return html.escape(text)
