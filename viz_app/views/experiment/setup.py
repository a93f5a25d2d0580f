"""What an experiment is: a factor for each primitive, what becomes of ρ, and whose bag is used; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

LARGEST_FACTOR = 4.0


@dataclass(frozen=True)
class Setup:
    """What is done to a block: a factor for each primitive, what happens to ρ, and whose bag it is.

    `donor` is the id of the picture that the bag is gathered from, "" for the picture itself.
    """

    factors: tuple[float, ...]
    renormalise: bool = False
    donor: str = ""

    @property
    def off(self) -> list[int]:
        """The primitives that are switched off."""
        return [i for i, factor in enumerate(self.factors) if factor == 0]

    @property
    def plain(self) -> bool:
        """Whether nothing is changed."""
        return not self.donor and all(factor == 1 for factor in self.factors)

    @property
    def empty(self) -> bool:
        """Whether every primitive is off."""
        return not any(self.factors)

    def with_factors(self, factors: Sequence[float]) -> Setup:
        """The same with other factors."""
        return replace(self, factors=tuple(factors))


def plain_setup(count: int) -> Setup:
    """`count` primitives as they are."""
    return Setup((1.0,) * count)


def parse_opened(raw: Any, *, count: int) -> int | None:
    """The primitive that the board's report `raw`, anything at all, asks to see on Explore, or None."""
    opened = raw.get("opened") if isinstance(raw, Mapping) else None
    fits = isinstance(opened, int) and not isinstance(opened, bool) and 0 <= opened < count
    return opened if fits else None


def parse_factors(raw: Any, *, count: int) -> tuple[float, ...] | None:
    """The factors in the board's report `raw`, anything at all, or None."""
    if not isinstance(raw, Mapping):
        return None
    factors = raw.get("factors")
    if not isinstance(factors, list) or len(factors) != count:
        return None
    for factor in factors:
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            return None
        if not 0 <= factor <= LARGEST_FACTOR:
            return None
    return tuple(float(factor) for factor in factors)
