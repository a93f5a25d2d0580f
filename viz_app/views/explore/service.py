"""What Explore asks of the server, and what a visitor's session remembers of it. Draws nothing."""

from __future__ import annotations

from viz_app.server import cards as primitive_cards
from viz_app.server import models
from viz_app.server.models import Weights
from viz_app.server.traces import Shown
from viz_app.views.explore import words


def taught_by(weights: Weights) -> str:
    """Whether trained blocks learned on clips or on photos, and where there are some that did on clips."""
    elsewhere = next((other.label for other in models.list_weights()[0] if other.on_clips), "")
    return words.taught_by(on_clips=weights.on_clips, elsewhere=elsewhere)


def cards(shown: Shown) -> dict[str, list[str]]:
    """What is said of the primitives of each block that an atlas knows, as this visitor is to see it."""
    told = {block["name"]: block["cards"] for block in shown.payload["blocks"] if block.get("cards")}
    return primitive_cards.cards(shown.weights, told)
