"""The address bar: what is on screen as query parameters, and back.

An address says everything in words and in pixels of the model input, so that people can read it and
change it by hand:

    ?picture=chelsea&weights=a2-lite0&size=448&block=blocks.4&at=x160y112&primitive=12&direction=from…

What does not fit (an unknown block, a pixel outside the picture) is left out, and one sentence says
what was done instead. Which pictures, weights and sizes there are is for the page to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from a2core import BlockError, Trace, cell_of_pixel, pixel_of_cell
from a2core.canvas import read_vocabulary
from viz_app.ui import link_words
from viz_app.ui.places import Attending, attending, choices, default_block, first_looked_at
from viz_app.ui.state import LANG, Probe

PICTURE, WEIGHTS, SIZE, BARS, PRESENT = "picture", "weights", "size", "bars", "present"
AT, BLOCK = "at", "block"
PLACES = (AT, "primitive", "token", "pins", "box")  # what means something in one picture only
WORDS = (
    "direction",
    "layer",
    "scale",
    "sort",
    "tiles",
)  # the canvas's settings that are said in its own words
_PLACE = re.compile(r"x(\d{1,5})y(\d{1,5})(?:t(\d{1,5}))?")


def written(probe: Probe, view: Mapping[str, Any], trace: Trace) -> dict[str, str]:
    """The query parameters of `probe` and of what was set in the canvas, `view` as it reports it."""
    block = attending(trace, probe.block) or default_block(trace)

    def place(position: tuple[int, int, int]) -> str:
        t, row, col = position
        x, y = (int(at) for at in pixel_of_cell(block, trace.model_input.shape, row, col))
        return f"x{x}y{y}" + (f"t{t}" if block.grid[0] > 1 else "")

    address = {BLOCK: probe.block, AT: place(probe.position)}
    if probe.primitive is not None:
        address["primitive"] = str(probe.primitive)
    if probe.token is not None:
        address["token"] = str(probe.token)
    address |= {name: str(view[name]) for name in WORDS if view.get(name) in _words(name)}
    opacity = view.get("opacity")
    if isinstance(opacity, int | float):
        address["opacity"] = f"{opacity:.2f}"
    pins = [pin for pin in map(_cells(block, 3), view.get("pins") or ()) if pin is not None]
    if pins:
        address["pins"] = "_".join(place((t, row, col)) for t, row, col in pins[: read_vocabulary().max_pins])
    box = _cells(block, 5)(view.get("region"))
    if box is not None:
        t, row0, col0, row1, col1 = box
        address["box"] = f"{place((t, row0, col0))}_{place((t, row1, col1))}"
    if view.get("presentation") is True:
        address[PRESENT] = "1"
    return address


def followed(
    address: Mapping[str, str], trace: Trace, first: str | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The canvas view that `address` asks for, and one sentence for each thing that it cannot have.

    `first` is the block for an address that names none; None: what is shown first. A field that the address
    leaves out is left out of the view, but for the pins and the box: none asked for means none.
    """
    faults: list[str] = []
    wanted, name = address.get(BLOCK), first or first_looked_at(trace)
    named = attending(trace, wanted or "")
    if wanted and named is None:
        faults.append(link_words.no_block(wanted, trace.checkpoint, name))
    elif wanted:
        name = wanted
    block = attending(trace, name) or default_block(trace)
    view: dict[str, Any] = {"block": name, "pins": [], "region": None, "primitive": None, "token": None}

    def places(name: str, most: int) -> list[list[int]]:
        texts = address[name].split("_")
        if len(texts) > most:
            faults.append(link_words.too_many_pixels(name, len(texts), most))
        found = [_position(text, trace, block) for text in texts[:most]]
        faults.extend(position for position in found if isinstance(position, str))
        return [position for position in found if not isinstance(position, str)]

    if AT in address:
        for position in places("at", 1):
            view["probe"] = position
    if "pins" in address:
        view["pins"] = places("pins", read_vocabulary().max_pins)
        if view["pins"] and view.get("probe") not in view["pins"]:
            view["probe"] = view["pins"][0]
    if "box" in address:
        corners = places("box", 2)
        if len(corners) == 2:
            (t, row0, col0), (_, row1, col1) = corners
            view["region"] = [t, min(row0, row1), min(col0, col1), max(row0, row1), max(col0, col1)]
    # The numbers of primitives mean something in their own block only.
    if "primitive" in address and not (wanted and named is None):
        primitive = address["primitive"]
        if re.fullmatch("[0-9]{1,5}", primitive) and int(primitive) < choices(trace, name):
            view["primitive"] = int(primitive)
        else:
            faults.append(link_words.no_primitive(primitive, choices(trace, name), name))
    if "token" in address and re.fullmatch("[0-9]{1,2}", address["token"]):
        token = int(address["token"])
        view["token"] = token if token < getattr(block, "prefix", 0) else None
    for name in WORDS:
        if address.get(name) in _words(name):
            view[name] = address[name]
        elif name in address:
            faults.append(link_words.no_setting(address[name], name))
    if "opacity" in address:
        try:
            view["opacity"] = min(1.0, max(0.0, float(address["opacity"])))
        except ValueError:
            faults.append(link_words.no_setting(address["opacity"], "opacity"))
    view["presentation"] = presents(address)
    return view, faults


def presents(address: Mapping[str, str]) -> bool:
    """Whether `address` asks to present; Explore once said it in a word of its own."""
    return address.get(PRESENT) == "1" or address.get("presentation") == "on"


def without_language(address: Mapping[str, str]) -> dict[str, str]:
    """`address` without what it says of the language, which is no part of what is on screen."""
    return {name: value for name, value in address.items() if name != LANG}


def without_places(address: Mapping[str, str]) -> dict[str, str]:
    """`address` without what means something in its own picture only."""
    return {name: value for name, value in address.items() if name not in (PICTURE, *PLACES)}


def _words(setting: str) -> tuple[Any, ...]:
    """What the canvas calls the choices of `setting`."""
    return read_vocabulary().settings[setting].words


def _position(text: str, trace: Trace, block: Attending) -> list[int] | str:
    """[t, row, col] of the cell under a place such as x160y112, or what is wrong with it."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return link_words.no_pixel(text)
    x, y, t = (int(number or 0) for number in match.groups())
    try:
        row, col = cell_of_pixel(block, trace.model_input.shape, x, y)
    except BlockError:
        _, height_px, width_px, _ = trace.model_input.shape
        return link_words.outside(x, y, width_px, height_px)
    if t >= block.grid[0]:
        return link_words.after_the_last(t, block.grid[0])
    return [t, row, col]


def _cells(block: Attending, count: int) -> Callable[[Any], list[int] | None]:
    """Checks [t, row, col] or [t, row0, col0, row1, col1] against the grid of `block`: itself or None."""
    frames, rows, cols = block.grid
    limits = (frames, rows, cols, rows, cols)[:count]

    def fitting(cells: Any) -> list[int] | None:
        if not isinstance(cells, list) or len(cells) != count:
            return None
        fits = all(isinstance(i, int) and 0 <= i < limit for i, limit in zip(cells, limits, strict=True))
        return cells if fits else None

    return fitting
