"""What Compare shows, in tables: pure, no Streamlit, no Plotly. Its words: words.py."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import a2core
from a2core import Cost, Exponent, Reading, Rival
from a2core.canvas import percent
from a2core.lesson import megabytes, number, table, weights_bytes, whole
from viz_app.server.traces import Shown
from viz_app.ui.numbers import decimal
from viz_app.views.compare import words


def heading(rival: Rival) -> str:
    """The kind of block, and whether somebody trained it."""
    flag = (
        f"<span>{words.trained(html.escape(rival.checkpoint))}</span>"
        if rival.trained
        else f'<em class="a2-random">{words.UNTRAINED_KIND}</em>'
    )
    return f"<h2>{words.NAMES[rival.kind]}</h2>{flag}"


def network(shown: Shown) -> str:
    """The network, and what it answers."""
    top = shown.trace.top
    said = f"{html.escape(top[0][0])} {percent(top[0][1])}" if top else words.NO_CLASSES
    flag = "" if shown.trace.trained else f' <em class="a2-random">{words.UNTRAINED_BLOCKS}</em>'
    return f"<h2>{html.escape(shown.weights.label)}</h2><span>{said}</span>{flag}"


def under_picture(kind: str, reading: Reading) -> str:
    """How a kind of block gathers, and whether it hands the same to all."""
    return f'<p class="a2-gathers">{words.GATHERS[kind]}</p><p>{_handed(kind, reading)}</p>'


def _handed(kind: str, reading: Reading) -> str:
    spread = number(f"{kind}_spread", reading.spread)
    if not reading.same_everywhere:
        return words.OWN.format(spread=spread)
    says = words.SAME_GATES if reading.handed == "gates" else words.SAME_ADDITION
    return says.format(spread=spread, scale=number(f"{kind}_scale", reading.scale))


def costs(found: Mapping[str, Cost], positions: int) -> str:
    """What one block of each kind costs on so many positions, as a table."""
    rows = [
        (
            words.NAMES[kind],
            f"{cost.parameters:,}",
            f"{_three_digits(cost.multiply_adds / 1e6)} M",
            "" if cost.peak_mib is None else _memory(cost.peak_mib),
            "" if cost.ms is None else f"{_three_digits(cost.ms)} ms",
        )
        for kind, cost in found.items()
    ]
    full, _ = weights_bytes(positions, 1)
    return (
        f'<section class="a2-costs"><h2>{words.costs_here(whole("N", positions))}</h2>'
        f"{table(words.COST_COLUMNS, rows)}<p>{words.about_costs(megabytes('full_map', full))}</p></section>"
    )


def exponents(known: Mapping[str, Sequence[Cost]]) -> str:
    """The exponents that were fitted to measured curves, as a table."""
    rows = [
        (html.escape(words.NAMES[kind]), *_fitted(a2core.fit_exponent(curve)))
        for kind, curve in known.items()
    ]
    return (
        f'<section class="a2-costs"><h3>{words.EXPONENTS}</h3>{table(words.EXPONENT_COLUMNS, rows)}</section>'
    )


def _fitted(fit: Exponent | None) -> tuple[str, str, str]:
    if fit is None:
        return words.TOO_FEW, "", ""
    return (
        f"<b>{decimal(fit.value)}</b> [{decimal(fit.low)}, {decimal(fit.high)}]",
        decimal(fit.counted),
        words.fitted_to(fit.points, f"{fit.least:,}", f"{fit.most:,}"),
    )


def _memory(mib: float) -> str:
    return f"{_three_digits(mib)} MiB" if mib >= 0.1 else f"{1024 * mib:.1f} KiB"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"
