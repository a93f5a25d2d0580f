"""Traces: what a network made of a picture, worked out once for everybody who has the same frames.

Thirty students who click together stand in one line (`visitors.server`), and a trace that anybody asked for
is kept for all. What one of them looks at is a `Shown`: the same trace under that visitor's names.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from a2core import CheckpointError, Trace
from a2core.canvas import ROLLOUT, canvas_payload, layer_payload, names_of, rollout_payload, with_alt
from viz_app.server import metrics, models, visitors
from viz_app.server.faults import attempt
from viz_app.server.jobs import Job, Tell
from viz_app.server.models import Weights
from viz_app.server.pictures import Picture, holder_of
from viz_app.server.samples import SAMPLES, load_sample
from viz_app.server.store import Entry
from viz_app.server.visitors import Look
from viz_app.ui import language, text
from viz_app.ui.state import Key

logger = logging.getLogger("a2.app")

SIZES_PX = (224, 352, 448, 672)  # long side of the model input: multiples of 32
DEFAULT_SIZE_PX = 448

EACH, JOINT = "each", "joint"  # what a block attends over: each frame of a clip alone, or all of them


@dataclass(frozen=True, eq=False)
class Traced:
    """A trace with its canvas payload, for everybody with the same frames: without a name or a title."""

    trace: Trace
    payload: Mapping[str, Any]
    card: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Shown:
    """A trace on a visitor's screen, with its identity."""

    key: str
    picture: Picture
    weights: Weights
    size_px: int
    together: str  # JOINT | EACH
    held: Entry[Traced]

    @property
    def trace(self) -> Trace:
        """The trace. Its clip is what the network saw, under this visitor's name for it.

        Raises:
            A2Error: the server has let it go.
        """
        kept = self.held.value.trace
        return replace(kept, clip=replace(kept.clip, name=self.picture.name, notes=self.picture.notes))

    @property
    def payload(self) -> Mapping[str, Any]:
        """The canvas payload, in this visitor's words."""
        return with_alt(
            self.held.value.payload, language.told(self.picture.alt), language.told(self.picture.credit)
        )

    @property
    def card(self) -> Mapping[str, Any]:
        """The card of the weights' checkpoint."""
        return self.held.value.card


def shown_key(picture: Picture, weights: Weights, size_px: int, together: str = JOINT) -> str:
    """Identity of a trace: the frames, the weights, the size and what is attended over; nothing else."""
    how = f"{together if picture.frames > 1 else JOINT} {weights.label} {weights.fingerprint}"
    return trace_key(picture.content, how, size_px)


def trace_key(picture: str, checkpoint: str, size_px: int) -> str:
    """Identity of a trace, 16 hex digits: the same picture, weights and size give the same key."""
    return hashlib.sha256(f"{picture}\n{checkpoint}\n{size_px}".encode()).hexdigest()[:16]


def show(
    picture: Picture,
    weights: Weights,
    size_px: int,
    together: str = JOINT,
    *,
    look: Look | None = None,
) -> Shown:
    """`picture` traced with `weights` at `size_px`; what anybody asked for before is not traced again.

    Args:
        picture: what.
        weights: with which network.
        size_px: long side of what the network sees.
        together: what a block attends over, `JOINT` or `EACH`.
        look: sees how the work stands while it waits for its turn, as of `Queue.run`.

    Raises:
        A2Error: the checkpoint is refused, the device cannot do it, or the server has no room for it.
        Whatever `look` raises.
    """
    key = shown_key(picture, weights, size_px, together)

    def make(tell: Tell) -> Traced:
        model = models.load_model(weights)
        tell(0.0)
        clip = picture.held.value
        trace = model.trace(
            clip,
            size=size_px,
            frames="each" if together == EACH else "joint",
            progress=lambda share: tell(0.9 * share),
        )
        metrics.count("traces")
        logger.info("traced %s", key)
        # The frames that it was made from may be let go, while it stays.
        trace = replace(trace, clip=replace(clip, frames=trace.model_input))
        return Traced(trace, canvas_payload(trace, model.card, key=key, alt=""), model.card)

    entry = visitors.obtain(("trace", key), make, holder=holder_of(picture), look=look)
    shown = Shown(key, picture, weights, size_px, together, entry)
    keep_on_screen(shown)
    return shown


def keep_on_screen(*shown: Shown) -> None:
    """Have the server let none of these go while this visitor looks at them, and no others."""
    if who := visitors.visitor():
        held = [entry for each in shown for entry in (each.held, each.picture.held)]
        visitors.server().store.pin(who, held)


def layer(shown: Shown, name: str, *, look: Look | None = None) -> Mapping[str, Any] | None:
    """What the canvas works out the maps of the layer `name` of, sent when it is looked at.

    None of a block, and of a layer that the payload has whole.

    Raises:
        A2Error: the server has let the trace go, or has no room.
        Whatever `look` raises.
    """
    trace = shown.held.value.trace
    whole = {block["name"] for block in shown.payload["blocks"] if "queries" in block or "written" in block}
    if name in whole or name in trace.blocks or name not in names_of(trace.attention):
        return None

    def make(_: Tell) -> Mapping[str, Any]:
        if name == ROLLOUT:
            return rollout_payload(trace.attention, trained=trace.born_trained)
        return layer_payload(trace.attention[name], trained=trace.born_trained)

    entry = visitors.obtain(("layer", shown.key, name), make, holder=holder_of(shown.picture), look=look)
    return entry.value


def known(picture: Picture, weights: Weights, size_px: int, together: str = JOINT) -> bool:
    """Whether the trace is there."""
    return visitors.server().store.peek(("trace", shown_key(picture, weights, size_px, together))) is not None


@st.cache_resource(show_spinner=False)
def prepare_samples(weights: Weights) -> Job:
    """Trace all samples behind the visitors' backs, once for the server: choosing one then takes no trace."""
    queue = visitors.server().networks

    def trace_all(_: Tell) -> None:
        for sample in SAMPLES:
            queue.make_way()
            attempt(lambda sample=sample: show(load_sample(sample), weights, DEFAULT_SIZE_PX))  # type: ignore[misc]

    return queue.start(("samples", weights), trace_all)


def current_shown(*, look: Look | None = None) -> Shown:
    """What the visitor looked at last, on any page; the first sample, traced, when there is nothing yet.

    Of a clip the frames are attended to jointly. The network that takes whole clips, whose blocks other
    pages cannot take apart, gives way to the first weights.

    Raises:
        A2Error: there is no checkpoint to use, or it is refused.
        Whatever `look` raises.
    """
    shown: Shown | None = st.session_state.get(Key.SHOWN)
    usable, _ = models.list_weights()
    if shown is None or not shown.held.here:
        if not usable:
            raise CheckpointError(text.NO_CHECKPOINT)
        sample = load_sample(SAMPLES[0])
        return show(sample, usable[0], DEFAULT_SIZE_PX, look=look)
    weights = usable[0] if shown.weights.label == models.VIDEO_NETWORK and usable else shown.weights
    if weights is shown.weights and shown.together == JOINT:
        return shown
    return show(shown.picture, weights, shown.size_px, look=look)
