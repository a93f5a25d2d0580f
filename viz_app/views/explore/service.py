"""What Explore asks of the server, and what a visitor's session remembers of it. Draws nothing."""

from __future__ import annotations

from viz_app.server import models
from viz_app.server.models import Weights
from viz_app.views.explore import words


def taught_by(weights: Weights) -> str:
    """Whether trained blocks learned on clips or on photos, and where there are some that did on clips."""
    elsewhere = next((other.label for other in models.list_weights()[0] if other.on_clips), "")
    return words.taught_by(on_clips=weights.on_clips, elsewhere=elsewhere)
