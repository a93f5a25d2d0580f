"""Whether a visitor has come near a place on the page: what is heavy to draw can wait until then.

The browser tells until it is heard; the page remembers. Without a script (a test without a browser) nobody
comes near.
"""

from __future__ import annotations

from pathlib import Path

from viz_app.components.runtime import component, fresh, hand_over

__all__ = ["in_sight"]

_component = component("a2_in_sight", Path(__file__).parent / "assets" / "sight")


def in_sight(key: str) -> bool:
    """Whether the place `key`, drawn here until then, has come near what is seen."""
    if fresh(key, "near", key) is not None:
        return True
    hand_over(_component, {}, key=key, name="near", identity=key)
    return False
