"""The double attention block of A²-Nets: gather, distribute, expand.

Source: Chen, Kalantidis, Li, Yan, Feng, "A²-Nets: Double Attention Networks", NeurIPS 2018,
arXiv 1810.11579. No official code was published; this file follows the paper's equations.

    A = φ(X)                              (m, N)  features to gather
    B = softmax over positions of θ(X)    (n, N)  gather maps: each row sums to 1
    G = A Bᵀ                              (m, n)  the bag: column i is the visual primitive g_i
    V = softmax over primitives of ρ(X)   (n, N)  distribution weights: each column sums to 1
    Z = G V                               (m, N)
    Y = X + expand(Z)                     (c, N)

N counts all positions: L for a signal, h·w for a picture, T·h·w for a clip. The code flattens them
once and is then the same in one, two and three dimensions.

Deviations from the paper, each an option: the input is standardised per channel by a batch norm
without affine parameters before the three projections (`input_norm`; without it the gather maps of
a block trained on a frozen trunk collapse onto two or three cells); each position's features may be
brought to unit root mean square after that (`position_norm`: logits then compare directions, as
cosine similarity does, not lengths); and a batch norm may follow the expansion (`output_norm`, as in the first author's later code; its scale starts at zero, so that
a fresh block is the identity).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.errors import BlockError

Order = Literal["left", "right", "auto"]

_CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_AXES = {1: "(batch, channels, L)", 2: "(batch, channels, h, w)", 3: "(batch, channels, T, h, w)"}


class Attended(NamedTuple):
    """What one block did to a batch; positions are flattened to N.

    `gather` and `distribute` are at least float32 whatever the input's precision.
    """

    primitives: Tensor  # (batch, m, n)
    gather: Tensor  # (batch, n, N), sums to 1 over N
    distribute: Tensor  # (batch, n, N), sums to 1 over n
    output: Tensor  # (batch, m, N), Z = G V


class DoubleAttention(nn.Module):
    """Double attention block, input and output (batch, in_channels, *positions).

    Args:
        in_channels: c, channels of the input and output.
        c_m: m, length of each primitive.
        c_n: n, number of primitives.
        dims: 1, 2 or 3 position axes.
        order: "left" computes (A Bᵀ) V in 2·m·n·N multiply-adds, "right" A (Bᵀ V) in (m + n)·N²;
            "auto" takes the cheaper for the shape at hand. The numbers agree to rounding.
        residual: add the input to the expanded result.
        input_norm: standardise the input per channel before φ, θ and ρ (see the module's header).
        position_norm: after that, scale the features of each position to unit root mean square.
        output_norm: batch norm after the expansion, scale starting at zero.
        fold: apply the expansion to the bag before distributing; "auto" does so where it is cheaper.

    Attributes:
        frames_per_clip: when k > 1, every k consecutive entries of the batch are frames of one clip
            and are attended to jointly: N = k·h·w. For blocks inside a network that works frame
            by frame.
        observer: called after each forward pass with X (batch, c, N), what was attended, Y
            (batch, c, N) and the shape of the positions of one entry of the batch, when not None:
            this is how a trace looks in.

    Raises:
        BlockError: sizes below 1, an unknown option, or an input of the wrong rank, channels,
            dtype or with no positions.
    """

    def __init__(
        self,
        in_channels: int,
        c_m: int,
        c_n: int,
        dims: int = 2,
        order: Order = "auto",
        residual: bool = True,
        *,
        input_norm: bool = True,
        position_norm: bool = False,
        output_norm: bool = False,
        fold: bool | Literal["auto"] = "auto",
    ) -> None:
        super().__init__()
        for label, value in (("in_channels", in_channels), ("c_m", c_m), ("c_n", c_n)):
            if value < 1:
                raise BlockError(f"{label} is {value}: a double attention block needs at least 1.")
        if dims not in _CONV:
            raise BlockError(f"dims is {dims}: choose 1 (signals), 2 (pictures) or 3 (clips).")
        if order not in ("left", "right", "auto"):
            raise BlockError(f"order is {order!r}: choose 'left', 'right' or 'auto'.")
        self.in_channels, self.c_m, self.c_n, self.dims = in_channels, c_m, c_n, dims
        self.order, self.residual, self.fold = order, residual, fold
        self.frames_per_clip = 1
        self.observer: Callable[[Tensor, Attended, Tensor, tuple[int, ...]], None] | None = None

        conv = _CONV[dims]
        self.phi = conv(in_channels, c_m, 1)
        self.theta = conv(in_channels, c_n, 1)
        self.rho = conv(in_channels, c_n, 1)
        self.expand = conv(c_m, in_channels, 1)
        self.input_norm = nn.BatchNorm1d(in_channels, affine=False) if input_norm else None
        self.position_norm = position_norm
        self.output_norm = nn.BatchNorm1d(in_channels) if output_norm else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start the projections small, so that fresh maps are nearly flat, and the block near the identity."""
        for projection in (self.phi, self.theta, self.rho, self.expand):
            nn.init.normal_(projection.weight, std=0.05)
            nn.init.zeros_(projection.bias)
        if self.output_norm is not None:
            nn.init.zeros_(self.output_norm.weight)

    def extra_repr(self) -> str:
        """The sizes, for `print(block)`."""
        return f"c={self.in_channels}, m={self.c_m}, n={self.c_n}, dims={self.dims}, order={self.order!r}"

    def forward(self, x: Tensor) -> Tensor:
        """Y = X + expand(G V), the shape, dtype and memory format of `x`."""
        self._check(x)
        if self.observer is None:
            flat = self._flatten(x)
            return self._unflatten(self._combine(flat, *self._project(flat)), x)
        # What is looked at must add up when checked by hand: full precision, also under autocast.
        with torch.autocast(x.device.type, enabled=False):
            flat = self._flatten(x.to(torch.promote_types(x.dtype, torch.float32)))
            a, b, v = self._project(flat)
            y = self._combine(flat, a, b, v)
            self.observer(flat, self._attend(a, b, v), y, tuple(x.shape[2:]))
        return self._unflatten(y, x).to(x.dtype)

    def attend(self, x: Tensor) -> Attended:
        """Primitives, gather maps, distribution weights and Z of `x`, positions flattened."""
        self._check(x)
        return self._attend(*self._project(self._flatten(x)))

    def _check(self, x: Tensor) -> None:
        if x.dim() != self.dims + 2:
            raise BlockError(
                f"Got a tensor of {x.dim()} axes, {tuple(x.shape)}; this block works on "
                f"{_AXES[self.dims]}. Add the missing axis or choose dims={max(1, min(3, x.dim() - 2))}."
            )
        if x.shape[1] != self.in_channels:
            raise BlockError(
                f"Got {x.shape[1]} channels; this block was made for {self.in_channels}. "
                f"Channels are axis 1 of {_AXES[self.dims]}."
            )
        if not x.is_floating_point():
            raise BlockError(f"Got {x.dtype}; convert to a floating-point type with x.float().")
        if 0 in x.shape[2:]:
            raise BlockError(f"Got {tuple(x.shape)}: there are no positions to gather from.")
        if x.shape[0] % self.frames_per_clip:
            raise BlockError(
                f"Got a batch of {x.shape[0]}, which is no multiple of frames_per_clip={self.frames_per_clip}."
            )

    def _flatten(self, x: Tensor) -> Tensor:
        """(batch·k, c, *positions) to (batch, c, k·N): a view, unless frames of a clip are joined."""
        flat = x.flatten(2)
        k = self.frames_per_clip
        if k > 1:
            batch = flat.shape[0] // k
            flat = flat.unflatten(0, (batch, k)).transpose(1, 2).flatten(2)
        return flat

    def _unflatten(self, y: Tensor, like: Tensor) -> Tensor:
        k = self.frames_per_clip
        if k > 1:
            y = y.unflatten(2, (k, -1)).transpose(1, 2).flatten(0, 1)
        return y.unflatten(2, like.shape[2:])

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A, B and V of flattened features, by one matrix product for all three projections."""
        weight = torch.cat([self.phi.weight, self.theta.weight, self.rho.weight]).flatten(1)
        bias = torch.cat([self.phi.bias, self.theta.bias, self.rho.bias])
        norm = self.input_norm
        if norm is not None and (norm.training or self.position_norm):
            x = norm(x)
        elif norm is not None:  # a standardised input is a rescaled weight: no pass over X is spent on it
            scale = torch.rsqrt(norm.running_var + norm.eps)
            weight = weight * scale
            bias = bias - weight @ norm.running_mean
        if self.position_norm:
            x = x * torch.rsqrt(x.float().square().mean(dim=1, keepdim=True) + 1e-6).to(x.dtype)
        projected = torch.matmul(weight.to(x.dtype), x) + bias.to(x.dtype)[:, None]
        a, theta, rho = projected.split([self.c_m, self.c_n, self.c_n], dim=1)
        accurate = torch.promote_types(theta.dtype, torch.float32)
        gather = F.softmax(theta, dim=2, dtype=accurate)  # over positions
        distribute = F.softmax(rho, dim=1, dtype=accurate)  # over primitives
        return a, gather, distribute

    def _attend(self, a: Tensor, gather: Tensor, distribute: Tensor) -> Attended:
        primitives = a @ gather.to(a.dtype).transpose(1, 2)
        return Attended(primitives, gather, distribute, primitives @ distribute.to(a.dtype))

    def _combine(self, x: Tensor, a: Tensor, gather: Tensor, distribute: Tensor) -> Tensor:
        b, v = gather.to(a.dtype), distribute.to(a.dtype)
        order, fold = self._plan(x.shape[2])
        weight, bias = self.expand.weight.flatten(1), self.expand.bias
        scale, shift, norm = None, None, self.output_norm
        if norm is not None and not norm.training:
            scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
            shift = norm.bias - norm.running_mean * scale
        if fold and (norm is None or scale is not None):
            # Columns of V sum to 1, so whatever is added to every primitive of the expanded bag is
            # added to every position: bias and batch norm cost c·n instead of c·N.
            bag = weight.to(a.dtype) @ (a @ b.transpose(1, 2)) + bias.to(a.dtype)[:, None]
            if scale is not None and shift is not None:
                bag = bag * scale.to(a.dtype)[:, None] + shift.to(a.dtype)[:, None]
            return torch.baddbmm(x.to(bag.dtype), bag, v) if self.residual else bag @ v
        z = a @ (b.transpose(1, 2) @ v) if order == "right" else (a @ b.transpose(1, 2)) @ v
        y = torch.matmul(weight.to(z.dtype), z) + bias.to(z.dtype)[:, None]
        if norm is not None:
            y = norm(y)
        return x + y if self.residual else y

    def _plan(self, positions: int) -> tuple[str, bool]:
        """The order, and whether to fold, by counting multiply-adds."""
        c, m, n = self.in_channels, self.c_m, self.c_n
        if not isinstance(positions, int):  # a symbolic size while exporting: any length must work
            return ("right", False) if self.order == "right" else ("left", self.fold is not False)
        costs = {
            ("left", True): m * n * positions + c * m * n + c * n * positions,
            ("left", False): 2 * m * n * positions + c * m * positions,
            ("right", False): (m + n) * positions**2 + c * m * positions,
        }
        allowed = {
            plan: cost
            for plan, cost in costs.items()
            if self.order in ("auto", plan[0]) and (self.fold in ("auto", plan[1]) or plan[0] == "right")
        }
        return min(allowed, key=lambda plan: allowed[plan])
