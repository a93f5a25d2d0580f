"""What the benchmarks of many visitors and of a class hold their measures against."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def met(targets: dict[str, bool]) -> bool:
    """Print each target and whether it was met; whether all were."""
    for words, holds in targets.items():
        print(f"  {'met' if holds else 'MISSED':<8}{words}")
    return all(targets.values())
