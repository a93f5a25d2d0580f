"""What Compare asks of the server: what each kind of block did, and what it costs. Draws nothing.

Whatever one visitor asked for is there for all. Costs are measured in the same line as everything
else, so that nothing else disturbs them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

import a2core
from a2core import A2Error, Cost, Model, Reading, Rival, canvas
from viz_app.server import pictures, visitors
from viz_app.server.jobs import Tell
from viz_app.server.store import PUBLIC
from viz_app.server.traces import Shown
from viz_app.server.visitors import Look
from viz_app.views.compare import words

RIVALS_KEPT = 5  # networks
CURVES_KEPT = 40  # of six points each
SMALL_SIDE_PX = 360  # of a picture, five of which stand side by side


def small_frames(shown: Shown) -> tuple[str, ...]:
    """The frames of the model input as small data URLs."""
    store, holder = visitors.server().store, pictures.holder_of(shown.picture)
    key = ("small frames", shown.key)
    found = store.get(key, holder)
    if found is None:
        frames = shown.held.value.trace.model_input
        urls = tuple(canvas.data_url(frame, quality=78, max_side_px=SMALL_SIDE_PX) for frame in frames)
        found = store.put(key, urls, holder)
    kept: tuple[str, ...] = found.value
    return kept


def readings(shown: Shown, block: str, *, look: Look | None = None) -> list[tuple[Rival, Reading]]:
    """What block `block` did with what is shown, of every kind of block on the same trunk.

    Raises:
        A2Error: a checkpoint is gone or refused, or the network is none of ours.
        Whatever `look` raises.
    """
    if shown.weights.yours:
        raise A2Error(words.NO_RIVALS.format(name=shown.weights.label))
    rivals = a2core.find_rivals(shown.weights.checkpoint)
    return [(rival, _reading(rival, shown, block, look)) for rival in rivals]


def payload_key(shown: Shown, block: str, rival: Rival) -> str:
    """Identity of the payload of one kind of block."""
    return f"{shown.key}/{block}/{rival.kind}/{rival.fingerprint}"


def payload(
    shown: Shown, block: str, rival: Rival, reading: Reading, *, look: Look | None = None
) -> Mapping[str, Any]:
    """What a canvas answers from for one kind of block, as contract 2 has it; made once for all who ask."""
    whole = shown.payload
    key = payload_key(shown, block, rival)

    def make(_: Tell) -> Mapping[str, Any]:
        name = rival.kind
        found: dict[str, Any] = {"name": name, "label": words.NAMES[name], "grid": list(reading.grid)}
        compared = reading.compared()
        if reading.trace is not None:
            found = canvas.block_payload(reading.trace, shown.held.value.trace, {}) | {"name": name}
        elif compared is not None:
            found |= {"kind": "pairs", "heads": len(compared[0]), **canvas.compared(*compared)}
        else:
            weights = reading.row((0, 0, 0))
            found |= {"kind": "same", "weights": canvas.quantise(weights[None])}
        return {"key": key, "blocks": [found]}

    holder = pictures.holder_of(shown.picture)
    made = visitors.obtain(("compare", shown.key, block, rival), make, holder=holder, look=look).value
    return {**whole, **made, "frames": list(small_frames(shown)), "trained": rival.trained, "joint": True}


@st.cache_resource(max_entries=RIVALS_KEPT, show_spinner=False)
def _model(rival: Rival) -> Model:
    return a2core.load_rival(rival)


def _reading(rival: Rival, shown: Shown, block: str, look: Look | None) -> Reading:
    clip = shown.held.value.trace.clip

    def make(tell: Tell) -> Reading:
        tell(0.0)
        return a2core.read_block(_model(rival), clip, block, shown.size_px)

    holder = pictures.holder_of(shown.picture)
    return visitors.obtain(("reading", shown.key, block, rival), make, holder=holder, look=look).value


def cost_here(settings_json: str, positions: int, *, look: Look | None = None) -> Cost:
    """What one block costs on so many positions, measured on this machine: a tenth of a second, once."""

    def make(tell: Tell) -> Cost:
        tell(0.0)
        return a2core.measure_cost(json.loads(settings_json), positions, memory=True)

    return visitors.obtain(("cost", settings_json, positions), make, holder=PUBLIC, look=look).value


@st.cache_resource(max_entries=CURVES_KEPT, show_spinner=False)
def counted_curve(settings_json: str) -> list[Cost]:
    """Parameters and multiply-adds over the positions, on shapes alone."""
    settings = json.loads(settings_json)
    return [a2core.count_cost(settings, positions) for positions in a2core.POSITIONS]


def known_curves(settings: Mapping[str, str]) -> dict[str, list[Cost]] | None:
    """The cost curves of blocks, kind -> settings, if all of them have been measured here."""
    store = visitors.server().store
    kept = {kind: store.peek(("curve", settings_json)) for kind, settings_json in settings.items()}
    curves = {kind: entry.content for kind, entry in kept.items() if entry is not None and entry.content}
    return curves if len(curves) == len(settings) else None


def measure_curve(settings_json: str, *, look: Look | None = None) -> list[Cost]:
    """A block's cost curve, measured for whoever asks; between its points, what somebody waits for is done.

    Raises:
        Whatever `look` raises; then the work ends too, if nobody else waits for it.
    """
    queue = visitors.server().networks

    def make(tell: Tell) -> list[Cost]:
        found: list[Cost] = []
        for cost in a2core.cost_curve(json.loads(settings_json)):
            found.append(cost)
            tell(len(found) / len(a2core.POSITIONS))
            queue.make_way()
        return found

    key = ("curve", settings_json)
    return visitors.obtain(key, make, holder=PUBLIC, background=True, look=look).value
