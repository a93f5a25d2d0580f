"""Which frames of a clip to show: evenly in time, each once, all of them where they are few."""

from __future__ import annotations

import math

import numpy as np

from a2core.errors import MediaError


def check_range(start_s: float | None, end_s: float | None) -> None:
    """MediaError unless these bound a stretch of time; None is the clip's own end."""
    for bound in (start_s, end_s):
        if bound is not None and not (math.isfinite(bound) and bound >= 0):
            raise MediaError(
                "A time of {bound} s was asked for: give seconds from the start, 0 or more.", bound=bound
            )
    if start_s is not None and end_s is not None and start_s > end_s:
        raise MediaError(
            "The clip would start at {start_s:g} s and end at {end_s:g} s: swap the two.",
            start_s=start_s,
            end_s=end_s,
        )


def pick(
    who: str, times_s: np.ndarray, count: int, start_s: float | None = None, end_s: float | None = None
) -> np.ndarray:
    """Indices, rising, of at most ``count`` frames spread evenly over a stretch of time.

    The first and the last frame of the stretch are among them (one alone is the middle one), the
    others are those nearest to even steps in time: where frames come at a steady rate, even steps
    in number too. A stretch that lies between two frames shows the one that stands there.

    Args:
        who: What to call the file.
        times_s: (N,) rising, N ≥ 1.
        count: At least 1.
        start_s: First moment of the stretch; None for the beginning.
        end_s: Last moment of the stretch; None for the end.

    Raises:
        MediaError: The clip has ended before the stretch begins.
    """
    slack = 1e-3  # containers round times to milliseconds
    first = -math.inf if start_s is None else start_s - slack
    last = math.inf if end_s is None else end_s + slack
    inside = np.flatnonzero((times_s >= first) & (times_s <= last))
    if not len(inside):
        standing = int(np.searchsorted(times_s, first, side="right")) - 1
        lasts_s = float(times_s[-1] - times_s[0]) / max(1, len(times_s) - 1) or 1.0
        if first > times_s[-1] + lasts_s:
            raise MediaError(
                "{who} has no frames after {start_s:g} s: its last is at {last_s:.2f} s. Begin sooner.",
                who=who,
                start_s=start_s,
                last_s=times_s[-1],
            )
        return np.array([max(standing, 0)])
    if len(inside) <= count:
        return inside

    times = times_s[inside]
    wanted = np.linspace(times[0], times[-1], count) if count > 1 else (times[:1] + times[-1:]) / 2
    after = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    nearest = after - (wanted - times[after - 1] <= times[after] - wanted)
    for i in range(1, count):  # each frame once, where several steps fall on the same
        nearest[i] = max(nearest[i], nearest[i - 1] + 1)
    return inside[np.minimum(nearest, len(inside) - count + np.arange(count))]
