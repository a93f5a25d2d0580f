"""What the pages ask the model core for: cached models and traces, and faults turned into messages.

One server serves a whole class: a checkpoint is loaded once, a trace that anybody asked for is kept
for everybody, and a model traces one picture at a time (its own lock), so that thirty students who
click together wait a moment instead of running out of memory. Nothing here draws a page, but for
the messages.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import io
import logging
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, ParamSpec, TypeVar

import streamlit as st

import a2core
from a2core import A2Error, CheckpointError, CheckpointInfo, Clip, Model, Trace
from viz_app import view_model
from viz_app.state import Key, Probe
from viz_app.view_model import Sample

logger = logging.getLogger("a2.app")
T = TypeVar("T")
P = ParamSpec("P")

MODELS_KEPT = 4
TRACES_KEPT = 48  # of about 2 to 6 MB each, payload included
SAMPLES_KEPT = 16
UPLOAD_PREFIX = "upload-"
DOUBLE_ATTENTION = "double_attention"
RANDOM_SUFFIX = ", random blocks"
# The paper's network for clips, of which nobody published weights. In the app it carries the two blocks of
# its coarser stage: the maps of all five take more than a hundred megabytes for each clip.
VIDEO_NETWORK, VIDEO_DEPTH, VIDEO_BLOCKS = "Video ResNet-26, untrained", 26, 2
NO_CHECKPOINT = "There is no checkpoint to use. Put a .safetensors file with its card into checkpoints/."
UNEXPECTED = (
    "Something went wrong here that should not have. The details are in the server's log; reload the page "
    "to go on, or choose another picture."
)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that can be traced: a sample, or one that a visitor brought.

    `id` names its content, so that equal pictures share their traces; `spot` is where the first
    probe is put, as (x, y) fractions, None for where the block changes its input the most.
    """

    id: str
    title: str
    alt: str
    credit: str
    clip: Clip
    thumbnail: str  # data URL
    spot: tuple[float, float] | None = None
    cut: Any = None  # of a clip whose frames can be chosen: which were (clips.Cut)


@dataclass(frozen=True, eq=False)
class Shown:
    """A trace, ready for the page: with its identity and its canvas payload."""

    key: str
    picture: Picture
    weights: Weights
    size_px: int
    trace: Trace
    payload: Mapping[str, Any]
    card: Mapping[str, Any]


@dataclass(frozen=True)
class Weights:
    """One choice of weights: a checkpoint, or the same network with random blocks."""

    label: str
    checkpoint: str
    fingerprint: str  # changes when the file does, so that a new file is loaded, not an old one kept
    trained: bool


def list_weights() -> tuple[list[Weights], list[CheckpointInfo]]:
    """The weights that can be used, and the checkpoints that cannot, each with its `fault`.

    A checkpoint comes before its network with random blocks, which is there to compare with, and before
    the paper's network for clips; two of the same architecture have one random twin. Those of other kinds of
    block have no primitives to look at: they are Compare's.
    """
    folder = a2core.checkpoint_folder()
    files = [path for path in sorted(folder.iterdir()) if path.is_file()] if folder.is_dir() else []
    return _weights_of(tuple((str(path), (at := path.stat()).st_mtime_ns, at.st_size) for path in files))


@st.cache_resource(max_entries=4, show_spinner=False)
def _weights_of(files: tuple[tuple[str, int, int], ...]) -> tuple[list[Weights], list[CheckpointInfo]]:
    """The same, read anew when a file has come, gone or changed: cards are long."""
    del files
    usable, refused = [], []
    twins: list[Any] = []
    for info in a2core.list_checkpoints():
        if info.fault:
            refused.append(info)
            continue
        blocks = info.card["architecture"].get("blocks", {}).values()
        if blocks and all(block.get("kind", DOUBLE_ATTENTION) != DOUBLE_ATTENTION for block in blocks):
            continue
        fingerprint = str(info.card.get("sha256", ""))[:16]
        usable.append(Weights(info.name, info.name, fingerprint, trained=True))
        if info.card["architecture"] not in twins:
            twins.append(info.card["architecture"])
            usable.append(Weights(info.name + RANDOM_SUFFIX, info.name, fingerprint, trained=False))
    if usable:
        usable.append(Weights(VIDEO_NETWORK, VIDEO_NETWORK, "", trained=False))
    return sorted(usable, key=lambda weights: not weights.trained), refused


def read_card(weights: Weights) -> Mapping[str, Any]:
    """The card of the checkpoint that `weights` come from, or {} when it is gone; loads no tensors."""
    return next((info.card for info in a2core.list_checkpoints() if info.name == weights.checkpoint), {})


def taught_by(weights: Weights) -> str:
    """Whether trained blocks learned on clips or on photos, and where there are some that did on clips."""
    if _learned_on_clips(weights):
        return "blocks trained on clips"
    on_clips = [other.label for other in list_weights()[0] if other.trained and _learned_on_clips(other)]
    return "blocks trained on photos" + (f"; those of {on_clips[0]} on clips" if on_clips else "")


def _learned_on_clips(weights: Weights) -> bool:
    trained = read_card(weights).get("trained")
    frames = trained.get("frames") if isinstance(trained, Mapping) else None
    return isinstance(frames, int) and frames > 1


@st.cache_resource(max_entries=MODELS_KEPT, show_spinner=False)
def load_model(weights: Weights) -> Model:
    """The network of `weights`, loaded once for the whole server.

    Raises:
        A2Error: the checkpoint is refused, or the device cannot be used.
    """
    if weights.label == VIDEO_NETWORK:
        model = a2core.video_model(VIDEO_DEPTH, blocks=VIDEO_BLOCKS)
    elif weights.trained:
        model = a2core.load_model(weights.checkpoint)
    else:
        model = a2core.untrained_model(weights.checkpoint)
    return model


@st.cache_resource(show_spinner=False)
def use_cores() -> int:
    """Set how many threads torch and OpenCV work with, once for the server; how many."""
    return a2core.use_cores()


def set_apart() -> None:
    """Keep the collector from the modules that were imported, which stay for as long as the server runs.

    Streamlit collects all generations after each run of a script, which with torch's million objects
    takes a quarter of a second of processor time: ten times what a step of the lesson itself takes.
    Libraries import more when they are first used, so this is for the end of each run.
    """
    _set_modules_apart(len(sys.modules))


@st.cache_resource(show_spinner=False)
def _set_modules_apart(count: int) -> None:
    del count
    gc.collect()
    gc.freeze()


@st.cache_resource(max_entries=SAMPLES_KEPT, show_spinner=False)
def load_sample(sample: Sample) -> Picture:
    """A sample photo, read from the scikit-image wheel.

    Raises:
        MediaError: the file is missing or damaged.
    """
    clip = a2core.read_media(view_model.sample_path(sample), max_side_px=view_model.UPLOAD_MAX_SIDE_PX)
    thumbnail = view_model.data_url(clip.frames[0], quality=80, max_side_px=view_model.THUMBNAIL_PX)
    return Picture(sample.name, sample.title, sample.alt, sample.credit, clip, thumbnail, sample.spot)


def read_upload(data: bytes, name: str) -> Picture:
    """A visitor's file as a Picture, decoded no larger than the page can use; of a clip, its first frame.

    Raises:
        MediaError: the file is not a picture, is damaged, or breaks a limit.
    """
    clip = a2core.read_media(data, name=name, max_side_px=view_model.UPLOAD_MAX_SIDE_PX).first_frame()
    digest = UPLOAD_PREFIX + hashlib.sha256(data).hexdigest()[:24]
    title = view_model.short_name(name)
    thumbnail = view_model.data_url(clip.frames[0], quality=80, max_side_px=view_model.THUMBNAIL_PX)
    return Picture(digest, title, f"Your picture {name}", "", clip, thumbnail)


def show(picture: Picture, weights: Weights, size_px: int) -> Shown:
    """`picture` traced with `weights` at `size_px`; taken from the cache when anybody asked before.

    Raises:
        A2Error: the checkpoint is refused, or the device cannot do it.
    """
    return _shown(picture.id, weights, size_px, picture)


@st.cache_resource(max_entries=TRACES_KEPT, show_spinner=False)
def _shown(picture_id: str, weights: Weights, size_px: int, _picture: Picture) -> Shown:
    model = load_model(weights)
    trace = model.trace(_picture.clip, size=size_px)
    key = view_model.trace_key(picture_id, f"{weights.label} {weights.fingerprint}", size_px)
    payload = view_model.canvas_payload(trace, model.card, key=key, alt=_picture.alt)
    return Shown(key, _picture, weights, size_px, trace, payload, model.card)


@st.cache_resource(show_spinner=False)
def prepare_samples(weights: Weights) -> threading.Thread:
    """Trace all samples behind the visitors' backs, once for the server: choosing one then takes no trace."""

    def trace_all() -> None:
        for sample in view_model.SAMPLES:
            attempt(lambda sample=sample: show(load_sample(sample), weights, view_model.DEFAULT_SIZE_PX))  # type: ignore[misc]

    thread = threading.Thread(target=trace_all, name="samples", daemon=True)
    thread.start()
    return thread


def current_shown() -> Shown:
    """What the visitor looked at last, on any page; the first sample, traced, when there is nothing yet.

    Raises:
        A2Error: there is no checkpoint to use, or it is refused.
    """
    shown: Shown | None = st.session_state.get(Key.SHOWN)
    usable, _ = list_weights()
    of_clips = shown is not None and shown.weights.label == VIDEO_NETWORK
    if shown is not None and (len(shown.trace.clip.frames) > 1 or of_clips):  # other pages are about pictures
        still = replace(shown.picture, clip=shown.picture.clip.first_frame(), cut=None)
        return show(still, usable[0] if of_clips and usable else shown.weights, shown.size_px)
    if shown is not None:
        return shown
    if not usable:
        raise CheckpointError(NO_CHECKPOINT)
    return show(load_sample(view_model.SAMPLES[0]), usable[0], view_model.DEFAULT_SIZE_PX)


def current_probe(shown: Shown) -> Probe:
    """The pixel that the visitor marked last in `shown`; where nobody did, the one marked at first."""
    probe: Probe | None = st.session_state.get(Key.PROBE)
    if probe is not None and probe.key == shown.key:
        return probe
    block = view_model.default_block(shown.trace)
    return Probe(shown.key, block.name, *view_model.default_position(block, shown.picture.spot), None)


def figure_file(shown: Shown, probe: Probe, view: Mapping[str, Any]) -> bytes:
    """The figure of what the canvas shows at `probe`, as PNG."""
    attended = shown.trace.blocks[probe.block]
    layer, primitive = view.get("layer", "attention"), probe.primitive
    if layer in ("gather", "distribute") and primitive is None:
        layer = "attention"  # as in the canvas: a map of one primitive needs one that was chosen
    direction: Literal["from", "to"] = "to" if view.get("direction") == "to" else "from"
    return a2core.figure_png(
        shown.trace,
        attended.name,
        probe.position,
        direction=direction,
        layer=layer,
        primitive=primitive,
        credit=shown.picture.credit,
    )


def npz_file(shown: Shown) -> bytes:
    """All arrays of the trace, as `python -m a2core trace` writes them."""
    file = io.BytesIO()
    a2core.write_npz(file, shown.trace)
    return file.getvalue()


def rho_file(shown: Shown, block: str, positions: Sequence[tuple[int, int, int]]) -> str:
    """ρ of `block` at `positions` (t, row, col) as CSV."""
    return a2core.rho_csv(shown.trace, block, positions)


def attempt(action: Callable[[], T]) -> tuple[T | None, str]:
    """What `action` returns and "", or None and what to tell the visitor.

    Faults that a user can cause speak for themselves; anything else goes to the log with its
    traceback, and the visitor reads that it was not their doing.
    """
    try:
        return action(), ""
    except A2Error as error:
        logger.info("refused: %s", error)
        return None, str(error)
    except Exception:  # the last net before a student; the log has it all
        logger.exception("unexpected fault")
        return None, UNEXPECTED


def guarded(render: Callable[P, None]) -> Callable[P, None]:
    """`render`, with every fault shown as a calm message in place of a stack trace."""

    @functools.wraps(render)
    def calm(*args: P.args, **kwargs: P.kwargs) -> None:
        _, fault = attempt(lambda: render(*args, **kwargs))
        if fault:
            tell(fault)

    return calm


def tell(fault: str) -> None:
    """Show `fault` on the page, word for word."""
    st.error(view_model.as_markdown(fault), icon=":material/error:")
