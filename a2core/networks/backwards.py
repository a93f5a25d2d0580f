"""A part of a network with its gradient as plain operations, for what writes networks down.

Autograd is torch's own. Whatever else runs a network needs the way back spelled out: of each kind of layer
what it makes of the gradient that comes to it. Known are the layers that published convolutional networks end
in, in evaluation mode; of a part with any other there is none.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from a2core.errors import NetworkError, first_line

Values = dict[fx.Node, Tensor]


class TwoWays(nn.Module):
    """A part of a network, forwards and backwards.

    Args:
        part: takes and returns one tensor; none of its layers works in place afterwards.

    Raises:
        NetworkError: its way hangs on what comes in, or a layer whose gradient is not known here.
    """

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        # A layer by itself has no graph.
        layers = part if type(part) is nn.Sequential else nn.Sequential(part)
        try:
            self.part = fx.symbolic_trace(layers)
        except Exception as error:  # whatever the part's own code does with a stand-in for a tensor
            raise NetworkError(f"The network's way cannot be read ({first_line(error)}).") from error
        self.backs = nn.ModuleDict()
        for node in self.part.graph.nodes:
            if node.op == "call_module":
                layer: Any = self.part.get_submodule(str(node.target))
                if hasattr(layer, "inplace"):
                    layer.inplace = False
                self.backs[node.name] = _back_of(layer)
            elif node.op not in ("placeholder", "output") and node.target not in (operator.add, torch.add):
                raise NetworkError(f"No gradient is known of {node.target}.")

    def forward(self, x: Tensor) -> tuple[Tensor, Values]:
        """What the part makes of `x`, and all that there was on the way."""
        found: Values = {}
        for node in self.part.graph.nodes:
            given = [found[arg] for arg in node.args if isinstance(arg, fx.Node)]
            if node.op == "placeholder":
                found[node] = x
            elif node.op == "output":
                return given[0], found
            elif node.op == "call_module":
                found[node] = self.part.get_submodule(str(node.target))(given[0])
            else:
                found[node] = given[0] + given[1]
        raise AssertionError("a graph ends in its output")

    def back(self, found: Values, gradient: Tensor) -> Tensor:
        """The gradient with respect to `x`, of that with respect to what the part made of it."""
        of: Values = {}
        for node in reversed(self.part.graph.nodes):
            if node.op == "placeholder":
                return of[node]
            given = [arg for arg in node.args if isinstance(arg, fx.Node)]
            here = gradient if node.op == "output" else of.pop(node)
            if node.op == "call_module":
                here = self.backs[node.name](here, found[given[0]], found[node])
            for arg in given:
                of[arg] = of[arg] + here if arg in of else here
        raise AssertionError("a graph begins with what comes in")


def _back_of(layer: nn.Module) -> nn.Module:
    """What a layer makes of a gradient.

    Raises:
        NetworkError: its kind is not known.
    """
    kinds: dict[type[nn.Module], Any] = {
        nn.Conv2d: _Convolution,
        nn.Linear: _Linear,
        nn.ReLU: _Clipped,
        nn.ReLU6: _Clipped,
        nn.ZeroPad2d: _Padded,
        nn.AdaptiveAvgPool2d: _Mean,
        nn.Flatten: _Shaped,
        nn.Identity: _Same,
        nn.Dropout: _Same,
    }
    kind = kinds.get(type(layer))
    if kind is None:
        raise NetworkError(f"No gradient is known of a {type(layer).__name__}.")
    found: nn.Module = kind(layer)
    return found


class _Back(nn.Module):
    def forward(self, gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The gradient with respect to `x`, of that with respect to `y`."""
        raise NotImplementedError


class _Same(_Back):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()

    def forward(self, gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return gradient


class _Convolution(_Back):
    """A convolution with the kernels turned round, between the zeros that a stride leaves."""

    weight: Tensor

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.step, self.groups = layer.stride, layer.groups
        if layer.dilation != (1, 1) or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            raise NetworkError("No gradient is known of a convolution of this kind.")
        pairs = zip(layer.kernel_size, layer.padding, strict=True)
        self.around = tuple(size - 1 - int(pad) for size, pad in pairs)
        if min(self.around) < 0:
            raise NetworkError("No gradient is known of a convolution of this kind.")
        weight = layer.weight.detach().unflatten(0, (self.groups, -1))  # (groups, out, in, k, k)
        self.register_buffer("weight", weight.transpose(1, 2).flatten(0, 1).flip(2, 3).contiguous())

    def forward(self, gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
        strided = self.step != (1, 1)
        if strided:
            gradient = F.interpolate(gradient, scale_factor=tuple(map(float, self.step)), mode="nearest")
            rows, cols = (
                (torch.arange(gradient.shape[axis], device=gradient.device) % step == 0).to(gradient.dtype)
                for axis, step in zip((2, 3), self.step, strict=True)
            )
            gradient = gradient * (rows[:, None] * cols)
        found = F.conv2d(gradient, self.weight, padding=self.around, groups=self.groups)
        return found[:, :, : x.shape[2], : x.shape[3]] if strided else found


class _Linear(_Back):
    weight: Tensor

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.register_buffer("weight", layer.weight.detach().clone())

    def forward(self, gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return gradient @ self.weight


class _Clipped(_Back):
    """ReLU, or between 0 and 6: nothing comes through where it stands at an end."""

    def __init__(self, layer: nn.ReLU | nn.ReLU6) -> None:
        super().__init__()
        self.highest = 6.0 if isinstance(layer, nn.ReLU6) else None

    def forward(self, gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
        free = y > 0 if self.highest is None else (y > 0) & (y < self.highest)
        return gradient * free.to(gradient.dtype)  # `where` takes ONNX Runtime longer


class _Padded(_Back):
    def __init__(self, layer: nn.ZeroPad2d) -> None:
        super().__init__()
        self.left, _, self.top, _ = layer.padding
        if min(layer.padding) < 0:
            raise NetworkError("No gradient is known of a padding that cuts.")

    def forward(self, gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return gradient[:, :, self.top : self.top + x.shape[2], self.left : self.left + x.shape[3]]


class _Mean(_Back):
    def __init__(self, layer: nn.AdaptiveAvgPool2d) -> None:
        super().__init__()
        if layer.output_size not in (1, (1, 1)):
            raise NetworkError("No gradient is known of a mean over parts of the picture.")

    def forward(self, gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return (gradient / (x.shape[2] * x.shape[3])).expand(-1, -1, x.shape[2], x.shape[3])


class _Shaped(_Back):
    def __init__(self, layer: nn.Flatten) -> None:
        super().__init__()

    def forward(self, gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return gradient.reshape(x.shape)
