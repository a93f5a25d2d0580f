"""Layers of softmax attention for the canvas: queries and keys of the one looked at, the others by name.

The browser works out a row from them where somebody points, as `PairsTrace.row` does. No torch in here.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from a2core.canvas.packed import quantise, quantise_signed
from a2core.tracing.pairs import PairsTrace, log_sums, rollout_rows

if TYPE_CHECKING:
    from a2core.tracing.trace import Trace

ROLLOUT = "rollout"  # the name of what stands behind the layers
ROLLOUT_TOKENS = 1100  # at most: it is worked out and sent as tokens × tokens numbers
PAGE_BYTES = 16_000_000  # of layers in a page that can fetch none later


def layer_stubs(
    layers: Mapping[str, PairsTrace], *, whole: Collection[str] = (), trained: bool = True
) -> list[dict[str, Any]]:
    """Blocks of the payload for all `layers` and, where it can be had, for rollout; `whole` with data."""
    found = [
        layer_payload(layer, trained=trained) if name in whole else _stub(layer, trained=trained)
        for name, layer in layers.items()
    ]
    if has_rollout(layers):
        found.append(
            rollout_payload(layers, trained=trained)
            if ROLLOUT in whole
            else _rollout(layers, trained=trained)
        )
    return found


def names_of(layers: Mapping[str, PairsTrace]) -> list[str]:
    """What can be looked at: the layers, and rollout where it can be had."""
    return [*layers, *([ROLLOUT] if has_rollout(layers) else [])]


def with_fitting_layers(payload: Mapping[str, Any], trace: Trace) -> dict[str, Any]:
    """`payload` for a page that can fetch nothing: with the data of as many layers as fit, and no others."""
    layers = trace.attention
    stubs = layer_stubs(layers, whole=_that_fit(layers), trained=trace.born_trained)
    blocks = [block for block in payload["blocks"] if not block.get("own")]
    return {**payload, "blocks": [*blocks, *(stub for stub in stubs if "queries" in stub or "rows" in stub)]}


def _that_fit(layers: Mapping[str, PairsTrace]) -> list[str]:
    """As many as fit into a page, the last first; at least the last."""
    chosen: list[str] = []
    total = 0
    for name in reversed(names_of(layers)):
        total += _sent_bytes(layers, name)
        if total <= PAGE_BYTES or not chosen:
            chosen.append(name)
    return chosen


def _sent_bytes(layers: Mapping[str, PairsTrace], name: str) -> int:
    if name == ROLLOUT:
        return 8 * next(iter(layers.values())).queries.shape[2] ** 2 // 3
    return 8 * (layers[name].queries.size + layers[name].keys.size) // 3


def has_rollout(layers: Mapping[str, PairsTrace]) -> bool:
    """Whether there are several layers over one grid, of few enough tokens."""
    shapes = {(layer.cells, layer.prefix) for layer in layers.values()}
    tokens = next((layer.queries.shape[2] for layer in layers.values()), 0)
    return len(layers) > 1 and len(shapes) == 1 and tokens <= ROLLOUT_TOKENS


def layer_payload(layer: PairsTrace, *, own: bool = True, trained: bool = True) -> dict[str, Any]:
    """One layer with all that its rows are worked out of.

    Queries and keys are int16 with one scale for each channel of each head, (heads · d, tokens): value =
    data · scale / 32767. `lse` is float32 (heads, tokens).
    """
    return _stub(layer, own=own, trained=trained) | compared(layer.queries, layer.keys, layer.scale)


def compared(queries: np.ndarray, keys: np.ndarray, scale: float) -> dict[str, Any]:
    """What rows of softmax attention are worked out of; queries and keys (heads, d, tokens)."""
    divided = log_sums(queries, keys, scale).astype("<f4")
    return {
        "queries": quantise_signed(queries.reshape(-1, queries.shape[2])),
        "keys": quantise_signed(keys.reshape(-1, keys.shape[2])),
        "lse": base64.b64encode(divided.tobytes()).decode("ascii"),
        "scale": scale,
    }


def rollout_payload(layers: Mapping[str, PairsTrace], *, trained: bool = True) -> dict[str, Any]:
    """Attention rollout from the last layer down, as rows."""
    return _rollout(layers, trained=trained) | {"rows": quantise(rollout_rows(list(layers.values())))}


def _stub(layer: PairsTrace, *, own: bool = True, trained: bool = True) -> dict[str, Any]:
    _, rows, cols = layer.grid
    return {
        "name": layer.name,
        "kind": "pairs",
        "own": own,
        "trained": trained,
        "label": f"{layer.name} ({rows} × {cols} cells)",
        "heads": layer.heads,
        "grid": list(layer.grid),
        "before": list(layer.tokens),
    }


def _rollout(layers: Mapping[str, PairsTrace], *, trained: bool) -> dict[str, Any]:
    last = list(layers.values())[-1]
    _, rows, cols = last.grid
    label = f"Attention rollout through {len(layers)} layers ({rows} × {cols} cells)"
    return _stub(last, trained=trained) | {"name": ROLLOUT, "kind": "rows", "heads": 1, "label": label}
