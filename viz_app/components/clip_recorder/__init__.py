"""A few seconds of the visitor's camera: a live picture, and a button that records it.

The browser records and sends the file once, as base64; here it is measured before it is decoded, and is
from then on a file like any that was dropped. Whether it is a clip at all, a2core finds out.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from a2core import MediaError
from viz_app.components.runtime import component, fresh, hand_over

__all__ = ["clip_recorder", "name_of", "recorded"]

SECONDS = 3
MOST_BYTES = 20 * 10**6  # ten times what the browser is asked to make

STEM = Path(__file__).parent / "assets" / "recorder"

_component = component("a2_clip_recorder", STEM)


def clip_recorder(*, key: str, on_clip: Callable[..., None], args: tuple[Any, ...] = ()) -> None:
    """Show the camera, which the browser asks for leave to use, and a button that records `SECONDS` of it.

    `on_clip(*args)` runs when a clip was recorded; `recorded(key)`, asked in there, is its file.
    """
    hand_over(
        _component,
        {"seconds": SECONDS, "mostBytes": MOST_BYTES},
        key=key,
        name="clip",
        identity=key,
        on_change=lambda: on_clip(*args),
    )


def recorded(key: str) -> bytes | None:
    """The file that the browser just sent, or None when there is none or it is malformed.

    Raises:
        MediaError: it is larger than a clip of some seconds can be.
    """
    return parse_clip(fresh(key, "clip", key))


def parse_clip(raw: Any) -> bytes | None:
    """`raw`, anything at all, as the bytes of a file, or None.

    Raises:
        MediaError: it stands for more than `MOST_BYTES`.
    """
    text = raw.get("data") if isinstance(raw, Mapping) else None
    if not isinstance(text, str) or not text:
        return None
    if len(text) > 4 * -(-MOST_BYTES // 3):
        raise MediaError(
            "The clip of the camera has more than {most} MB. Record it again, shorter.",
            most=MOST_BYTES // 10**6,
        )
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: characters beyond ASCII
        return None


def name_of(data: bytes) -> str:
    """What to call the recorded file: browsers make WebM, and those that cannot make MP4."""
    return "camera clip.mp4" if data[4:8] == b"ftyp" else "camera clip.webm"
