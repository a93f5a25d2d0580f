"""A result of Experiment in words and tables; pure, no Streamlit, no torch. Its words: words.py.

Changes are printed in per mille of probability and in log-odds, since one primitive of sixty-four
rarely moves a class by a whole per cent: small effects are shown as what they are, and legibly.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np

from a2core import Attribution, ClassShift, Outcome
from a2core.canvas import bar_top, percent
from viz_app.views.experiment import words
from viz_app.views.experiment.maps import ramp, veil
from viz_app.views.experiment.setup import Setup

NBSP = "\u00a0"  # between a number and its unit

# The longest bar of a change in log-odds stands for one of these: the smallest that holds all rows.
ODDS_SCALES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 1000.0)


def g(i: int) -> str:
    """The name of a primitive, as HTML."""
    return f"g<sub>{i}</sub>"


def described(setup: Setup, donor_title: str = "") -> str:
    """The experiment as the beginning of a sentence, in HTML: "Without g31", "With g7 alone"."""
    factors = setup.factors
    off = setup.off
    on = [i for i, factor in enumerate(factors) if factor]
    scaled = [i for i in on if factors[i] != 1]
    parts = []
    if setup.donor:
        parts.append(words.bag_of(html.escape(donor_title)))
    if setup.empty:
        parts.append(words.without_block(len(factors)))
    elif len(on) == 1 and len(factors) > 1:
        parts.append(words.alone(g(on[0]), f"{factors[on[0]]:g}" if scaled else ""))
        scaled = []
    elif len(off) > len(factors) / 2:
        parts.append(words.only(_some(on)))
    elif off:
        parts.append(words.without(_some(off)))
    if scaled:
        named = [f"{g(i)} × {factors[i]:g}" for i in scaled[:2]]
        parts.append(words.scaled(named, max(0, len(scaled) - 2), first=not parts))
    return words.beginning(parts)


def _some(indices: Sequence[int], most: int = 3) -> str:
    named = indices if len(indices) <= most else indices[: most - 1]
    return words.some([g(i) for i in named], len(indices) - len(named))


def headline(setup: Setup, outcome: Outcome, donor_title: str = "") -> str:
    """What the network says now, as one sentence in HTML."""
    before, after = int(outcome.before.argmax()), int(outcome.after.argmax())
    name = html.escape(outcome.labels[before])
    was, now = float(outcome.before[before]), float(outcome.after[before])
    if setup.plain:
        return words.as_it_is(name, share(was))
    said = described(setup, donor_title)
    if after != before:
        other, its = html.escape(outcome.labels[after]), share(float(outcome.after[after]))
        return words.another_answer(said, other, its, name, share(was), share(now))
    change = now - was
    if change == 0:
        return words.same_answer(said, name, share(was))
    size = points(abs(change), words.POINTS)
    return words.changed_answer(said, name, share(was), share(now), size, more=change > 0)


def share(probability: float) -> str:
    """A probability in per cent with the digits that a small change needs: "33.17 %", "0.0213 %".

    Not `percent`, whose "33 %" would be the same before and after.
    """
    value = 100 * probability
    if value >= 0.995:
        return f"{value:.2f}{NBSP}%"
    return f"{value:.3g}{NBSP}%" if value >= 1e-4 else (f"< 0.0001{NBSP}%" if value > 0 else f"0{NBSP}%")


def points(value: float, unit: str = "") -> str:
    """A size of change in percentage points, for short where no `unit` is given: "1.27 pts", "0.0090 pts"."""
    unit = unit or words.SHORT_POINTS
    size = 100 * value
    if size < 5e-5:
        return f"≈{NBSP}0{NBSP}{unit}" if size > 0 else f"0{NBSP}{unit}"
    digits = 1 if size >= 9.95 else 2 if size >= 0.995 else 3 if size >= 0.0095 else 4
    return f"{size:.{digits}f}{NBSP}{unit}"


def signed(text: str, value: float) -> str:
    """`text`, the size of `value`, with its sign; nothing at all moved is a plain zero."""
    return text if value == 0 or text.startswith("≈") else f"{'+' if value > 0 else '−'}{text}"


def log_odds(value: float) -> str:
    """A change of log-odds: "−0.061", "+2.3"."""
    size = abs(value)
    if size < 5e-6:
        return "0" if size == 0 else "≈ 0"
    digits = 2 if size >= 0.995 else 3 if size >= 0.0095 else 4 if size >= 0.00095 else 5
    return signed(f"{size:.{digits}f}", value)


def result_html(setup: Setup, outcome: Outcome, without: Outcome, donor_title: str, note: str) -> str:
    """The sentence, the table and what puts it into proportion, as one section of HTML.

    `without` is the outcome with every primitive off; `note` says how the experiment was done.
    """
    best = int(outcome.before.argmax())
    whole = float(without.after[best] - without.before[best])
    notes = [
        note,
        words.moved_by(_nats(outcome.divergence)),
        ""
        if setup.empty
        else words.in_proportion(
            html.escape(outcome.labels[best]),
            signed(points(abs(whole)), whole),
            _nats(without.divergence),
        ),
    ]
    off = ",".join(map(str, setup.off))
    return (
        f'<section class="a2-outcome" aria-live="polite" data-off="{off}" '
        f'data-donor="{html.escape(setup.donor)}">'
        f'<p class="a2-headline">{headline(setup, outcome, donor_title)}</p>{shift_table(outcome.top(5)[:8])}'
        f'<p class="a2-notes">{words.BETWEEN_NOTES.join(filter(None, notes))}</p></section>'
    )


def _nats(value: float) -> str:
    return f"{value:.2g} nats (KL)" if value > 0 else "0 nats (KL)"


def trust_sentence(found: Attribution) -> tuple[str, str]:
    """How far first-order terms and true effects agree, in HTML; and what their chart shows, in words."""
    order = np.argsort(-np.abs(found.ablated), kind="stable")
    leader = int(order[0])
    correlation = _correlation(found.rank_correlation)
    said = words.trust(
        correlation=correlation,
        name=html.escape(found.label),
        leader=leader,
        effect=log_odds(float(found.ablated[leader])),
        first=int(np.argmax(np.abs(found.first_order))),
        verdict=words.verdict(found.rank_correlation),
    )
    return said, words.trust_alt(len(order), found.label, correlation)


def _correlation(value: float) -> str:
    return words.UNDEFINED if math.isnan(value) else f"{value:.3f}".replace("-", "−")


def shift_table(shifts: Sequence[ClassShift]) -> str:
    """Classes before and after as an HTML table: paired bars, percentage points, and log-odds."""
    longest = bar_top(max(max(shift.before, shift.after) for shift in shifts))
    reach = odds_scale(shifts)
    columns = words.COLUMNS
    rows = "".join(_row(shift, longest, reach) for shift in shifts)
    return (
        f'<div class="a2-shifts-box" role="region" tabindex="0" aria-label="{words.SHIFTS_ALT}">'
        '<table class="a2-shifts"><thead>'
        f'<tr><th scope="col">{columns["class"]}</th><th scope="col">{columns["before"]}</th>'
        f'<th scope="col">{columns["after"]}</th><th scope="col" class="a2-wide">{columns["probability"]} '
        f"<small>{words.bars_to(percent(longest))}</small></th>"
        f'<th scope="col">{columns["change"]}</th><th scope="col" colspan="2">{columns["odds"]} '
        f"<small>{words.bar_ends(f'{reach:g}')}</small></th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def odds_scale(shifts: Sequence[ClassShift]) -> float:
    """What the end of a bar of log-odds stands for: one of `ODDS_SCALES`."""
    largest = max(abs(shift.log_odds) for shift in shifts)
    return next((scale for scale in ODDS_SCALES if largest <= scale), ODDS_SCALES[-1])


def _row(shift: ClassShift, longest: float, reach: float) -> str:
    was, now = (100 * value / longest for value in (shift.before, shift.after))
    half = 50 * min(1.0, abs(shift.log_odds) / reach)
    side = "up" if shift.difference > 0 else "down"
    left = 50.0 if side == "up" else 50.0 - half
    return (
        f'<tr><th scope="row">{html.escape(shift.label)}</th>'
        f'<td class="a2-was">{share(shift.before)}</td><td class="a2-now">{share(shift.after)}</td>'
        f'<td class="a2-wide"><span class="a2-paired"><i style="width:{was:.2f}%"></i>'
        f'<b style="width:{now:.2f}%"></b></span></td>'
        f'<td class="a2-by">{signed(points(abs(shift.difference)), shift.difference)}</td>'
        f'<td class="a2-odds">{log_odds(shift.log_odds)}</td>'
        f'<td class="a2-oddsbar"><span><i class="a2-{side}" style="left:{left:.2f}%;width:{half:.2f}%"></i>'
        "</span></td></tr>"
    )


def changed_figure(moved: np.ndarray, frames: Sequence[str], times_s: Sequence[float], alt: str) -> str:
    """Where the block's output changed, (T, h, w), over the frames (data URLs), with its scale."""
    peak = float(moved.max())
    pictures = "".join(
        f'<div class="a2-moved"><img src="{frame}" alt=""><img src="{veil(moved[t], peak)}" alt="">'
        + (f"<span>{times_s[t]:.2f} s</span>" if len(frames) > 1 else "")
        + "</div>"
        for t, frame in enumerate(frames)
    )
    said = words.changed_alt(alt, percent(peak), _place(moved) if peak else "")
    _, rows, cols = moved.shape
    return (
        f'<figure class="a2-changed{" a2-clip" if len(frames) > 1 else ""}" role="img" '
        f'style="--aspect:{cols / rows:.4f}" '
        f'aria-label="{html.escape(said)}">'
        f'<div class="a2-frames">{pictures}</div>'
        f"<figcaption><b>{words.CHANGED}</b>{_scale(moved, peak)}</figcaption></figure>"
    )


def _scale(moved: np.ndarray, peak: float) -> str:
    if peak == 0:
        return f"<p>{words.NOWHERE}</p>"
    middle = float(np.median(moved))
    return (
        f'<div class="a2-ramp"><i style="background:{ramp()}"></i><span>0</span>'
        f"<span>{percent(peak)}</span></div>"
        f"<p>{words.changed_scale(moved.size, percent(middle))}</p>"
    )


def _place(moved: np.ndarray) -> str:
    """In which ninth of the picture most changed."""
    _, row, col = np.unravel_index(int(moved.argmax()), moved.shape)
    rows, cols = moved.shape[1:]
    return words.PLACES[min(2, int(3 * row / rows))][min(2, int(3 * col / cols))]
