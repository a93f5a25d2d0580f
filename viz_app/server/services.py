"""What the pages ask the model core for: cached models and traces, and faults turned into messages.

One server serves a whole class: a checkpoint is loaded once, a trace that anybody asked for is kept
for everybody who has the same picture, and thirty students who click together stand in one line
(`server`). Nothing here draws a page, but for the messages.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import io
import itertools
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, ParamSpec, TypeVar

import streamlit as st

import a2core
from a2core import A2Error, CheckpointError, CheckpointInfo, Clip, Model, Trace
from viz_app.server import visitors
from viz_app.server.jobs import Job, Tell
from viz_app.server.store import PUBLIC, Entry, loose
from viz_app.server.visitors import Look
from viz_app.ui import view_model
from viz_app.ui.state import Key, Probe
from viz_app.ui.view_model import Sample

logger = logging.getLogger("a2.app")
T = TypeVar("T")
P = ParamSpec("P")

MODELS_KEPT = 4
SAMPLES_KEPT = 16
EACH, JOINT = "each", "joint"  # what a block attends over: each frame of a clip alone, or all of them
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
    """A picture or clip that can be traced: a sample, or what a visitor brought.

    The frames are the server's, which shares them by content and may let them go; what a file is called
    and what is said of it are this visitor's alone.

    Attributes:
        id: names its file in an address.
        content: names its frames and their times.
        held: the frames as a Clip without a name.
        frames: how many there are.
        thumbnail: a data URL.
        spot: where the first probe is put, as (x, y) fractions; None for where the block changes its input
            the most.
        cut: of a clip whose frames can be chosen: which were (clips.Cut).
        name, notes: of the clip, as the visitor sees them.
        public: no visitor brought it.
    """

    id: str
    title: str
    alt: str
    credit: str
    content: str
    held: Entry[Clip]
    frames: int
    thumbnail: str
    spot: tuple[float, float] | None = None
    cut: Any = None
    name: str = ""
    notes: tuple[str, ...] = ()
    public: bool = False

    @property
    def clip(self) -> Clip:
        """The frames.

        Raises:
            A2Error: the server has let them go.
        """
        return replace(self.held.value, name=self.name, notes=self.notes)


def picture_of(
    clip: Clip,
    *,
    id: str,
    title: str = "",
    alt: str = "",
    credit: str = "",
    thumbnail: str | None = None,
    spot: tuple[float, float] | None = None,
    cut: Any = None,
    public: bool = False,
) -> Picture:
    """`clip` as a Picture, its frames kept by the server for this visitor, or for good if `public`.

    Raises:
        A2Error: there is no room for them.
    """
    bare = replace(clip, name="", notes=())
    content = content_of(clip)
    held: Entry[Clip] = (
        loose(bare)
        if public
        else visitors.server().store.put(("clip", content), bare, visitors.visitor(), name=title)
    )
    if thumbnail is None:
        thumbnail = view_model.data_url(clip.frames[0], quality=80, max_side_px=view_model.THUMBNAIL_PX)
    return Picture(
        id,
        title,
        alt,
        credit,
        content,
        held,
        len(clip.frames),
        thumbnail,
        spot,
        cut,
        clip.name,
        clip.notes,
        public,
    )


def content_of(clip: Clip) -> str:
    """What names the frames of `clip` and their times: equal ones have the same, whatever they are called."""
    digest = hashlib.sha256(f"{clip.kind} {clip.frames.shape}".encode())
    digest.update(clip.times_s.tobytes())
    digest.update(clip.frames.tobytes())
    return digest.hexdigest()[:24]


def holder_of(picture: Picture) -> str:
    """Who holds what is worked out about `picture`: everybody, or this visitor."""
    return PUBLIC if picture.public else visitors.visitor()


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
        return view_model.with_alt(self.held.value.payload, self.picture.alt)

    @property
    def card(self) -> Mapping[str, Any]:
        """The card of the weights' checkpoint."""
        return self.held.value.card


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
        if info.contents is None:
            refused.append(info)
            continue
        trained = info.contents.trained
        blocks = info.card["architecture"].get("blocks", {}).values()
        if blocks and all(block.get("kind", DOUBLE_ATTENTION) != DOUBLE_ATTENTION for block in blocks):
            continue
        fingerprint = str(info.card.get("sha256", ""))[:16]
        usable.append(Weights(info.name, info.name, fingerprint, trained=trained))
        if trained and info.card["architecture"] not in twins:
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


def load_model(weights: Weights) -> Model:
    """The network of `weights`, loaded once for the whole server.

    Raises:
        A2Error: the checkpoint is refused, or the device cannot be used.
    """
    return _loaded(weights)[0]


def model_number(weights: Weights) -> int:
    """Tells the object that `load_model` returns from any that it returned before or will return later.

    Raises:
        A2Error: as `load_model`.
    """
    return _loaded(weights)[1]


@st.cache_resource(show_spinner=False)
def _numbers() -> itertools.count[int]:
    return itertools.count(1)


@st.cache_resource(max_entries=MODELS_KEPT, show_spinner=False)
def _loaded(weights: Weights) -> tuple[Model, int]:
    if weights.label == VIDEO_NETWORK:
        model = a2core.video_model(VIDEO_DEPTH, blocks=VIDEO_BLOCKS)
    elif weights.label == weights.checkpoint:
        model = a2core.load_model(weights.checkpoint)
    else:
        model = a2core.untrained_model(weights.checkpoint)
    return model, next(_numbers())


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
    return picture_of(
        clip,
        id=sample.name,
        title=sample.title,
        alt=sample.alt,
        credit=sample.credit,
        spot=sample.spot,
        public=True,
    )


def shown_key(picture: Picture, weights: Weights, size_px: int, together: str = JOINT) -> str:
    """Identity of a trace: the frames, the weights, the size and what is attended over; nothing else."""
    how = f"{together if picture.frames > 1 else JOINT} {weights.label} {weights.fingerprint}"
    return view_model.trace_key(picture.content, how, size_px)


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
        model = load_model(weights)
        tell(0.0)
        clip = picture.held.value
        trace = model.trace(
            clip,
            size=size_px,
            frames="each" if together == EACH else "joint",
            progress=lambda share: tell(0.9 * share),
        )
        logger.info("traced %s", key)
        # The frames that it was made from may be let go, while it stays.
        trace = replace(trace, clip=replace(clip, frames=trace.model_input))
        return Traced(trace, view_model.canvas_payload(trace, model.card, key=key, alt=""), model.card)

    entry = visitors.obtain(("trace", key), make, holder=holder_of(picture), look=look)
    if who := visitors.visitor():
        visitors.server().store.pin(who, [entry, picture.held])
    return Shown(key, picture, weights, size_px, together, entry)


def known(picture: Picture, weights: Weights, size_px: int, together: str = JOINT) -> bool:
    """Whether the trace is there."""
    return visitors.server().store.peek(("trace", shown_key(picture, weights, size_px, together))) is not None


@st.cache_resource(show_spinner=False)
def prepare_samples(weights: Weights) -> Job:
    """Trace all samples behind the visitors' backs, once for the server: choosing one then takes no trace."""
    queue = visitors.server().networks

    def trace_all(_: Tell) -> None:
        for sample in view_model.SAMPLES:
            queue.make_way()
            attempt(lambda sample=sample: show(load_sample(sample), weights, view_model.DEFAULT_SIZE_PX))  # type: ignore[misc]

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
    usable, _ = list_weights()
    if shown is None or not shown.held.here:
        if not usable:
            raise CheckpointError(NO_CHECKPOINT)
        sample = load_sample(view_model.SAMPLES[0])
        return show(sample, usable[0], view_model.DEFAULT_SIZE_PX, look=look)
    weights = usable[0] if shown.weights.label == VIDEO_NETWORK and usable else shown.weights
    if weights is shown.weights and shown.together == JOINT:
        return shown
    return show(shown.picture, weights, shown.size_px, look=look)


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
