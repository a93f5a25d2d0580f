"""The canvas in a notebook: a widget whose traits are what is looked at.

    widget = trace.widget(card=model.card)   # in Jupyter, VS Code, Colab or marimo
    widget.probe = (0, 4, 6)                 # the canvas follows; what a person points at comes back
    widget.observe(print, "primitive")

Needs the extra `notebook` (anywidget). What is sent: `payload.py`; the script: `widget.js`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import anywidget
import traitlets

from a2core.canvas.page import markup, script, style, widget_script
from a2core.canvas.vocabulary import read_vocabulary
from a2core.languages import ENGLISH, checked


@cache
def _source(language: str = ENGLISH) -> str:
    """One ES module: the canvas, its markup and style as strings, and the frame round it."""
    strings = f"const MARKUP = {json.dumps(markup(language))};\nconst STYLE = {json.dumps(style())};\n"
    return script(language) + strings + widget_script()


class CanvasWidget(anywidget.AnyWidget):
    """A payload's canvas. Whatever is set is checked, and shown; whatever a person does is set.

    Attributes:
        block: name of the block that is looked at.
        probe: [t, row, col], the cell that is asked; None before anybody asked.
        primitive: the chosen one, or None.
        pins: up to four cells, each [t, row, col].
        settings: opacity, scale, sort, layer, direction and the others of vocabulary.json.
    """

    _esm = _source()
    _payload = traitlets.Dict().tag(sync=True)
    block = traitlets.Unicode().tag(sync=True)
    probe = traitlets.List(traitlets.Int(min=0), allow_none=True, default_value=None).tag(sync=True)
    primitive = traitlets.Int(min=0, allow_none=True, default_value=None).tag(sync=True)
    pins = traitlets.List(traitlets.List(traitlets.Int(min=0))).tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)

    def __init__(self, payload: Mapping[str, Any], *, language: str = ENGLISH, **traits: Any) -> None:
        """Show `payload`, in English or, for good, in another of `a2core.languages`.

        Raises:
            ValueError: there is no such language.
        """
        if checked(language) != ENGLISH:
            self._esm = _source(language)  # anywidget takes the object's own before its class's
        self._blocks = {block["name"]: block for block in payload["blocks"]}
        first = {"block": next(iter(self._blocks), "")}
        super().__init__(_payload=dict(payload), **{**first, **traits})

    def __repr__(self) -> str:
        return f"CanvasWidget(block={self.block!r}, probe={self.probe}, primitive={self.primitive})"

    @property
    def payload(self) -> Mapping[str, Any]:
        """What the browser answers from (contract 2)."""
        found: Mapping[str, Any] = self._payload
        return found

    @traitlets.validate("block")
    def _is_a_block(self, proposal: Any) -> str:
        name: str = proposal["value"]
        if name not in self._blocks:
            raise traitlets.TraitError(f"There is no block {name!r}. Known: {', '.join(self._blocks)}.")
        return name

    @traitlets.validate("probe")
    def _is_a_cell(self, proposal: Any) -> list[int] | None:
        cell = proposal["value"]
        return None if cell is None else self._fitting(cell)

    @traitlets.validate("pins")
    def _are_cells(self, proposal: Any) -> list[list[int]]:
        most, pins = read_vocabulary().max_pins, proposal["value"]
        if len(pins) > most:
            raise traitlets.TraitError(f"At most {most} pins can be set.")
        return [self._fitting(pin) for pin in pins]

    @traitlets.validate("primitive")
    def _is_a_primitive(self, proposal: Any) -> int | None:
        chosen, count = proposal["value"], self._count()
        if chosen is not None and chosen >= count:
            raise traitlets.TraitError(
                f"{self.block} has {count}: choose one from 0 to {count - 1}, or None."
            )
        return None if chosen is None else int(chosen)

    @traitlets.validate("settings")
    def _are_settings(self, proposal: Any) -> dict[str, Any]:
        known, given = read_vocabulary().settings, proposal["value"]
        for name, value in given.items():
            if name not in known or not known[name].takes(value):
                raise traitlets.TraitError(
                    f"There is no setting {name} = {value!r}. Known: {', '.join(known)}."
                )
        return dict(given)

    @traitlets.observe("block")
    def _forget_others(self, _: Any) -> None:
        """Cells of another block's grid are other places; and it may have fewer primitives."""
        with self.hold_trait_notifications():
            if self.primitive is not None and self.primitive >= self._count():
                self.set_trait("primitive", None)
            if self.probe is not None and not self._fits(self.probe):
                self.set_trait("probe", None)
            self.pins = [pin for pin in self.pins if self._fits(pin)]

    def _count(self) -> int:
        """How many primitives, or heads, the block has."""
        block = self._blocks[self.block]
        return int(block.get("n") or block.get("heads") or 0)

    def _fits(self, cell: list[int]) -> bool:
        grid = self._blocks[self.block]["grid"]
        return len(cell) == 3 and all(at < size for at, size in zip(cell, grid, strict=True))

    def _fitting(self, cell: Any) -> list[int]:
        if not self._fits(cell):
            grid = " × ".join(map(str, self._blocks[self.block]["grid"]))
            raise traitlets.TraitError(f"{list(cell)} is no cell of {self.block}, (t, row, col) in {grid}.")
        return list(cell)
