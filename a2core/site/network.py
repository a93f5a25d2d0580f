"""A network as a browser runs it: its parts as ONNX files, and what the scripts must know of them.

The parts are the engine's (`tracing.graphs`): the trunk up to a block, frame by frame; the block, all
frames together; and so on. So a clip is attended to jointly, an experiment runs only what stands behind its
block, and no weight is sent twice, as it would be with a whole network and a tail for each block
(`export.onnx`).

Weights are sent as 16-bit whole numbers with a scale for each output channel, in half of the bytes, but for
those of small layers, which are sent as they are. Maps are then at most 3e-4 of their largest value from
what they were; with float16, which keeps eleven binary digits, it was 3e-2 (docs/site.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.straight import StraightBag
from a2core.errors import NetworkError
from a2core.extras import need_extra
from a2core.tracing import graphs
from a2core.tracing.model import Model

LEVELS = 32767
_SMALL = 20_000  # numbers: where fewer stand they matter more, and are sent as they are


@dataclass(frozen=True)
class PartFile:
    """One part of the network, or what a block hands out of a bag that was changed.

    Attributes:
        block: name of the block; "" of the trunk.
        data: the ONNX file.
    """

    block: str
    data: bytes


def network_files(model: Model) -> tuple[list[PartFile], dict[str, bytes]]:
    """The parts in their order, each x -> y with a block's maps beside y; and of each block how it hands out.

    A trunk takes frames (T, c, h, w); a block takes (1, T, c, h, w). What hands out takes X (c, N), a bag
    (m, n) and weights (n, N), and gives Y (c, N).

    Raises:
        NetworkError: the network has no such parts.
        MissingExtraError: the extra `onnx` is not installed.
    """
    need_extra("onnx", "Writing the site's network")
    why = ""
    if model.takes_clips or model.answers_with:
        why = "it does not take pictures and answer with classes"
    elif model.input.fixed_px is not None:
        why = "it takes pictures of one size only"
    elif not model.blocks or not all(isinstance(block, DoubleAttention) for block in model.blocks.values()):
        why = "only double attention blocks can be explored there"
    if why:
        raise NetworkError(f"{model.name} cannot be put on a site: {why}. Choose another checkpoint.")
    try:
        parts = graphs.parts_of(model.passage.chain or (), model.blocks)
    except NetworkError as error:
        raise NetworkError(
            f"{model.name} cannot be put on a site: {error}. Choose another checkpoint."
        ) from error
    drawn = graphs.find(graphs.digest(parts))
    if drawn is None:
        drawn = graphs.draw(parts, model.input.channels, model.input.multiple_px)
    files = [
        PartFile(part.block, _with_weights(graph, part.module))
        for part, graph in zip(parts, drawn, strict=True)
    ]
    hands = {part.block: _hands_out(part.module) for part in parts if isinstance(part.module, StraightBag)}
    return files, hands


def _with_weights(graph: bytes, module: torch.nn.Module) -> bytes:
    """The graph with the weights of `module` in it."""
    import onnx

    proto: Any = onnx.load_model_from_string(graph)
    state = module.state_dict()
    for tensor in proto.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            values = state[tensor.name].detach().cpu().numpy()
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))
    nodes = [*_shortened(proto), *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    proto.producer_name = "a2core"
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString(deterministic=True))


def _shortened(proto: Any) -> list[Any]:
    """Keep large weights as 16-bit whole numbers; the nodes that make them what they were."""
    import onnx

    made, kept = [], []
    for tensor in proto.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= _SMALL:
            kept.append(tensor)
            continue
        levels, scale = whole_numbers(values)
        name = tensor.name
        kept.append(onnx.numpy_helper.from_array(levels, f"{name}/levels"))
        kept.append(onnx.numpy_helper.from_array(scale, f"{name}/scale"))
        float_ = onnx.TensorProto.FLOAT
        made.append(onnx.helper.make_node("Cast", [f"{name}/levels"], [f"{name}/float"], to=float_))
        made.append(onnx.helper.make_node("Mul", [f"{name}/float", f"{name}/scale"], [name]))
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(kept)
    return made


def whole_numbers(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int16 levels in the shape of `values` (c, ...), and a scale for each of the c: levels · scale."""
    peaks = np.abs(values.reshape(len(values), -1)).max(axis=1)
    scale = (np.where(peaks > 0, peaks, 1) / LEVELS).astype(np.float32)
    scale = scale.reshape(-1, *[1] * (values.ndim - 1))
    return np.rint(values / scale).clip(-LEVELS, LEVELS).astype(np.int16), scale


def _hands_out(block: StraightBag) -> bytes:
    """X + expand(G V) of a bag and weights that may be changed ones; of residual=False expand(G V) alone."""
    import onnx
    from onnx import helper

    def named(name: str, shape: Sequence[str]) -> Any:
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    weights = [
        onnx.numpy_helper.from_array(tensor.detach().cpu().numpy(), name)
        for name, tensor in (("weight", block.expand_weight), ("bias", block.expand_bias))
    ]
    last = "added" if block.residual else "y"
    nodes = [
        helper.make_node("MatMul", ["weight", "primitives"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["expanded"]),
        helper.make_node("MatMul", ["expanded", "distribute"], [last]),
    ]
    if block.residual:
        nodes.append(helper.make_node("Add", ["x", "added"], ["y"]))
    given = [named("x", ["c", "N"]), named("primitives", ["m", "n"]), named("distribute", ["n", "N"])]
    graph = helper.make_graph(nodes, "handed_out", given, [named("y", ["c", "N"])], weights)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="a2core")
    proto.ir_version = 10
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString(deterministic=True))
