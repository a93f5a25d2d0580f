"""The About page: what the picture shows, the model behind it, its measures and limits, the paper."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from viz_app import services, view_model
from viz_app.views.page import styled

PROSE = Path(__file__).resolve().parent.parent / "assets" / "about.html"


def render() -> None:
    """Draw the page."""
    styled()
    usable, refused = services.list_weights()
    models = [_model(weights) for weights in usable if weights.trained]
    credits = "".join(f"<li>{html.escape(sample.credit)}</li>" for sample in view_model.SAMPLES)
    st.html(
        '<article class="a2-about"><h1>About this explorer</h1><div class="a2-pages"><div>'
        + PROSE.read_text(encoding="utf-8")
        + "</div><div>"
        + "".join(models)
        + "".join(_refusal(info.path.name, info.fault) for info in refused)
        + f"<section><h2>Pictures</h2><ul>{credits}</ul><p>All are inside scikit-image.</p></section>"
        + "</div></div></article>"
    )


def _model(weights: services.Weights) -> str:
    card = services.read_card(weights)
    rows = "".join(
        f"<dt>{html.escape(term)}</dt><dd>{html.escape(fact)}</dd>"
        for term, fact in view_model.card_facts(card)
    )
    return f"<section><h2>The model: {html.escape(weights.label)}</h2><dl>{rows}</dl></section>"


def _refusal(name: str, fault: str) -> str:
    return f"<section><h2>Refused: {html.escape(name)}</h2><p>{html.escape(fault)}</p></section>"
