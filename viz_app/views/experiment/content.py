"""What Experiment says: its controls, and a result in words and tables; pure, no Streamlit, no torch.

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
from viz_app.views.experiment.maps import ramp, veil
from viz_app.views.experiment.setup import Setup

NBSP = "\u00a0"  # between a number and its unit

LEAD = (
    '<div class="a2-lead"><h1>Switch a primitive off.</h1>'
    "<p>See what the network then says about the picture or clip that you chose on Explore.</p></div>"
)
UNTRAINED = (
    '<div class="a2-untrained" role="status"><strong>Random weights.</strong> These blocks were '
    "never trained: what they change is real, what they attend to means nothing.</div>"
)
NO_BLOCK = "This network has no double attention block to experiment with. Choose other weights."

# While something runs.
TRACING = "Tracing the clip"
RUNNING_ONCE = "Running the network once, to keep what stands before the blocks"
RUNNING_DONOR = "Running the network on the other picture"
RUNNING_TAIL = "Running what stands behind the block"

# What can be done.
BLOCK, RULE, CLASS = "Block", "The weight ρ of what is off", "Class"
MISSING, SHARED = "goes missing", "goes to the others"
ABOUT_RULE = (
    "Goes missing: the terms V_ij · expand(g_i) of what is off are left out of the sum. Goes to "
    "the others: at every position ρ is renormalised over what is left and sums to 1 again."
)
ALL_OFF, UNDO, RESET = "All off", "Undo", "Reset"
NOTHING_TO_SHARE = (
    "With every primitive off nothing is left to share ρ among, so nothing is renormalised: this is the "
    "network without the block."
)
TRANSPLANT = "<h3>Transplant a bag <small>gathered in one picture, distributed into this one</small></h3>"
DONOR, ITS_OWN = "Bag of primitives gathered from", "its own"
ABOUT_TRANSPLANT = (
    '<p class="a2-why">The bag fits whatever the shape of the other picture or the length of the '
    "clip: it is a set of vectors without positions. Where each was gathered is summed away; where "
    "it goes, ρ of this picture decides.</p>"
)

# The longest bar of a change in log-odds stands for one of these: the smallest that holds all rows.
ODDS_SCALES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 1000.0)


POINTS = "percentage points"
SHIFTS_ALT = "The classes before and after"
# What the rank correlation says, from the best down; the tiles are read by their order.
VERDICTS = (
    (0.9, "So here the tiles may be read by their order, though not by their sizes."),
    (0.6, "So here the order of the tiles is right in the rough only: measure before one is believed."),
    (-math.inf, "So here the order of the tiles must not be believed."),
)
NO_ORDER = "So here the tiles have no order that could be believed."


def effect_of(label: str, *, transplanted: bool) -> str:
    """What the numbers on the tiles are the effect on."""
    return label + (", by its own bag" if transplanted else "")


def about_trust(count: int) -> str:
    """What the number on a tile is, and what finding the truth takes."""
    return (
        "<h3>Can the number on a tile be trusted?</h3><p>It is the <b>first-order term</b>: what the "
        "primitive adds to the class if the network behind the block were linear. It is not. The true "
        f"effect takes one run each: {count} runs of what stands behind the block.</p>"
    )


def measure(count: int) -> str:
    """The button that has the true effects measured."""
    return f"Measure all {count}"


def measuring(count: int) -> str:
    """What is done while its visitor waits."""
    return f"Switching off {count} primitives, one at a time"


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
        parts.append(f"With the bag of <i>{html.escape(donor_title)}</i>")
    if setup.empty:
        parts.append(f"without this block (all {len(factors)} primitives off)")
    elif len(on) == 1 and len(factors) > 1:
        times = f" × {factors[on[0]]:g}" if scaled else ""
        parts.append(f"with {g(on[0])}{times} alone")
        scaled = []
    elif len(off) > len(factors) / 2:
        parts.append(f"with only {_some(on)}")
    elif off:
        parts.append(f"without {_some(off)}")
    if scaled:
        parts.append(" and ".join(f"{g(i)} × {factors[i]:g}" for i in scaled[:2]))
        if len(scaled) > 2:
            parts[-1] += f" and {len(scaled) - 2} more scaled"
        if len(parts) == 1:
            parts[0] = "with " + parts[0]
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def _some(indices: Sequence[int], most: int = 3) -> str:
    if len(indices) <= most:
        names = [g(i) for i in indices]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(g(i) for i in indices[: most - 1])} and {len(indices) - most + 1} more"


def headline(setup: Setup, outcome: Outcome, donor_title: str = "") -> str:
    """What the network says now, as one sentence in HTML."""
    before, after = int(outcome.before.argmax()), int(outcome.after.argmax())
    name = html.escape(outcome.labels[before])
    was, now = float(outcome.before[before]), float(outcome.after[before])
    if setup.plain:
        return f"With all its primitives the network says <b>{name}</b>, {share(was)}. Switch one off."
    said = described(setup, donor_title)
    if after != before:
        other = html.escape(outcome.labels[after])
        return (
            f"{said} the network says <b>{other}</b>, {share(float(outcome.after[after]))}, in place of "
            f"<b>{name}</b>, which falls from {share(was)} to {share(now)}."
        )
    change = now - was
    if change == 0:
        return f"{said} the network still says <b>{name}</b> with {share(was)}: not a digit moves."
    return (
        f"{said} the network says <b>{name}</b> with {share(now)} in place of {share(was)}: "
        f"<b>{points(abs(change), POINTS)}</b> {'more' if change > 0 else 'less'}."
    )


def share(probability: float) -> str:
    """A probability in per cent with the digits that a small change needs: "33.17 %", "0.0213 %".

    Not `percent`, whose "33 %" would be the same before and after.
    """
    value = 100 * probability
    if value >= 0.995:
        return f"{value:.2f}{NBSP}%"
    return f"{value:.3g}{NBSP}%" if value >= 1e-4 else (f"< 0.0001{NBSP}%" if value > 0 else f"0{NBSP}%")


def points(value: float, unit: str = "pts") -> str:
    """A size of change in percentage points: "1.27 pts", "0.0090 pts"."""
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
        f"The answer as a whole moved by {_nats(outcome.divergence)}.",
        ""
        if setup.empty
        else f"In proportion: without the whole block {html.escape(outcome.labels[best])} changes by "
        f"{signed(points(abs(whole)), whole)}, the answer by {_nats(without.divergence)}.",
    ]
    off = ",".join(map(str, setup.off))
    return (
        f'<section class="a2-outcome" aria-live="polite" data-off="{off}" '
        f'data-donor="{html.escape(setup.donor)}">'
        f'<p class="a2-headline">{headline(setup, outcome, donor_title)}</p>{shift_table(outcome.top(5)[:8])}'
        f'<p class="a2-notes">{" ".join(filter(None, notes))}</p></section>'
    )


def _nats(value: float) -> str:
    return f"{value:.2g} nats (KL)" if value > 0 else "0 nats (KL)"


def trust_sentence(found: Attribution) -> tuple[str, str]:
    """How far first-order terms and true effects agree, in HTML; and what their chart shows, in words."""
    name = html.escape(found.label)
    order = np.argsort(-np.abs(found.ablated), kind="stable")
    first = int(np.argmax(np.abs(found.first_order)))
    leader = int(order[0])
    agree = "also has" if leader == first else f"is not {g(first)}, which has"
    said = (
        f"Spearman’s rank correlation of the two is <b>{_correlation(found.rank_correlation)}</b> for "
        f"<b>{name}</b>. The largest true effect is that of {g(leader)}, "
        f"{log_odds(float(found.ablated[leader]))} logit; it {agree} the largest first-order term. "
        f"{_verdict(found.rank_correlation)}"
    )
    alt = (
        f"Scatter plot of {len(order)} primitives for {found.label}: first-order term against true effect, "
        f"rank correlation {_correlation(found.rank_correlation)}"
    )
    return said, alt


def _verdict(rank_correlation: float) -> str:
    """What a rank correlation means for the numbers on the tiles."""
    if math.isnan(rank_correlation):
        return NO_ORDER
    return next(words for least, words in VERDICTS if rank_correlation >= least)


def _correlation(value: float) -> str:
    return "not defined" if math.isnan(value) else f"{value:.3f}".replace("-", "−")


def shift_table(shifts: Sequence[ClassShift]) -> str:
    """Classes before and after as an HTML table: paired bars, percentage points, and log-odds."""
    longest = bar_top(max(max(shift.before, shift.after) for shift in shifts))
    reach = odds_scale(shifts)
    rows = "".join(_row(shift, longest, reach) for shift in shifts)
    return (
        f'<div class="a2-shifts-box" role="region" tabindex="0" aria-label="{SHIFTS_ALT}">'
        '<table class="a2-shifts"><thead>'
        '<tr><th scope="col">class</th><th scope="col">before</th>'
        '<th scope="col">after</th><th scope="col" class="a2-wide">probability '
        f"<small>bars to {percent(longest)}</small></th>"
        '<th scope="col">change</th>'
        f'<th scope="col" colspan="2">log-odds <small>bar ends at ± {reach:g}</small></th></tr></thead>'
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
    where = "" if peak == 0 else f", most where {_quarter(moved)}"
    _, rows, cols = moved.shape
    return (
        f'<figure class="a2-changed{" a2-clip" if len(frames) > 1 else ""}" role="img" '
        f'style="--aspect:{cols / rows:.4f}" '
        f'aria-label="{html.escape(alt)}: the block’s output changed by up to {percent(peak)}{where}">'
        f'<div class="a2-frames">{pictures}</div>'
        f"<figcaption><b>Where the block’s output changed</b>{_scale(moved, peak)}</figcaption></figure>"
    )


def _scale(moved: np.ndarray, peak: float) -> str:
    if peak == 0:
        return "<p>Nowhere: it is what it was.</p>"
    middle = float(np.median(moved))
    return (
        f'<div class="a2-ramp"><i style="background:{ramp()}"></i><span>0</span>'
        f"<span>{percent(peak)}</span></div>"
        f"<p>|Y′ − Y| / |Y| at each position; half of the {moved.size} positions changed by less than "
        f"{percent(middle)}.</p>"
    )


def _quarter(moved: np.ndarray) -> str:
    _, row, col = np.unravel_index(int(moved.argmax()), moved.shape)
    rows, cols = moved.shape[1:]
    down = ("at the top", "in the middle", "at the bottom")[min(2, int(3 * row / rows))]
    across = ("left", "", "right")[min(2, int(3 * col / cols))]
    return f"{down} {across}".strip()
