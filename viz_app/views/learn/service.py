"""What Learn asks of the server: the lesson on a block, kept for the whole class. Draws nothing.

Whatever one visitor asked for is there for all, so that a class that goes through the lesson together costs
the server one lesson.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

import a2core
from a2core import Lesson, canvas
from a2core.lesson.steps import tables_of
from viz_app.server import models, pictures, visitors
from viz_app.server.jobs import Tell
from viz_app.server.traces import Shown
from viz_app.server.visitors import Look

PICTURE_SIDE_PX = 640  # of the picture that cells are picked in


@dataclass(frozen=True, eq=False)
class Classroom:
    """A lesson with what is drawn of it again and again."""

    lesson: Lesson
    tables: Mapping[str, str]  # data URLs of the largest tensors
    frames: tuple[str, ...]  # data URLs of the model input
    aspect: float  # width / height


def classroom(shown: Shown, block: str, *, look: Look | None = None) -> Classroom:
    """The lesson on block `block` of what is shown.

    Raises:
        A2Error: the block is none of double attention, or the device cannot do it.
        Whatever `look` raises.
    """
    trace = shown.held.value.trace

    def make(tell: Tell) -> Classroom:
        tell(0.0)
        lesson = a2core.take_lesson(models.load_model(shown.weights), trace.clip, block, shown.size_px)
        _, height_px, width_px, _ = trace.model_input.shape
        return Classroom(
            lesson,
            tables_of(lesson),
            tuple(_picture_url(frame) for frame in trace.model_input),
            width_px / height_px,
        )

    holder = pictures.holder_of(shown.picture)
    return visitors.obtain(("lesson", shown.key, block), make, holder=holder, look=look).value


def lesson_file(shown: Shown, block: str) -> str:
    """What the NPZ file of the lesson is called."""
    return f"a2-lesson-{_slug(shown.picture.title)}-{_slug(block)}.npz"


def worksheet_file(shown: Shown, block: str) -> str:
    """What the worksheet's HTML file is called."""
    return f"a2-worksheet-{_slug(shown.picture.title)}-{_slug(block)}.html"


def _slug(name: str) -> str:
    """`name` as part of a file name: letters, digits and dots, in any file system."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "picture"


def _picture_url(frame: np.ndarray) -> str:
    return canvas.data_url(frame, quality=80, max_side_px=PICTURE_SIDE_PX)
