"""What tests of several parts share: a small made-up trace that keeps every promise of contract 1."""

from __future__ import annotations

import numpy as np
import pytest

from a2core import BlockTrace, Clip, Trace


def softmax(values: np.ndarray, axes: int | tuple[int, ...]) -> np.ndarray:
    powers = np.exp(values - values.max(axis=axes, keepdims=True))
    return (powers / powers.sum(axis=axes, keepdims=True)).astype(np.float32)


def made_up_block(name: str, *, m: int, n: int, rows: int, cols: int, seed: int) -> BlockTrace:
    """A BlockTrace of smooth-less random maps: gather sums to 1 over positions, distribute over n."""
    rng = np.random.default_rng(seed)
    shape = (n, 1, rows, cols)
    primitives = rng.normal(size=(m, n)).astype(np.float32)
    distribute = softmax(2 * rng.normal(size=shape), 0)
    return BlockTrace(
        name=name,
        primitives=primitives,
        gather=softmax(3 * rng.normal(size=shape), (1, 2, 3)),
        distribute=distribute,
        output=np.tensordot(primitives, distribute, axes=1),
        change=rng.random((1, rows, cols)).astype(np.float32),
    )


@pytest.fixture
def tiny_trace() -> Trace:
    """A landscape picture of 160 × 96 pixels seen by two blocks, 6 × 10 and 3 × 5 cells."""
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (1, 96, 160, 3), dtype=np.uint8)
    return Trace(
        clip=Clip(frame, np.zeros(1), "image", "made-up.png", ()),
        model_input=frame,
        blocks={
            "blocks.4": made_up_block("blocks.4", m=4, n=6, rows=6, cols=10, seed=1),
            "blocks.5": made_up_block("blocks.5", m=5, n=8, rows=3, cols=5, seed=2),
        },
        top=[("tabby", 0.6), ("lynx", 0.25), ("tiger cat", 0.1), ("sock", 0.03), ("pot", 0.02)],
        checkpoint="made-up",
        trained=True,
        device="cpu",
        elapsed_s=0.01,
    )
