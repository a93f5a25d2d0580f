"""What an experiment is, and its result in words, tables and pictures: pure, no Streamlit, no torch.

Changes are printed in per mille of probability and in log-odds, since one primitive of sixty-four
rarely moves a class by a whole per cent: small effects are shown as what they are, and legibly.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from a2core import Attribution, BlockTrace, ClassShift, Outcome
from viz_app.ui.figures import colour_table, webp_url

NBSP = "\u00a0"  # between a number and its unit
TILE_WIDTH_PX = 120
TILES_A_ROW = 8
VEIL_SCALE = 8  # pixels a cell of a map that lies over the picture
LARGEST_FACTOR = 4.0
# The longest bar of a change in log-odds stands for one of these: the smallest that holds all rows.
ODDS_SCALES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 1000.0)


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


def opening_setup(first_order: np.ndarray) -> Setup:
    """What the page opens with: the primitive that speaks loudest for or against the answer is off."""
    factors = [1.0] * len(first_order)
    factors[int(np.argmax(np.abs(first_order)))] = 0.0
    return Setup(tuple(factors))


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


# ---------------------------------------------------------------------------------------------
# In words


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
        f"<b>{per_mille(abs(change))}</b> {'more' if change > 0 else 'less'}."
    )


def share(probability: float) -> str:
    """A probability in per cent with the digits that a small change needs: "33.17 %", "0.0213 %"."""
    value = 100 * probability
    if value >= 0.995:
        return f"{value:.2f}{NBSP}%"
    return f"{value:.3g}{NBSP}%" if value >= 1e-4 else (f"< 0.0001{NBSP}%" if value > 0 else f"0{NBSP}%")


def per_mille(value: float) -> str:
    """A size of change in thousandths of probability: "13.5 ‰", "0.02 ‰"."""
    points = 1000 * value
    if points >= 9.95:
        return f"{points:.1f}{NBSP}‰"
    if points >= 0.0995:
        return f"{points:.2f}{NBSP}‰"
    return f"{points:.3f}{NBSP}‰" if points >= 5e-4 else (f"≈ 0{NBSP}‰" if points > 0 else f"0{NBSP}‰")


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
        f"{signed(per_mille(abs(whole)), whole)}, the answer by {_nats(without.divergence)}.",
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
        f"{log_odds(float(found.ablated[leader]))} logit; it {agree} the largest first-order term."
    )
    alt = (
        f"Scatter plot of {len(order)} primitives for {found.label}: first-order term against true effect, "
        f"rank correlation {_correlation(found.rank_correlation)}"
    )
    return said, alt


def _correlation(value: float) -> str:
    return "not defined" if math.isnan(value) else f"{value:.3f}".replace("-", "−")


# ---------------------------------------------------------------------------------------------
# The table of classes


def shift_table(shifts: Sequence[ClassShift]) -> str:
    """Classes before and after as an HTML table: paired bars, per mille, and log-odds with their bars."""
    longest = max(max(shift.before, shift.after) for shift in shifts)
    reach = odds_scale(shifts)
    rows = "".join(_row(shift, longest, reach) for shift in shifts)
    return (
        '<table class="a2-shifts"><thead><tr><th scope="col">class</th><th scope="col">before</th>'
        '<th scope="col">after</th><th scope="col" class="a2-wide">probability</th>'
        '<th scope="col">change</th>'
        f'<th scope="col" colspan="2">log-odds <small>bar ends at ± {reach:g}</small></th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def odds_scale(shifts: Sequence[ClassShift]) -> float:
    """What the end of a bar of log-odds stands for: one of `ODDS_SCALES`."""
    largest = max(abs(shift.log_odds) for shift in shifts)
    return next((scale for scale in ODDS_SCALES if largest <= scale), ODDS_SCALES[-1])


def _row(shift: ClassShift, longest: float, reach: float) -> str:
    was, now = (100 * value / (longest or 1.0) for value in (shift.before, shift.after))
    half = 50 * min(1.0, abs(shift.log_odds) / reach)
    side = "up" if shift.difference > 0 else "down"
    left = 50.0 if side == "up" else 50.0 - half
    return (
        f'<tr><th scope="row">{html.escape(shift.label)}</th>'
        f'<td class="a2-was">{share(shift.before)}</td><td class="a2-now">{share(shift.after)}</td>'
        f'<td class="a2-wide"><span class="a2-paired"><i style="width:{was:.2f}%"></i>'
        f'<b style="width:{now:.2f}%"></b></span></td>'
        f'<td class="a2-by">{signed(per_mille(abs(shift.difference)), shift.difference)}</td>'
        f'<td class="a2-odds">{log_odds(shift.log_odds)}</td>'
        f'<td class="a2-oddsbar"><span><i class="a2-{side}" style="left:{left:.2f}%;width:{half:.2f}%"></i>'
        "</span></td></tr>"
    )


# ---------------------------------------------------------------------------------------------
# Maps over the picture


def changed_figure(moved: np.ndarray, frames: Sequence[str], times_s: Sequence[float], alt: str) -> str:
    """Where the block's output changed, (T, h, w), over the frames (data URLs), with its scale."""
    peak = float(moved.max())
    pictures = "".join(
        f'<div class="a2-moved"><img src="{frame}" alt=""><img src="{_veil(moved[t], peak)}" alt="">'
        + (f"<span>{times_s[t]:.2f} s</span>" if len(frames) > 1 else "")
        + "</div>"
        for t, frame in enumerate(frames)
    )
    where = "" if peak == 0 else f", most where {_quarter(moved)}"
    return (
        f'<figure class="a2-changed{" a2-clip" if len(frames) > 1 else ""}" role="img" '
        f'aria-label="{html.escape(alt)}: the block’s output changed by up to {size(peak)}{where}">'
        f'<div class="a2-frames">{pictures}</div>'
        f"<figcaption><b>Where the block’s output changed</b>{_scale(moved, peak)}</figcaption></figure>"
    )


def size(value: float) -> str:
    """A relative size of change in per cent: "1.4 %", "0.02 %"."""
    percent = 100 * value
    if percent == 0:
        return f"0{NBSP}%"
    return (
        f"{percent:.0f}{NBSP}%"
        if percent >= 9.95
        else f"{percent:.2g}{NBSP}%"
        if percent >= 1e-3
        else f"< 0.001{NBSP}%"
    )


def _scale(moved: np.ndarray, peak: float) -> str:
    if peak == 0:
        return "<p>Nowhere: it is what it was.</p>"
    middle = float(np.median(moved))
    return (
        f'<div class="a2-ramp"><i></i><span>0</span><span>{size(peak)}</span></div>'
        f"<p>|Y′ − Y| / |Y| at each position; half of the {moved.size} positions changed by less than "
        f"{size(middle)}.</p>"
    )


def _quarter(moved: np.ndarray) -> str:
    _, row, col = np.unravel_index(int(moved.argmax()), moved.shape)
    rows, cols = moved.shape[1:]
    down = ("at the top", "in the middle", "at the bottom")[min(2, int(3 * row / rows))]
    across = ("left", "", "right")[min(2, int(3 * col / cols))]
    return f"{down} {across}".strip()


def _veil(values: np.ndarray, peak: float) -> str:
    """A map (rows, cols) over a picture: the nearer to zero, the more of the picture shows."""
    rows, cols = values.shape
    level = _resized(values / (peak or 1.0), VEIL_SCALE * cols, VEIL_SCALE * rows)
    return webp_url(np.dstack([_colours("cividis", level), _bytes(0.25 + 0.65 * level**0.6)]))


def _resized(values: np.ndarray, width: int, height: int) -> np.ndarray:
    """A map (rows, cols) of values from 0 to 1 made larger, linear between the centres of its cells."""
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.clip(np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)), 0, 1)


def tile_sheet(block: BlockTrace, frames: np.ndarray) -> str:
    """The gather maps of all primitives over the picture, `TILES_A_ROW` in a row, as one data URL.

    Each map is stretched to its own peak. Of a clip each primitive shows the frame that it gathers
    most from. `frames` is the model input, (T, H, W, 3) uint8.
    """
    width, height = tile_size(frames)
    small = [_shrunk(frame, width, height) for frame in frames]
    rows = math.ceil(block.n / TILES_A_ROW)
    sheet = np.zeros((rows * height, TILES_A_ROW * width, 3), np.uint8)
    for i, maps in enumerate(block.gather):
        t = int(maps.sum(axis=(1, 2)).argmax())
        level = _resized(maps[t] / (float(maps[t].max()) or 1.0), width, height)
        cover = (0.85 * np.minimum(1.0, 0.05 + level**0.6))[..., None]
        tile = small[t] * (1 - cover) + _colours("magma", level) * cover
        top, left = height * (i // TILES_A_ROW), width * (i % TILES_A_ROW)
        sheet[top : top + height, left : left + width] = np.rint(tile)
    return webp_url(sheet)


def tile_size(frames: np.ndarray) -> tuple[int, int]:
    """(width, height) of a tile in pixels; very long pictures are squeezed."""
    _, height_px, width_px, _ = frames.shape
    aspect = min(2.0, max(0.75, width_px / height_px))
    return TILE_WIDTH_PX, round(TILE_WIDTH_PX / aspect)


def _shrunk(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """The frame small, grey and dim: what maps are drawn over."""
    grey = Image.fromarray(frame).convert("L").resize((width, height), Image.Resampling.BOX)
    return np.repeat(0.6 * np.asarray(grey, np.float32)[..., None], 3, axis=2)


def _colours(name: str, level: np.ndarray) -> np.ndarray:
    return colour_table(name)[_bytes(level)]


def _bytes(level: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(level, 0, 1)).astype(np.uint8)
