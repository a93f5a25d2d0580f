"""What the Learn and Compare pages ask the model core for, kept for the whole class.

Like `services`, and with its pictures and weights: whatever one visitor asked for is there for all,
so that a class that goes through the lesson together costs the server one lesson. Costs are measured
by one visitor at a time, for all. Draws nothing.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

import a2core
from a2core import Cost, Lesson, Model, Reading, Rival
from viz_app import lesson as steps
from viz_app import services, view_model
from viz_app.services import Shown

LESSONS_KEPT = 8  # of about 2 MB for a picture, 30 MB for sixteen frames
RIVALS_KEPT = 5  # networks
READINGS_KEPT = 40  # of about 1 MB for a picture
PICTURE_SIDE_PX = 640  # of the picture that cells are picked in
SMALL_SIDE_PX = 360  # where five stand side by side


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


def small_frames(shown: Shown) -> tuple[str, ...]:
    """The frames of the model input as small data URLs."""
    return _small_frames(shown.key, shown)


@st.cache_resource(max_entries=LESSONS_KEPT, show_spinner=False)
def _small_frames(key: str, _shown: Shown) -> tuple[str, ...]:
    frames = _shown.trace.model_input
    return tuple(view_model.data_url(frame, quality=78, max_side_px=SMALL_SIDE_PX) for frame in frames)


def _slug(name: str) -> str:
    """`name` as part of a file name: letters, digits and dots, in any file system."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "picture"


def _picture_url(frame: np.ndarray) -> str:
    return view_model.data_url(frame, quality=80, max_side_px=PICTURE_SIDE_PX)


def readings(shown: Shown, block: str) -> list[tuple[Rival, Reading]]:
    """What block `block` did with what is shown, of every kind of block on the same trunk.

    Raises:
        A2Error: a checkpoint is gone or refused.
    """
    rivals = a2core.find_rivals(shown.weights.checkpoint)
    return [(rival, _reading(shown.key, block, rival, shown)) for rival in rivals]


@st.cache_resource(max_entries=RIVALS_KEPT, show_spinner=False)
def _model(rival: Rival) -> Model:
    return a2core.load_rival(rival)


@st.cache_resource(max_entries=READINGS_KEPT, show_spinner=False)
def _reading(key: str, block: str, rival: Rival, _shown: Shown) -> Reading:
    return a2core.read_block(_model(rival), _shown.trace.clip, block, _shown.size_px)


@st.cache_resource(show_spinner=False)
def _one_at_a_time() -> threading.Lock:
    return threading.Lock()


@st.cache_resource(show_spinner=False)
def _curves() -> dict[str, list[Cost]]:
    return {}


@st.cache_resource(max_entries=READINGS_KEPT, show_spinner=False)
def cost_here(settings_json: str, positions: int) -> Cost:
    """What one block costs on so many positions, measured on this machine: a tenth of a second, once."""
    with _one_at_a_time():
        return a2core.measure_cost(json.loads(settings_json), positions, memory=True)


@st.cache_resource(max_entries=READINGS_KEPT, show_spinner=False)
def counted_curve(settings_json: str) -> list[Cost]:
    """Parameters and multiply-adds over the positions, on shapes alone."""
    settings = json.loads(settings_json)
    return [a2core.count_cost(settings, positions) for positions in a2core.POSITIONS]


def known_curve(settings_json: str) -> list[Cost] | None:
    """The cost curve of a block that somebody measured since the server was started."""
    return _curves().get(settings_json)


def measure_curve(settings_json: str) -> Iterator[Cost]:
    """Measure a block's cost curve, piece by piece; kept for all once it is whole.

    Raises:
        A2Error: somebody else is measuring: two at once would measure each other.
    """
    lock = _one_at_a_time()
    if not lock.acquire(blocking=False):
        raise a2core.A2Error(
            "Somebody else is measuring on this server just now. Their curves will be here for everybody: "
            "press again in half a minute."
        )
    try:
        found: list[Cost] = []
        for cost in a2core.cost_curve(json.loads(settings_json)):
            found.append(cost)
            yield cost
        _curves()[settings_json] = found
    finally:
        lock.release()
