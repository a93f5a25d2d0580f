"""Layers of softmax attention for the canvas: queries and keys of the one looked at, the others by name.

The browser works out a row from them where somebody points, as `AttentionTrace.row` does. No torch in here.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from a2core.canvas.packed import quantise, quantise_signed
from a2core.tracing.pairs import AttentionTrace, Compared, of_one_grid, rollout_rows

if TYPE_CHECKING:
    from a2core.tracing.trace import Trace

ROLLOUT = "rollout"  # the name of what stands behind the layers
ROLLOUT_TOKENS = 1100  # at most: it is worked out and sent as tokens × tokens numbers
PAGE_BYTES = 16_000_000  # of layers in a page that can fetch none later
MASKED = -30.0  # a bias below this leaves nothing of a weight

Layers = Mapping[str, AttentionTrace]


def layer_stubs(layers: Layers, *, whole: Collection[str] = (), trained: bool = True) -> list[dict[str, Any]]:
    """Blocks of the payload for all `layers` and, where it can be had, for rollout; `whole` with data."""
    found = [
        (layer_payload if name in whole else _stub)(layer, trained=trained) | {"order": order}
        for order, (name, layer) in enumerate(layers.items())
    ]
    if has_rollout(layers):
        rolled = rollout_payload if ROLLOUT in whole else _rollout
        found.append(rolled(layers, trained=trained))
    return found


def names_of(layers: Layers) -> list[str]:
    """What can be looked at: the layers, and rollout where it can be had."""
    return [*layers, *([ROLLOUT] if has_rollout(layers) else [])]


def with_fitting_layers(payload: Mapping[str, Any], trace: Trace, first: str = "") -> dict[str, Any]:
    """`payload` for a page that can fetch nothing: with the data of as many layers as fit, and no others.

    The one called `first`, on which the page opens, is among them; of the others the last come before.
    """
    layers, blocks = trace.attention, [block for block in payload["blocks"] if not block.get("own")]
    chosen: list[dict[str, Any]] = []
    total = 0
    order = names_of(layers)
    for name in sorted(order, key=lambda name: (name != first, -order.index(name))):
        made = (
            rollout_payload(layers, trained=trace.born_trained)
            if name == ROLLOUT
            else layer_payload(layers[name], trained=trace.born_trained)
        )
        made["order"] = order.index(name)
        total += sum(len(part.get("data", "")) for part in made.values() if isinstance(part, dict))
        if total > PAGE_BYTES and chosen:
            break
        chosen.append(made)
    chosen.sort(key=lambda made: made["order"])
    return {**payload, "blocks": [*blocks, *chosen]}


def has_rollout(layers: Layers) -> bool:
    """Whether there are several layers over one grid, of few enough tokens."""
    several = list(layers.values())
    if len(several) < 2 or not of_one_grid(several):
        return False
    rows, cols = several[0].cells
    return several[0].prefix + rows * cols <= ROLLOUT_TOKENS


def layer_payload(layer: AttentionTrace, *, own: bool = True, trained: bool = True) -> dict[str, Any]:
    """One layer with all that its rows are worked out of.

    Where all tokens attend together it is `compared`. Where they attend in groups (windows), or those who
    are asked stand on another grid than those who ask, "groups" says which token is in which slot: "asks"
    (groups, n) and "asked" (groups, m), int32, -1 for none, with the two grids.
    """
    found = _stub(layer, own=own, trained=trained)
    softmax = layer.softmax
    if isinstance(softmax, Compared):
        found |= _compared(softmax)
    else:
        heads = softmax.weights.reshape(-1, *softmax.weights.shape[2:])
        found["written"] = quantise(heads)
    in_order = np.arange(layer.members.shape[1])[None]
    if not (np.array_equal(layer.members, in_order) and np.array_equal(layer.key_members, in_order)):
        found["groups"] = {
            "asks": _integers(layer.members),
            "asked": _integers(layer.key_members),
            "count": len(layer.members),
            "cells": list(layer.cells),
            "key_cells": list(layer.key_cells),
        }
    return found


def compared(queries: np.ndarray, keys: np.ndarray, scale: float) -> dict[str, Any]:
    """What rows of softmax attention are worked out of; queries and keys (heads, d, tokens).

    Queries and keys are int16 with one scale for each channel of each head, (heads · d, tokens): value =
    data · scale / 32767. `lse` is float32 (heads, tokens).
    """
    return _compared(Compared(queries[None], keys[None], scale))


def _compared(softmax: Compared) -> dict[str, Any]:
    queries, keys = softmax.queries, softmax.keys
    found = {
        "queries": quantise_signed(queries.reshape(-1, queries.shape[3])),
        "keys": quantise_signed(keys.reshape(-1, keys.shape[3])),
        "lse": base64.b64encode(softmax.lse.astype("<f4").tobytes()).decode("ascii"),
        "scale": softmax.scale,
    }
    if softmax.bias is not None:
        groups, heads = softmax.bias.shape[:2]
        flat = softmax.bias.reshape(groups * heads, -1)
        found["bias"] = quantise_signed(flat, masked=flat < MASKED) | {"groups": groups, "heads": heads}
    return found


def rollout_payload(layers: Layers, *, trained: bool = True) -> dict[str, Any]:
    """Attention rollout from the last layer down, as rows."""
    return _rollout(layers, trained=trained) | {"rows": quantise(rollout_rows(list(layers.values())))}


def _stub(layer: AttentionTrace, *, own: bool = True, trained: bool = True) -> dict[str, Any]:
    rows, cols = layer.cells
    return {
        "name": layer.name,
        "kind": "pairs",
        "own": own,
        "trained": trained,
        "label": f"{layer.name} ({rows} × {cols} cells{', in windows' if layer.windowed else ''})",
        "heads": layer.heads,
        "grid": [1, rows, cols],
        "before": list(layer.tokens),
    }


def _rollout(layers: Layers, *, trained: bool) -> dict[str, Any]:
    last = list(layers.values())[-1]
    rows, cols = last.cells
    label = f"Attention rollout through {len(layers)} layers ({rows} × {cols} cells)"
    return _stub(last, trained=trained) | {"name": ROLLOUT, "kind": "rows", "heads": 1, "label": label}


def _integers(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<i4").tobytes()).decode("ascii")
