"""The About page: what the picture shows, the model behind it, its measures and limits, the paper."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from viz_app.pages.about import content as measures
from viz_app.pages.about.content import Row, Table
from viz_app.server import models, samples
from viz_app.ui.shell import styled

PROSE = Path(__file__).resolve().parent / "about.html"


def render() -> None:
    """Draw the page."""
    styled()
    usable, refused = models.list_weights()
    cards = {weights.label: models.read_card(weights) for weights in usable if weights.trained}
    described = [
        _opened(f"The model: {name}", _facts(card), k == 0) for k, (name, card) in enumerate(cards.items())
    ]
    measured = [
        _opened(f"How well {name} does", f'<div class="a2-measures">{tables}</div>', k == 0)
        for k, (name, card) in enumerate(cards.items())
        if (tables := "".join(_measured(table) for table in measures.tables(card)))
    ]
    credits = "".join(f"<li>{html.escape(sample.credit)}</li>" for sample in samples.SAMPLES)
    st.html(
        '<article class="a2-about"><h1>About this explorer</h1><div class="a2-pages"><div>'
        + PROSE.read_text(encoding="utf-8")
        + "</div><div>"
        + "".join(described)
        + "".join(_refusal(info.path.name, info.fault) for info in refused)
        + f"<section><h2>Pictures</h2><ul>{credits}</ul><p>All are inside scikit-image.</p></section>"
        + "</div></div>"
        + "".join(measured)
        + "</article>"
    )


def _opened(title: str, content: str, first: bool) -> str:
    """A part of the page that can be closed; that of the first model is open."""
    state = " open" if first else ""
    return f"<details{state}><summary><h2>{html.escape(title)}</h2></summary>{content}</details>"


def _facts(card: Mapping[str, Any]) -> str:
    facts = measures.card_facts({term: fact for term, fact in card.items() if term != "metrics"})
    rows = "".join(f"<dt>{html.escape(term)}</dt><dd>{html.escape(fact)}</dd>" for term, fact in facts)
    return f"<dl>{rows}</dl>"


def _measured(table: Table) -> str:
    """One measurement: of each measure what it means, what the model reaches, and what others do."""
    heads = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in table.columns)
    bodies = "".join(
        f'<tbody><tr><th scope="rowgroup" colspan="{len(table.columns) + 1}">'
        f"<b>{html.escape(measure.name)}</b> <span>{html.escape(measure.meaning)}</span></th></tr>"
        + "".join(_line(row) for row in measure.rows)
        + "</tbody>"
        for measure in table.measures
    )
    command = f"<p><code>{html.escape(table.command)}</code></p>" if table.command else ""
    return (
        f"<section><h3>{html.escape(table.title[:1].upper() + table.title[1:])}</h3>"
        f"<p>Measured on {html.escape(table.measured_on or 'what the card does not say')}. "
        "The best of a line is bold.</p>"
        f'<div><table><thead><tr><th scope="col">of</th>{heads}</tr></thead>{bodies}</table></div>'
        f"{command}</section>"
    )


def _line(row: Row) -> str:
    cells = "".join(
        f"<td><b>{html.escape(value)}</b></td>" if at == row.best else f"<td>{html.escape(value)}</td>"
        for at, value in enumerate(row.values)
    )
    return f'<tr><th scope="row">{html.escape(row.of or "the network")}</th>{cells}</tr>'


def _refusal(name: str, fault: str) -> str:
    return f"<section><h2>Refused: {html.escape(name)}</h2><p>{html.escape(fault)}</p></section>"
