"""The ways to compute double attention, the same to rounding, and what each costs."""

from __future__ import annotations

from typing import NamedTuple, Protocol

# One pass over an array costs about as much as this many multiply-adds for each of its elements
# (measured on x86 with AVX2: 0.24 ns an element, 0.027 ns a multiply-add).
_PASS = 9


class Sizes(Protocol):
    """What the cost depends on beside the positions, as the block calls it."""

    in_channels: int
    c_m: int
    c_n: int
    residual: bool


class Plan(NamedTuple):
    """One of the ways to compute the same block."""

    order: str  # "left" or "right"
    phi_last: bool  # φ applied to the gathered bag, not to every position
    expand_first: bool  # the expansion applied to the bag, not to every position

    def cost(self, sizes: Sizes, positions: int) -> int:
        """Multiply-adds of a block of such sizes at so many positions, passes over memory counted in."""
        c, m, n, size = sizes.in_channels, sizes.c_m, sizes.c_n, positions
        cost = 2 * c * n * size + 2 * n * size * _PASS  # θ and ρ
        if self.phi_last:
            cost += c * n * size + c * m * n
        else:
            cost += c * m * size + m * size * _PASS
            cost += n * size * size if self.order == "right" else m * n * size
        if self.expand_first:
            cost += c * m * n + c * n * size + (c * size * _PASS if sizes.residual else 0)
        else:
            cost += (m * size * size if self.order == "right" else m * n * size) + c * m * size
            cost += (2 if sizes.residual else 1) * c * size * _PASS
        if self.order == "right":
            cost += size * size * _PASS  # N×N is written and read
        return cost
