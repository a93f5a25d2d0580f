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
cosine similarity does, not lengths; "centred" first takes away what all positions share, which says
nothing on where anything is); and a batch norm may follow the expansion (`output_norm`, as
in the first author's later code; its scale starts at zero, so that a fresh block is the identity).

Two of the projections are linear maps on either side of a weighted sum whose weights add up to one,
so they may be applied to the n primitives instead of to all N positions, with the same result:

    φ(X) Bᵀ = W_φ (X Bᵀ) + b_φ,    expand(G V) = (W_e G + b_e) V

That saves m·n·N multiply-adds each, and A, Z and expand(Z) are never written to memory. The option
`fold` decides; `fold=False` computes the equations to the letter. Long inputs without gradients are
worked on in runs of positions, so that B and V are never whole in memory either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core.blocks.plan import Plan
from a2core.blocks.position_block import (
    CONVOLUTION,
    LENGTH,
    Inside,
    PositionBlock,
    PositionNorm,
    channels_last,
    position_normalised,
)
from a2core.errors import BlockError

Order = Literal["left", "right", "auto"]


# Without gradients, inputs of at least so many positions are worked on in runs of so many: the maps of all
# positions are never in memory together. On a processor a run's logits stay in its cache. A GPU has no use
# for that, and each run costs it a dozen launches: it gets long ones, where the maps would weigh.
_STREAM_FROM = {"cpu": 2048, "cuda": 2**17}
_RUN = {"cpu": 1568, "cuda": 2**16}


class Attended(NamedTuple):
    """What one block did to a batch; positions are flattened to N.

    `gather` and `distribute` are at least float32 whatever the input's precision.
    """

    primitives: Tensor  # (batch, m, n)
    gather: Tensor  # (batch, n, N), sums to 1 over N
    distribute: Tensor  # (batch, n, N), sums to 1 over n
    output: Tensor  # (batch, m, N), Z = G V


class DoubleAttention(PositionBlock):
    """Double attention block, input and output (batch, in_channels, *positions).

    As the paper has it but for one default: `input_norm` is on, since on a frozen trunk, which no batch norm
    of its own can adapt, gather maps otherwise collapse onto a few cells. `input_norm=False` is the paper's,
    and what the paper's networks here are made of (`networks.paper`); `position_norm` is off, as there.

    Args:
        in_channels: c, channels of the input and output.
        c_m: m, length of each primitive.
        c_n: n, number of primitives.
        dims: 1, 2 or 3 position axes.
        order: "left" computes (A Bᵀ) V in 2·m·n·N multiply-adds, "right" A (Bᵀ V) in (m + n)·N²;
            "auto" takes the cheaper for the shape at hand. The numbers agree to rounding.
        residual: add the input to the expanded result.
        input_norm: standardise the input per channel before φ, θ and ρ (see the module's header).
        position_norm: after that, scale the features of each position to unit root mean square;
            "centred": with their mean over all positions taken away first.
        output_norm: batch norm after the expansion, scale starting at zero.
        fold: True applies the expansion to the bag before distributing, and φ after gathering where
            that is cheaper; "auto" does each where it is cheaper; False neither (the module's header).
        check_finite: refuse an input that is not finite, saying where it first is; costs a pass.

    Attributes:
        frames_per_clip: see `PositionBlock`.
        observer: called after each forward pass with X (batch, c, N), what was attended, Y
            (batch, c, N) and the shape of the positions of one entry of the batch, when not None:
            this is how a trace looks in.

    Raises:
        BlockError: sizes below 1, an unknown option, or an input of the wrong rank, channels,
            dtype or with no positions.
    """

    kind = "double_attention"
    title = "A², double attention"
    summary = "A small bag of primitives is gathered once; the pixel takes its own mixture."
    attends = "bag"
    row_sums_to_one = True
    sizes = {"c_m": LENGTH, "c_n": LENGTH, "position_norm": "centred"}
    width = "c_n"

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
        position_norm: PositionNorm = False,
        output_norm: bool = False,
        fold: bool | Literal["auto"] = "auto",
        check_finite: bool = False,
    ) -> None:
        super().__init__(in_channels, dims, c_m=c_m, c_n=c_n)
        if order not in ("left", "right", "auto"):
            raise BlockError(f"order is {order!r}: choose 'left', 'right' or 'auto'.")
        if position_norm not in (True, False, "centred"):
            raise BlockError(f"position_norm is {position_norm!r}: choose True, False or 'centred'.")
        if fold not in (True, False, "auto"):
            raise BlockError(f"fold is {fold!r}: choose True, False or 'auto'.")
        self.c_m, self.c_n = c_m, c_n
        self.order, self.residual, self.fold = order, residual, fold
        self.check_finite = check_finite
        self.observer: Callable[[Tensor, Attended, Tensor, tuple[int, ...]], None] | None = None

        conv: Any = CONVOLUTION[dims]  # torch types its bias as optional; here it is always there
        self.phi = conv(in_channels, c_m, 1)
        self.theta = conv(in_channels, c_n, 1)
        self.rho = conv(in_channels, c_n, 1)
        self.expand = conv(c_m, in_channels, 1)
        self.input_norm: Any = nn.BatchNorm1d(in_channels, affine=False) if input_norm else None
        self.position_norm = position_norm
        self.output_norm: Any = nn.BatchNorm1d(in_channels) if output_norm else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start small, so that fresh maps are nearly flat and the block is near the identity."""
        for projection in (self.phi, self.theta, self.rho, self.expand):
            nn.init.normal_(projection.weight, std=0.05)
            nn.init.zeros_(projection.bias)
        if self.output_norm is not None:
            nn.init.zeros_(self.output_norm.weight)

    def start_as_identity(self) -> None:
        """Make a fresh block leave the network's answers as they are; ρ starts out equal to θ."""
        super().start_as_identity()
        with torch.no_grad():
            self.rho.weight.copy_(self.theta.weight)

    def extra_repr(self) -> str:
        """The sizes, for `print(block)`."""
        return f"c={self.in_channels}, m={self.c_m}, n={self.c_n}, dims={self.dims}, order={self.order!r}"

    def forward(self, x: Tensor) -> Tensor:
        """Y = X + expand(G V), the shape, dtype and memory format of `x`."""
        self._check(x)
        if self.observer is None:
            flat = self.flatten(x)
            y = self._stream(flat) if self._can_stream(flat) else self._compute(flat)[0]
            return self._unflatten(y, x).to(x.dtype)
        # What is looked at must add up when checked by hand: full precision, also under autocast.
        with torch.autocast(x.device.type, enabled=False):
            flat = self.flatten(x.to(torch.promote_types(x.dtype, torch.float32)))
            y, source, gather, distribute = self._compute(flat)
            primitives = self._primitives(source, gather)
            self.observer(
                flat, Attended(primitives, gather, distribute, primitives @ distribute), y, tuple(x.shape[2:])
            )
        return self._unflatten(y, x).to(x.dtype)

    def attend(self, x: Tensor) -> Attended:
        """Primitives, gather maps, distribution weights and Z of `x`, positions flattened."""
        self._check(x)
        source = self._source(self.flatten(x))
        gather, distribute = self._maps(source)
        primitives = self._primitives(source, gather)
        return Attended(primitives, gather, distribute, primitives @ distribute.to(primitives.dtype))

    def inside(self, x: Tensor, rows: Tensor) -> Inside:
        """As of every block, with θ and ρ."""
        attended = self.attend(x)
        n = attended.distribute.shape[1]
        picked = attended.distribute.gather(2, rows[:, None].expand(-1, n, -1))
        rows_of = picked.transpose(1, 2) @ attended.gather
        return Inside(rows_of, attended.output, attended.gather, attended.distribute)

    def attention_row(self, x: Tensor, position: int | Sequence[int]) -> Tensor:
        """Where `position` gets its information from: E(p, j) = Σ_i V_ip B_ij, in O(n·N).

        Args:
            x: as for `forward`.
            position: (row, col) in cells, or (i,), (t, row, col), or a flat index.

        Returns:
            (batch, *positions), at least float32, each entry of the batch summing to 1.

        Raises:
            BlockError: no such position, or as `forward`.
        """
        self._check(x)
        p = self._flat_position(x, position)
        gather, distribute = self._maps(self._source(self.flatten(x)))
        return self._as_maps((distribute[:, None, :, p] @ gather).squeeze(1), x)

    def _check(self, x: Tensor) -> None:
        super()._check(x)
        normalised = [
            norm for norm in (self.input_norm, self.output_norm) if norm is not None and norm.training
        ]
        if normalised and isinstance(x.shape[0], int) and x.shape[0] * math.prod(x.shape[2:]) < 2:
            raise BlockError(
                f"Got {tuple(x.shape)} while training: a batch norm needs at least two values per channel. "
                "Use a larger batch, block.eval(), or input_norm=False and output_norm=False."
            )

    def _source(self, x: Tensor) -> Tensor:
        """What the three projections read: X, normalised where that cannot ride in their weights."""
        norm = self.input_norm
        if norm is not None and (norm.training or self.position_norm):
            x = norm(x)
        return position_normalised(x, self.position_norm)

    def _weights(self, *projections: Any) -> tuple[Tensor, Tensor]:
        """Weight (rows, c) and bias (rows,) of projections stacked, reading `_source`."""
        weight = torch.cat([projection.weight for projection in projections]).flatten(1)
        bias = torch.cat([projection.bias for projection in projections])
        norm = self.input_norm
        if norm is not None and not norm.training and not self.position_norm:
            # A standardised input is a rescaled weight: no pass over X is spent on it.
            weight = weight * torch.rsqrt(norm.running_var + norm.eps)
            bias = bias - weight @ norm.running_mean
        return weight, bias

    def _maps(self, source: Tensor, logits: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """B and V, at least float32, by one matrix product for both unless `logits` are given."""
        if logits is None:
            logits = _affine(*self._weights(self.theta, self.rho), source)
        theta, rho = logits.split([self.c_n, self.c_n], dim=1)
        accurate = torch.promote_types(theta.dtype, torch.float32)
        # Over positions, and over primitives.
        return F.softmax(theta, dim=2, dtype=accurate), F.softmax(rho, dim=1, dtype=accurate)

    def _primitives(self, source: Tensor, gather: Tensor) -> Tensor:
        """G = φ(X) Bᵀ, φ applied last: the rows of B sum to 1."""
        return _affine(*self._weights(self.phi), source @ gather.to(source.dtype).transpose(1, 2))

    def _expanded(self, bag: Tensor) -> Tensor:
        """The bag after expansion and batch norm, (batch, c, n).

        Columns of V sum to 1, so whatever is added to every primitive of the expanded bag is added to
        every position: bias and batch norm cost c·n instead of c·N.
        """
        bag = _affine(self.expand.weight.flatten(1), self.expand.bias, bag)
        norm = self.output_norm
        if norm is not None:
            scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
            shift = norm.bias - norm.running_mean * scale
            bag = bag * scale.to(bag.dtype)[:, None] + shift.to(bag.dtype)[:, None]
        return bag

    def _can_stream(self, x: Tensor) -> bool:
        """Whether nothing but Y is wanted of an input so long that its maps are better never kept."""
        if torch.compiler.is_compiling() or torch.is_grad_enabled() or not isinstance(x.shape[2], int):
            return False
        return (
            x.device.type in _STREAM_FROM
            and x.shape[2] >= _STREAM_FROM[x.device.type]
            and x.shape[0] > 0
            and x.dtype in (torch.float32, torch.float64)
            and not torch.is_autocast_enabled(x.device.type)
            and not torch._C._are_functorch_transforms_active()
            and not self.position_norm
            and not (self.input_norm is not None and self.input_norm.training)
            and self._plan(x.shape[2]) == Plan("left", True, True)
        )

    def _stream(self, x: Tensor) -> Tensor:
        """Y of flattened features, a run of positions at a time: maps of a run only, never of all.

        Each run is softmaxed by itself; runs are then weighed by their sums of exponentials, kept as
        logarithms.
        """
        theta, rho = self._weights(self.theta), self._weights(self.rho)
        pooled = log_sum = x.new_empty(0)
        run = _RUN[x.device.type]
        for index, part in enumerate(x.split(run, dim=2)):
            logits = _affine(*theta, part)
            local = F.softmax(logits, dim=2)
            now = logits.amax(dim=2) - local.amax(dim=2).log()  # the largest weight is exp(max) / sum
            here = part @ local.transpose(1, 2)
            if index == 0:
                pooled, log_sum = here, now
            else:
                both = torch.logaddexp(log_sum, now)
                pooled.mul_((log_sum - both).exp_()[:, None]).add_(here.mul_((now - both).exp_()[:, None]))
                log_sum = both
        bag = self._expanded(_affine(*self._weights(self.phi), pooled))
        y = x.clone() if self.residual else torch.zeros_like(x)
        for part, out in zip(x.split(run, dim=2), y.split(run, dim=2), strict=True):
            out.baddbmm_(bag, F.softmax(_affine(*rho, part), dim=1))
        return y

    def _compute(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Y of flattened features, with what the projections read, B and V."""
        plan = self._plan(x.shape[2])
        source = self._source(x)
        features = None
        if plan.phi_last:
            gather, distribute = self._maps(source)
        else:
            stacked = _affine(*self._weights(self.phi, self.theta, self.rho), source)
            features = stacked[:, : self.c_m]
            gather, distribute = self._maps(source, stacked[:, self.c_m :])
        return self._combine(x, source, features, gather, distribute, plan), source, gather, distribute

    def _combine(
        self,
        x: Tensor,
        source: Tensor,
        features: Tensor | None,
        gather: Tensor,
        distribute: Tensor,
        plan: Plan,
    ) -> Tensor:
        low = source.dtype if features is None else features.dtype
        b, v = gather.to(low), distribute.to(low)
        if plan.order == "right" and features is not None:
            z = features @ (b.transpose(1, 2) @ v)
        else:
            bag = self._primitives(source, gather) if features is None else features @ b.transpose(1, 2)
            if plan.expand_first:
                bag = self._expanded(bag)
                return _distribute(x.to(bag.dtype) if self.residual else None, bag, v.to(bag.dtype), like=x)
            z = bag @ v.to(bag.dtype)
        y = _affine(self.expand.weight.flatten(1), self.expand.bias, z)
        if self.output_norm is not None:
            y = self.output_norm(y)
        return x + y if self.residual else y

    def _plan(self, positions: int | torch.SymInt) -> Plan:
        """The cheapest allowed way, by counting multiply-adds and passes over memory."""
        can_fold = self.fold is not False and (self.output_norm is None or not self.output_norm.training)
        if not isinstance(positions, int):  # a symbolic size while exporting: any length must work
            return Plan("right", False, False) if self.order == "right" else Plan("left", can_fold, can_fold)
        plans = []
        if self.order != "right":
            late = (False, True) if self.fold is not False else (False,)
            folds = (False, True) if can_fold and self.fold == "auto" else (can_fold,)
            plans += [Plan("left", phi_last, fold) for phi_last in late for fold in folds]
        if self.order != "left":
            plans.append(Plan("right", False, False))
        best = plans[0]
        for plan in plans[1:]:  # not min(): torch.compile then guards on the comparison, for any size
            if plan.cost(self, positions) < best.cost(self, positions):
                best = plan
        return best


def _affine(weight: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    """Weight (r, c) times x (batch, c, N) plus bias (r,), in x's precision."""
    weight, bias = weight.to(x.dtype), bias.to(x.dtype)
    return torch.baddbmm(bias[None, :, None], weight.expand(x.shape[0], -1, -1), x)


def _distribute(x: Tensor | None, bag: Tensor, v: Tensor, *, like: Tensor) -> Tensor:
    """(X +) bag V, laid out as `like` is: channels last when they are last there."""
    if channels_last(like):
        bag, v = v.transpose(1, 2), bag.transpose(1, 2)
        y = bag @ v if x is None else torch.baddbmm(x.transpose(1, 2), bag, v)
        return y.transpose(1, 2)
    return bag @ v if x is None else torch.baddbmm(x, bag, v)
