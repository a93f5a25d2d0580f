"""The probe canvas as a thing of its own: what it is sent, its scripts, and a page of it that works offline.

The browser answers every hover by itself from the payload (contract 2 in docs/architecture.md). Streamlit
and a file on disk are frames round the same `mount`; nothing in here knows of Streamlit.
"""

from a2core.canvas.layers import (
    ROLLOUT,
    compared,
    layer_payload,
    names_of,
    rollout_payload,
    with_fitting_layers,
)
from a2core.canvas.packed import quantise
from a2core.canvas.page import markup, script, standalone_html, style, untrained_warning
from a2core.canvas.payload import (
    block_payload,
    block_word,
    canvas_payload,
    card_lines,
    card_said,
    card_word,
    data_url,
    primitive_cards,
    with_alt,
    with_effects,
)
from a2core.canvas.report import parse_report
from a2core.canvas.vocabulary import (
    Setting,
    Vocabulary,
    bar_top,
    colour_table,
    cover,
    map_top,
    percent,
    read_vocabulary,
)

__all__ = [
    "ROLLOUT",
    "Setting",
    "Vocabulary",
    "bar_top",
    "block_payload",
    "block_word",
    "canvas_payload",
    "card_lines",
    "card_said",
    "card_word",
    "colour_table",
    "compared",
    "cover",
    "data_url",
    "layer_payload",
    "map_top",
    "markup",
    "names_of",
    "parse_report",
    "percent",
    "primitive_cards",
    "quantise",
    "read_vocabulary",
    "rollout_payload",
    "script",
    "standalone_html",
    "style",
    "untrained_warning",
    "with_alt",
    "with_effects",
    "with_fitting_layers",
]
