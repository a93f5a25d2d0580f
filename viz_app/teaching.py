"""What the Learn and Compare pages ask the model core for, kept for the whole class.

Like `services`, and with its pictures and weights: whatever one visitor asked for is there for all,
so that a class that goes through the lesson together costs the server one lesson. Draws nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

import a2core
from a2core import Lesson
from viz_app import lesson as steps
from viz_app import services, view_model
from viz_app.services import Shown

LESSONS_KEPT = 8  # of about 2 MB for a picture, 30 MB for sixteen frames
PICTURE_SIDE_PX = 640  # of the picture that cells are picked in


@dataclass(frozen=True, eq=False)
class Classroom:
    """A lesson with what is drawn of it again and again."""

    lesson: Lesson
    tables: Mapping[str, str]  # data URLs of the largest tensors
    frames: tuple[str, ...]  # data URLs of the model input
    aspect: float  # width / height
    file_name: str  # of the lesson's NPZ file


def classroom(shown: Shown, block: str) -> Classroom:
    """The lesson on block `block` of what is shown.

    Raises:
        A2Error: the block is none of double attention, or the device cannot do it.
    """
    return _classroom(shown.key, block, shown)


@st.cache_resource(max_entries=LESSONS_KEPT, show_spinner=False)
def _classroom(key: str, block: str, _shown: Shown) -> Classroom:
    model = services.load_model(_shown.weights)
    lesson = a2core.take_lesson(model, _shown.trace.clip, block, _shown.size_px)
    _, height_px, width_px, _ = _shown.trace.model_input.shape
    return Classroom(
        lesson,
        steps.tables_of(lesson),
        tuple(_picture_url(frame) for frame in _shown.trace.model_input),
        width_px / height_px,
        f"a2-lesson-{_slug(_shown.picture.title)}-{_slug(block)}.npz",
    )


def _slug(name: str) -> str:
    """`name` as part of a file name: letters, digits and dots, in any file system."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "picture"


def _picture_url(frame: np.ndarray) -> str:
    return view_model.data_url(frame, quality=80, max_side_px=PICTURE_SIDE_PX)
