"""A small case that Python and the scripts work out alike; run as a module it is written anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from a2core import BlockTrace, Clip, Trace
from a2core.canvas import canvas_payload
from a2core.tracing.factors import weights_of
from a2core.tracing.model_input import input_shape, resize_frames

AGREED = Path(__file__).parent / "agreed.json"
SIZES = ((300, 451, 448), (1, 999, 320), (80, 80, 64))
SHAPES = {"area": (7, 9), "half": (7, 10), "larger": (20, 30), "mixed": (15, 12), "one side": (14, 11)}
CARD = {"cards": {"blocks.4": {"primitives": ["first", "second", "third"]}}}


def softmax(values: np.ndarray, axes: Any) -> np.ndarray:
    powers = np.exp(values - values.max(axis=axes, keepdims=True))
    return (powers / powers.sum(axis=axes, keepdims=True)).astype(np.float32)


def block(rng: np.random.Generator, name: str, grid: tuple[int, int, int]) -> BlockTrace:
    n, m = 3, 2
    gather = softmax(rng.normal(0, 2, (n, *grid)), (1, 2, 3))
    distribute = softmax(rng.normal(0, 2, (n, *grid)), 0)
    primitives = rng.normal(0, 1, (m, n)).astype(np.float32)
    output = np.tensordot(primitives, distribute, 1)
    change = rng.random(grid).astype(np.float32)
    return BlockTrace(name, primitives, gather, distribute, output, change)


def worked_out() -> dict[str, Any]:
    """What went in and what Python makes of it; numbers of maps are float32, written exactly."""
    rng = np.random.default_rng(7)
    blocks = {"blocks.4": block(rng, "blocks.4", (2, 4, 6)), "blocks.5": block(rng, "blocks.5", (2, 2, 3))}
    frames = np.zeros((2, 64, 96, 3), np.uint8)
    clip = Clip(frames, np.array([0.0, 0.5]), "video", "made", ())
    trace = Trace(clip, frames, blocks, [], "made", True, "cpu", 0.0)
    payload = canvas_payload(trace, CARD, key="k", alt="made")
    told = [
        {key: getattr(each, key).ravel().tolist() for key in ("gather", "distribute", "change")}
        | {"name": name, "n": each.n, "m": 2, "grid": list(each.grid)}
        for name, each in blocks.items()
    ]
    picture = rng.integers(0, 256, (14, 20, 3), np.uint8)
    factors = np.array([0.0, 1.0, 2.5])
    flat = torch.tensor(blocks["blocks.4"].distribute).flatten(1)
    return {
        "told": told,
        "payload": {**payload, "frames": []},
        "picture": {"high": 14, "wide": 20, "rgb": picture.ravel().tolist()},
        "resized": {
            name: {"shape": list(shape), "rgb": resize_frames(picture[None], shape)[0].ravel().tolist()}
            for name, shape in SHAPES.items()
        },
        "shapes": [[h, w, s, *input_shape(h, w, s)] for h, w, s in SIZES],
        "factors": factors.tolist(),
        "weights": {
            rule: weights_of(flat, factors, renormalise=rule == "shared").ravel().tolist()
            for rule in ("missing", "shared")
        },
    }


if __name__ == "__main__":
    AGREED.write_text(json.dumps(worked_out(), separators=(",", ":")) + "\n", encoding="utf-8")
