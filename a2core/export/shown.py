"""What a figure shows, in numbers and words: the map of one place, what is said of it, the bars beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from a2core.canvas import percent
from a2core.errors import BlockError
from a2core.export.paint import Colours
from a2core.tracing.pairs import AttentionTrace
from a2core.tracing.probe import (
    Position,
    effective_attention,
    half_area,
    pixel_of_cell,
    rank_primitives,
    reach,
    received_attention,
)
from a2core.tracing.trace import BlockTrace, Trace

BARS = 6  # primitives listed, or heads

Layer = Literal["attention", "gather", "distribute", "change"]
Direction = Literal["from", "to"]


@dataclass(frozen=True)
class Shown:
    """What a figure shows: a map (T, h, w) with what is said of it, and bars beside it."""

    values: np.ndarray
    t: int
    grid: tuple[int, int]
    cell: tuple[int, int] | None  # that was asked for; None: a token beside the picture
    on_map: bool  # whether the cell is marked on the map too
    title: str
    unit: str
    colours: Colours
    even: float | None
    bars_title: str
    bars: list[tuple[str, float]]
    bars_rest: str
    caption: str


def of_block(
    trace: Trace,
    block: BlockTrace,
    position: Position,
    direction: Direction,
    layer: Layer,
    primitive: int | None,
    credit: str,
) -> Shown:
    """Of double attention: the map that `layer` names, and the largest distribution weights.

    Raises:
        BlockError: no such primitive, or the position lies outside the grid.
    """
    if layer in ("gather", "distribute") and (primitive is None or not 0 <= primitive < block.n):
        raise BlockError(f"Primitive {primitive} is none of the {block.n} of {block.name}. Choose one below.")
    values, title, unit, colours, even = _map(block, position, direction, layer, primitive)
    t, row, col = position
    weights = block.distribute[:, t, row, col]
    order = rank_primitives(block, position)
    more = block.n - BARS
    return Shown(
        values,
        t,
        block.grid[1:],
        (row, col),
        layer != "change",
        title,
        unit,
        colours,
        even if layer != "change" else None,
        "What it receives",
        [(f"g{i}", float(weights[i])) for i in order[:BARS]],
        f"and {more} more, together {plain_percent(float(weights[order[BARS:]].sum()))}" if more > 0 else "",
        _caption(trace, block, position, values, title, float(values.max()), layer, credit),
    )


def of_layer(
    trace: Trace,
    layer: AttentionTrace,
    position: Position | int,
    direction: Direction,
    head: int | None,
    credit: str,
) -> Shown:
    """Of softmax attention: the map of a head or of their mean, and how narrow each head looks.

    Raises:
        BlockError: no such head or position.
    """
    gathers = direction == "from"
    ask = layer.map if gathers else layer.received
    asked = position
    if not gathers and not isinstance(position, int):  # on the grid of those who are asked
        place = zip(position[1:], layer.cells, layer.key_cells, strict=True)
        asked = (0, *(int((at + 0.5) * keys / cells) for at, cells, keys in place))  # type: ignore[assignment]
    values = ask(asked, head)
    narrow = [(k, half_area(ask(asked, k)[None])[0] / values.size) for k in range(layer.heads)]
    narrow.sort(key=lambda pair: pair[1])
    more = layer.heads - BARS
    which = f"mean of {layer.heads} heads" if head is None else f"head {head}"
    if isinstance(position, int):
        where, cell = f"for the {layer.tokens[position]}", None
    else:
        _, row, col = position
        cell = (row, col)
        x, y = (int(at) for at in pixel_of_cell(layer, trace.model_input.shape, row, col))
        _, height_px, width_px, _ = trace.model_input.shape
        where = f"at pixel x {x}, y {y} of {width_px} by {height_px}"
    half = int(half_area(values[None])[0])
    said = ""
    if gathers and layer.prefix:
        beside = plain_percent(float(layer.row(position, head)[: layer.prefix].sum()))
        tokens = layer.tokens[0] if layer.prefix == 1 else "tokens beside the picture"
        said = f" {beside} of its attention goes to the {tokens}."
    random = "" if trace.born_trained else " The network's weights are random."
    title = f"Where it attends, {which}" if gathers else f"Who attends to it, {which}"
    return Shown(
        values,
        0,
        layer.cells,
        cell,
        True,
        title,
        "attention paid to a cell" if gathers else "share of a cell's attention",
        "magma" if gathers else "viridis",
        1 / values.size,
        "Half of it lies in",
        [(f"h{k}", float(part)) for k, part in narrow[:BARS]],
        f"and {more} heads with more" if more > 0 else "",
        (
            f"{title}: softmax attention {layer.name} of {trace.checkpoint}, {layer.cells[0]} by "
            f"{layer.cells[1]} cells, {where}. Peak {plain_percent(float(values.max()))}. Half of it lies in "
            f"{half} of {values.size} cells ({plain_percent(half / values.size)}).{said}{random} {credit}"
        ).strip(),
    )


def _map(
    block: BlockTrace, position: Position, direction: Direction, layer: Layer, primitive: int | None
) -> tuple[np.ndarray, str, str, Colours, float]:
    """The map (T, h, w), its title, its unit, its colours, and what every cell would hold if it were flat."""
    even = 1 / block.gather[0].size
    asked = effective_attention(block, position)  # also checks the position
    if layer == "change":
        return block.change, "Relative change by the block", "|Y - X| / |X|", "cividis", 0.0
    if layer == "gather":
        return (
            block.gather[primitive],
            f"Primitive {primitive}: gathered from",
            "weight of a cell",
            "magma",
            even,
        )
    if layer == "distribute":
        title = f"Primitive {primitive}: handed out to"
        return block.distribute[primitive], title, "share a cell receives", "viridis", 1 / block.n
    if direction == "to":
        return (
            received_attention(block, position),
            "Who receives from it",
            "share of a cell's attention",
            "viridis",
            even,
        )
    return asked, "Where it gathers from", "attention paid to a cell", "magma", even


def _caption(
    trace: Trace,
    block: BlockTrace,
    position: Position,
    values: np.ndarray,
    what: str,
    peak: float,
    layer: Layer,
    credit: str,
) -> str:
    t, row, col = position
    _, height_px, width_px, _ = trace.model_input.shape
    frames, rows, cols = block.grid
    x, y = (int(at) for at in pixel_of_cell(block, trace.model_input.shape, row, col))
    weights = block.distribute[:, t, row, col]
    when = f", frame {t}" if frames > 1 else ""
    flat = float(values.sum())
    half = int(half_area(values[None])[0]) if flat > 0 and layer != "change" else 0
    cells = (
        f" Half of it lies in {half} of {values.size} cells ({plain_percent(half / values.size)})."
        if half
        else ""
    )
    random = "" if trace.trained else " The blocks' weights are random."
    return (
        f"{what}: double attention block {block.name} of {trace.checkpoint}, {block.n} primitives, "
        f"{rows} by {cols} cells, at pixel x {x}, y {y} of {width_px} by {height_px}{when}. "
        f"Peak {plain_percent(peak)}.{cells} The largest distribution weight is "
        f"{plain_percent(float(weights.max()))}; "
        f"{float(reach(weights[None])[0]):.1f} primitives sharing equally would have their entropy."
        f"{random} {credit}"
    ).strip()


def plain_percent(share: float) -> str:
    """`percent` with a space that the typeface has."""
    return percent(share).replace("\u202f", " ")
