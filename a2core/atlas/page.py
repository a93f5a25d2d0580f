"""An atlas as one HTML file that works offline: tiles of exemplars, and each primitive one click away."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from a2core.atlas.answers import Photo
from a2core.atlas.ranks import IDLE, ORDERS
from a2core.atlas.read import Atlas
from a2core.errors import AtlasError

_TEMPLATE = Path(__file__).with_name("page.html")
_MARK = "<!--atlas-->"
_MEASURES = (
    *("use", "reach", "effect", "effect_size", "purity", "purity_group", "stability", "twin"),
    *("labels", "together", "together_r", "name", "note"),
)


def write_page(atlas: Atlas, path: Path, *, blocks: Sequence[str] | None = None, count: int = 64) -> int:
    """Write the page of an atlas, a primitive at a time; how many it shows.

    Args:
        atlas: which.
        path: the file.
        blocks: their names; None is all.
        count: exemplars of each order, at most.

    Raises:
        AtlasError: no such block, or no exemplar asked for.
        OSError: the file cannot be written.
    """
    if count < 1:
        raise AtlasError(f"{count} exemplars were asked for: ask for at least 1.")
    chosen = {block: atlas.primitives(block) for block in blocks or atlas.blocks}
    before, after = _TEMPLATE.read_text(encoding="utf-8").split(_MARK)
    title = html.escape(f"Atlas of {atlas.told['checkpoint']['name']}: {len(atlas):,} pictures")
    making = path.with_name(f".{path.name}.tmp")
    try:
        with making.open("w", encoding="utf-8") as file:
            file.write(before.replace("<!--title-->", title))
            for block, rows in chosen.items():
                for row in rows:
                    file.write(_script(_told(atlas, block, row, count)))
            file.write(after)
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)
    return sum(map(len, chosen.values()))


def _told(atlas: Atlas, block: str, row: dict[str, Any], count: int) -> dict[str, Any]:
    """What the page knows of a primitive: its measures, each crop once, and the orders as their indices."""
    crops: dict[bytes, int] = {}
    orders: dict[str, list[list[Any]]] = {}
    photos: dict[int, Photo] = {}
    for order in (*ORDERS, IDLE):
        shown = []
        for one in atlas.exemplars(block, row["primitive"], order, count):
            if one.photo not in photos:
                photos[one.photo] = atlas.photo(one.photo)
            photo = photos[one.photo]
            at = crops.setdefault(one.crop, len(crops)) if one.crop else None
            credit = [photo.author, photo.credit] if photo.credit else []
            shown.append([at, photo.shown_path, _short(one.value), *credit])
        if shown:
            orders[order] = shown
    measures = {name: _short(row[name]) for name in _MEASURES if row.get(name) not in (None, "")}
    return {
        "block": block,
        "primitive": row["primitive"],
        **measures,
        "orders": orders,
        "crops": [base64.b64encode(crop).decode() for crop in crops],
    }


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _script(told: dict[str, Any]) -> str:
    # Whatever a path or a name holds, it cannot end the element that it stands in.
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>\n'
