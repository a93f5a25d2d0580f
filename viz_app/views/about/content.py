"""What About says: the checkpoints' cards as facts and tables for people, and the page round them; pure.

The prose is in about.html, all other words in words.py; what cards say is said by card_words.py.

A card's "metrics" hold one entry for each measurement: what it was measured on, by which command, and
numbers by name, of each block or of the whole network. A baseline stands beside the number that it
belongs to, as "click-AUC, cosine" or "top-1 plain trunk".
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from a2core.canvas import percent
from viz_app.views.about import card_words, words

OURS = "ours"
MEANINGS = words.MEANINGS  # by the names that cards use
_SHARES = {"median reach", "dead", "top-1", "top-5", "agreement with the plain trunk"}
_LOW_IS_GOOD = {"dead", "redundancy", "deletion"}
_MARKS = (", ", " plain trunk", " difference")  # between the name of a measure and that of a baseline
_TOLD = ("measured on", "command")


@dataclass(frozen=True)
class Row:
    """One measure of one block, or of the whole network (`of` is then ""), a value for each column."""

    of: str
    values: tuple[str, ...]
    best: int | None  # the column that wins, where there is anything to win against


@dataclass(frozen=True)
class Measure:
    """All rows of one measure and what it means."""

    name: str
    meaning: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """One measurement."""

    title: str
    measured_on: str
    command: str
    columns: tuple[str, ...]  # "ours", then the baselines
    measures: tuple[Measure, ...]


def page_html(
    prose: str,
    cards: Mapping[str, Mapping[str, Any]],
    refused: Iterable[tuple[str, str]],
    credits: Sequence[str],
) -> str:
    """The whole page: `cards` by the name of their weights; of each refused checkpoint its file and why."""
    models = [
        _opened(words.model(name), _facts(card), k == 0) for k, (name, card) in enumerate(cards.items())
    ]
    measured = [
        _opened(words.how_well(name), f'<div class="a2-measures">{found}</div>', k == 0)
        for k, (name, card) in enumerate(cards.items())
        if (found := "".join(_measured(table) for table in tables(card)))
    ]
    pictures = "".join(f"<li>{html.escape(credit)}</li>" for credit in credits)
    return (
        f'<article class="a2-about"><h1>{words.HEADING}</h1><div class="a2-pages"><div>'
        + prose
        + "</div><div>"
        + "".join(models)
        + "".join(_refusal(name, fault) for name, fault in refused)
        + f"<section><h2>{words.PICTURES}</h2><ul>{pictures}</ul><p>{words.INSIDE}</p></section>"
        + "</div></div>"
        + "".join(measured)
        + "</article>"
    )


def _opened(title: str, content: str, first: bool) -> str:
    """A part of the page that can be closed; that of the first model is open."""
    state = " open" if first else ""
    return f"<details{state}><summary><h2>{html.escape(title)}</h2></summary>{content}</details>"


def _facts(card: Mapping[str, Any]) -> str:
    facts = card_facts({term: fact for term, fact in card.items() if term != "metrics"})
    rows = "".join(f"<dt>{html.escape(term)}</dt><dd>{html.escape(fact)}</dd>" for term, fact in facts)
    return f"<dl>{rows}</dl>"


def _measured(table: Table) -> str:
    """One measurement: of each measure what it means, what the model reaches, and what others do."""
    heads = "".join(f'<th scope="col">{html.escape(words.column(column))}</th>' for column in table.columns)
    bodies = "".join(
        f'<tbody><tr><th scope="rowgroup" colspan="{len(table.columns) + 1}">'
        f"<div><b>{html.escape(card_words.measure(measure.name))}</b> "
        f"<span>{html.escape(measure.meaning)}</span></div></th></tr>"
        + "".join(_line(row) for row in measure.rows)
        + "</tbody>"
        for measure in table.measures
    )
    command = f"<p><code>{html.escape(table.command)}</code></p>" if table.command else ""
    title = card_words.title(table.title)
    measured_on = card_words.measured_on(table.measured_on) or words.UNSAID
    return (
        f"<section><h3>{html.escape(title[:1].upper() + title[1:])}</h3>"
        f"<p>{words.measured_on(html.escape(measured_on))}</p>"
        # Wide tables scroll in a box of their own, which the keyboard has to reach.
        f'<div tabindex="0" role="group" aria-label="{html.escape(title)}">'
        f'<table><thead><tr><th scope="col">{words.OF}</th>{heads}</tr></thead>{bodies}</table></div>'
        f"{command}</section>"
    )


def _line(row: Row) -> str:
    cells = "".join(
        f"<td><b>{html.escape(value)}</b></td>" if at == row.best else f"<td>{html.escape(value)}</td>"
        for at, value in enumerate(row.values)
    )
    return f'<tr><th scope="row">{html.escape(row.of or words.THE_NETWORK)}</th>{cells}</tr>'


def _refusal(name: str, fault: str) -> str:
    return f"<section><h2>{words.refused(html.escape(name))}</h2><p>{html.escape(fault)}</p></section>"


def tables(card: Mapping[str, Any]) -> list[Table]:
    """The measurements of a card, in its order; [] where it has none."""
    metrics = card.get("metrics")
    if not isinstance(metrics, Mapping):
        return []
    found = [_table(str(title), entry) for title, entry in metrics.items() if isinstance(entry, Mapping)]
    return [table for table in found if table.measures]


def _table(title: str, entry: Mapping[str, Any]) -> Table:
    numbers: dict[str, dict[str, dict[str, Any]]] = {}  # measure, block or "", column
    for of, name, value in _numbers(entry):
        measure, column = _split(name)
        numbers.setdefault(measure, {}).setdefault(of, {})[column] = value
    columns = list(
        dict.fromkeys(column for rows in numbers.values() for row in rows.values() for column in row)
    )
    columns.sort(key=lambda column: column != OURS)
    measures = tuple(
        Measure(
            name,
            words.MEANINGS.get(name, ""),
            tuple(_row(name, of, [row.get(column) for column in columns]) for of, row in rows.items()),
        )
        for name, rows in numbers.items()
    )
    measured_on, command = (str(entry.get(name, "")) for name in _TOLD)
    return Table(title, measured_on, command, tuple(columns), measures)


def _numbers(entry: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """(block, name, value) of everything measured, whichever of the two the card puts first."""
    found: list[tuple[str, str, Any]] = []
    for name, value in entry.items():
        if name in _TOLD:
            continue
        if not isinstance(value, Mapping):
            found.append(("", str(name), value))
            continue
        for inner, number in value.items():
            of, measure = (inner, name) if name in MEANINGS else (name, inner)
            found.append((str(of), str(measure), number))
    return found


def _split(name: str) -> tuple[str, str]:
    """A measure and the column that its number stands in."""
    if name in MEANINGS:
        return name, OURS
    for mark in _MARKS:
        measure, found, column = name.partition(mark)
        if found and measure in MEANINGS:
            return measure, (mark + column).strip(" ,") if mark != ", " else column
    return name, OURS


def _row(measure: str, of: str, values: list[Any]) -> Row:
    numbers = [value if isinstance(value, int | float) else None for value in values]
    known = [value for value in numbers if value is not None]
    best = None
    if len(known) > 1:
        best = numbers.index(min(known) if measure in _LOW_IS_GOOD else max(known))
    return Row(of, tuple(_worded(measure, value) for value in values), best)


def _worded(measure: str, value: Any) -> str:
    if isinstance(value, list):  # an interval
        return words.TO.join(_worded(measure, end) for end in value)
    if not isinstance(value, int | float):
        return "" if value is None else str(value)
    if measure in _SHARES:
        return percent(value) if value >= 0 else "−" + percent(-value)
    return (f"{value:.4f}" if 0 < abs(value) < 0.02 else f"{value:.3f}").replace("-", "−")


def card_facts(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a checkpoint's card says, as (term, fact) lines for people, in the card's order.

    Nested entries become "trained · seed"; the architecture becomes one line a block; long lists and
    the sentences of primitives are left out.
    """
    facts = _architecture_facts(card.get("architecture"))
    for term, value in _flattened({key: value for key, value in card.items() if key not in _TECHNICAL}):
        if isinstance(value, list) and len(value) > _LONGEST_LIST:
            continue
        facts.append((" · ".join(map(card_words.term, term)), _fact(value)))
    return facts


_TECHNICAL = {"format", "name", "architecture", "cards", "sha256", "size_bytes"}
_LONGEST_LIST = 8


def _architecture_facts(architecture: Any) -> list[tuple[str, str]]:
    if not isinstance(architecture, Mapping):
        return []
    facts = [(words.NETWORK, str(architecture.get("backbone", words.NOT_STATED)))]
    blocks = architecture.get("blocks")
    for name, settings in blocks.items() if isinstance(blocks, Mapping) else ():
        if isinstance(settings, Mapping):
            n, m = settings.get("c_n", "?"), settings.get("c_m", "?")
            facts.append((words.block_after(name), words.bag_of(n, m)))
    return facts


def _flattened(value: Any, term: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flattened(inner, (*term, str(key)))]
    return [(term, value)] if term else []


def _fact(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: words.YES, False: words.NO, None: words.NOT_STATED}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_fact(item) for item in value)
    return f"{value:,}" if isinstance(value, int) else card_words.fact(str(value))
