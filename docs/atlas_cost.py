"""What a picture of an atlas costs beside the network alone: `python docs/atlas_cost.py PHOTOS`.

Run from the root. Processor time of one process of one thread, medians; all ways take turns over the same
pictures. The network alone is, by each engine, the same network without a map kept or a gradient taken: by
ONNX Runtime the very graph of the atlas, of which all but what the logits need is left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import onnx
import torch

import a2core
from a2core.atlas.engine import Work
from a2core.atlas.lens import lens_of
from a2core.atlas.look import Looker
from a2core.atlas.sources import Reader, find_items
from a2core.tracing import graphs
from a2core.tracing.engine import ONNXRUNTIME, TORCH, open_session, run_session

SIZES = (224, 448)
FIRST = 3  # pictures that are not counted


def bare(model: a2core.Model) -> Any:
    """The network's graph with its logits alone, opened."""
    lens, key = lens_of(model)
    (drawn,) = graphs.find(key) or [b""]
    proto = onnx.load_from_string(drawn)
    del proto.graph.output[1:]
    needed, kept = {proto.graph.output[0].name}, []
    for node in reversed(proto.graph.node):  # ONNX Runtime would run what nobody asks for, too
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    del proto.graph.node[:]
    proto.graph.node.extend(reversed(kept))
    held = [tensor for tensor in proto.graph.initializer if tensor.name in needed]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(held)
    state = {name: tensor for name, tensor in lens.state_dict().items() if name in needed}
    weights: Any = SimpleNamespace(state_dict=lambda: state)
    return open_session(proto.SerializeToString(), weights, 1)


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos")
    parser.add_argument("--checkpoint", default="a2-lite0")
    parser.add_argument("--rounds", type=int, default=80)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = a2core.load_model(args.checkpoint, device="cpu", engine=TORCH)
    listing, graph = find_items([args.photos]), bare(model)
    items = listing.items[: args.rounds + FIRST]
    lookers = {engine: Looker(model, engine) for engine in (TORCH, ONNXRUNTIME)}

    @torch.inference_mode()
    def by_torch(pixels: np.ndarray) -> None:
        model.network(model.preprocess(pixels[None]))

    for size in SIZES:
        reader = Reader(listing.sources, model.input, size, 1)
        works = {engine: Work(reader, looker, True) for engine, looker in lookers.items()}
        ways: dict[str, Callable[[Any, np.ndarray], object]] = {
            "reading alone": lambda item, _, works=works: works[TORCH].read([item]),
            "network alone, torch": lambda _, pixels: by_torch(pixels),
            "network alone, onnxruntime": lambda _, pixels: run_session(
                graph, model.preprocess(pixels[None]).numpy(), let_go=False
            ),
        } | {
            f"file to twelve bytes, {engine}": lambda item, _, work=work: work.look(work.read([item])[0], 1)
            for engine, work in works.items()
        }
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for item in items:
            pixels = reader.read(item)[0].pixels
            for name, act in ways.items():
                start = time.process_time()
                act(item, pixels)
                spent[name].append(time.process_time() - start)
        print(f"{size} px, {len(items) - FIRST} pictures")
        for name, times in spent.items():
            print(f"  {name:<34} {1e3 * float(np.median(times[FIRST:])):6.1f} ms")


if __name__ == "__main__":
    main()
