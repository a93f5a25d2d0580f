"""The About page: what the picture shows, the model behind it, its measures and limits, the paper."""

from __future__ import annotations

import streamlit as st

from viz_app.server import models
from viz_app.server.samples import SAMPLES
from viz_app.ui import language
from viz_app.ui.shell import styled
from viz_app.views.about import content, words


def render() -> None:
    """Draw the page."""
    styled()
    usable, refused = models.list_weights()
    cards = {
        weights.label: models.read_card(weights)
        for weights in usable
        if weights.trained and not weights.yours
    }
    faults = [(info.path.name, language.told(info.fault)) for info in refused]
    credits = [language.told(sample.credit) for sample in SAMPLES]
    st.html(content.page_html(words.PROSE.read_text(encoding="utf-8"), cards, faults, credits))
