"""Draws a2core/tracing/drawn anew, the graphs of what is shipped: `python docs/graphs.py`, from the root.

To be run when a block, a trunk or the exporter has changed: tests/a2core/tracing/test_engine.py says so.
"""

from __future__ import annotations

import a2core
from a2core.atlas.lens import drawn_lens, lens_of
from a2core.tracing import graphs
from a2core.tracing.engine import TORCH


def main() -> None:
    """Write the graphs of every shipped checkpoint that has any, and nothing else."""
    drawn: dict[str, list[bytes]] = {}
    for info in a2core.list_checkpoints():
        model = a2core.load_model(info.name, device="cpu", engine=TORCH)
        if all(isinstance(block, a2core.DoubleAttention) for block in model.blocks.values()):
            parts = graphs.parts_of(model.passage.chain or (), model.blocks)
            if (key := graphs.digest(parts)) not in drawn:
                drawn[key] = graphs.draw(parts, model.input.channels, model.input.multiple_px)
            lens, key = lens_of(model)
            if key not in drawn:
                drawn[key] = [drawn_lens(lens, model)]
    for old in graphs.SHIPPED.glob("*.zip"):
        old.unlink()
    for key, of in drawn.items():
        graphs.keep(key, of, graphs.SHIPPED)


if __name__ == "__main__":
    main()
