"""The network as a graphics card runs it: the same graphs, with weights in float32 that the page makes.

ONNX Runtime's build for WebGPU knows no 16-bit whole numbers. So that no weight is sent twice, these graphs
only name their large weights, and beside them stands where in network.bin the numbers of each lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from a2core.site.network import PartFile

PLACE = "weights"  # by which the graphs name what the page makes
_LEVELS, _SCALE, _FLOAT = "/levels", "/scale", "/float"


def graphs_of(
    parts: Sequence[PartFile], starts: Sequence[int]
) -> tuple[list[bytes], list[list[dict[str, int]]]]:
    """Of each part its graph without large weights, and these in their order.

    A weight is `count` levels (int16) from `levels` on, divided into `rows` alike, each multiplied with one
    float32 from `scale` on; both are places in network.bin, in which a part begins at its of `starts`.
    """
    import onnx

    graphs, weights = [], []
    for part, start in zip(parts, starts, strict=True):
        proto: Any = onnx.load_model_from_string(part.data)
        held = {tensor.name: tensor for tensor in proto.graph.initializer}
        large = [name.removesuffix(_LEVELS) for name in held if name.endswith(_LEVELS)]
        listed, at = [], 0
        for name in large:
            levels, scale = held[name + _LEVELS], held[name + _SCALE]
            count = len(levels.raw_data) // 2
            listed.append(
                {
                    "levels": start + part.data.index(levels.raw_data),
                    "scale": start + part.data.index(scale.raw_data),
                    "count": count,
                    "rows": len(scale.raw_data) // 4,
                }
            )
            proto.graph.initializer.append(_named(name, levels.dims, at, count))
            at += 4 * count
        gone = {name + end for name in large for end in (_LEVELS, _SCALE)}
        kept = [tensor for tensor in proto.graph.initializer if tensor.name not in gone]
        nodes = [node for node in proto.graph.node if not _restores(node, large)]
        del proto.graph.initializer[:], proto.graph.node[:]
        proto.graph.initializer.extend(kept)
        proto.graph.node.extend(nodes)
        graphs.append(bytes(proto.SerializeToString(deterministic=True)))
        weights.append(listed)
    return graphs, weights


def _restores(node: Any, large: Sequence[str]) -> bool:
    """Whether it makes a large weight out of its levels."""
    return node.output[0] in large or node.output[0].removesuffix(_FLOAT) in large


def _named(name: str, dims: Sequence[int], offset: int, count: int) -> Any:
    """A float32 weight that lies elsewhere."""
    import onnx

    tensor = onnx.TensorProto(name=name, dims=dims, data_type=onnx.TensorProto.FLOAT)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", PLACE), ("offset", str(offset)), ("length", str(4 * count))):
        tensor.external_data.add(key=key, value=value)
    return tensor
