"""Clips in the app: choosing their frames, tracing them with progress, and what is only theirs.

A clip is a `Picture` with several frames. Its file is kept beside it, so that another stretch can be cut
from it; nothing is written to disk but what FFmpeg reads while it reads it.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

import a2core
from a2core import BlockTrace, Clip, Movie
from viz_app import services, view_model
from viz_app.services import Picture, Shown, Weights
from viz_app.state import Probe

FRAMES = 16
MADE = "made-clip"
MADE_OF = ("coffee", "chelsea")  # scene, and what crosses it
CLIPS_KEPT = 12  # traces of about 5 to 50 MB, payload included
SOURCES_KEPT_BYTES = 600 * 10**6  # of files that another stretch can be cut from, per visitor
PAGE_BYTES = 150_000  # of the offline page, without a payload
EACH, JOINT = "each", "joint"


@dataclass(frozen=True, eq=False)
class Source:
    """The file of a clip, to cut another stretch from."""

    data: bytes
    name: str
    end_s: float  # time of its last frame, in whole hundredths, up


@dataclass(frozen=True)
class Cut:
    """Which frames are taken: `count` of them between two times in seconds."""

    start_s: float
    end_s: float
    count: int


def read_upload(data: bytes, name: str) -> tuple[Picture, Source | None]:
    """A visitor's file: a picture, or a clip with its source.

    Raises:
        MediaError: the file is neither, is damaged, or breaks a limit.
    """
    clip = a2core.read_media(data, name=name, max_frames=FRAMES, max_side_px=view_model.UPLOAD_MAX_SIDE_PX)
    picture = _picture(data, name, clip)
    if len(clip.frames) < 2:
        return replace(picture, clip=clip.first_frame()), None
    end_s = math.ceil(100 * float(clip.times_s[-1]) - 1e-6) / 100  # what a slider in hundredths reaches
    return replace(picture, cut=Cut(0.0, end_s, FRAMES)), Source(data, name, end_s)


def cut_again(picture: Picture, source: Source, cut: Cut) -> Picture:
    """The clip with other frames.

    Raises:
        MediaError: there are no frames between these times.
    """
    clip = a2core.read_media(
        source.data,
        name=source.name,
        max_frames=cut.count,
        max_side_px=view_model.UPLOAD_MAX_SIDE_PX,
        start_s=cut.start_s if cut.start_s > 0 else None,
        end_s=cut.end_s if cut.end_s < source.end_s else None,
    )
    return replace(picture, clip=clip, cut=cut)


def _picture(data: bytes, name: str, clip: Clip) -> Picture:
    digest = services.UPLOAD_PREFIX + hashlib.sha256(data).hexdigest()[:24]
    thumbnail = view_model.data_url(clip.frames[0], quality=80, max_side_px=view_model.THUMBNAIL_PX)
    what = "picture" if clip.kind == "image" else "clip"
    return Picture(digest, view_model.short_name(name), f"Your {what} {name}", "", clip, thumbnail)


@st.cache_resource(show_spinner=False)
def sample_clip() -> Picture:
    """A clip made on the spot from two sample photos, labelled as made.

    Raises:
        MediaError: a photo is missing or damaged.
    """
    samples = {sample.name: sample for sample in view_model.SAMPLES}
    scene, thing = (services.load_sample(samples[name]) for name in MADE_OF)
    clip = a2core.made_clip(scene.clip.frames[0], thing.clip.frames[0], frames=FRAMES, name="made clip")
    middle = clip.frames[len(clip.frames) // 2]
    thumbnail = view_model.data_url(middle, quality=80, max_side_px=view_model.THUMBNAIL_PX)
    alt = "A made clip: the face of a cat, cut out round, crosses a cup of coffee while the camera moves"
    return Picture(MADE, "Made clip", alt, f"{scene.credit}. {thing.credit}", clip, thumbnail)


def is_clip(picture: Picture) -> bool:
    """Whether there is anything to choose: several frames, or one that was cut out of several."""
    return plays(picture) or picture.cut is not None


def plays(picture: Picture) -> bool:
    """Whether there is anything to play."""
    return len(picture.clip.frames) > 1


# ---- tracing


class _Kept:
    """The traces of clips that were asked for last, for the whole server."""

    def __init__(self) -> None:
        self.shown: OrderedDict[str, Shown] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: str) -> Shown | None:
        with self.lock:
            if key in self.shown:
                self.shown.move_to_end(key)
            return self.shown.get(key)

    def put(self, shown: Shown) -> None:
        with self.lock:
            self.shown[shown.key] = shown
            while len(self.shown) > CLIPS_KEPT:
                self.shown.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _kept() -> _Kept:
    return _Kept()


def key_of(picture: Picture, weights: Weights, size_px: int, frames: str) -> str:
    """Identity of a clip's trace."""
    what = f"{picture.id} {picture.cut} {frames}"
    return view_model.trace_key(what, f"{weights.label} {weights.fingerprint}", size_px)


def known(picture: Picture, weights: Weights, size_px: int, frames: str) -> Shown | None:
    """The trace when anybody asked for it before and it is still kept."""
    found = _kept().get(key_of(picture, weights, size_px, frames))
    return None if found is None else replace(found, picture=picture)


def trace(
    picture: Picture, weights: Weights, size_px: int, frames: str, progress: Callable[[float], None]
) -> Shown:
    """`picture`, a clip, traced; `progress` is told the share that is done.

    What `progress` raises ends the work: Streamlit does so when the visitor clicks something else or
    closes the page.

    Raises:
        A2Error: the checkpoint is refused, or the device cannot do it.
    """
    model = services.load_model(weights)
    done = model.trace(
        picture.clip,
        size=size_px,
        frames="each" if frames == EACH else "joint",
        progress=lambda share: progress(0.9 * share),
    )
    key = key_of(picture, weights, size_px, frames)
    payload = view_model.canvas_payload(done, model.card, key=key, alt=picture.alt)
    progress(1.0)
    shown = Shown(key, picture, weights, size_px, done, payload, model.card)
    _kept().put(shown)
    return shown


# ---- what is only a clip's


def life(block: BlockTrace) -> tuple[np.ndarray, np.ndarray]:
    """How much of each primitive is gathered, and handed out, at each moment; both (n, T).

    Gathered mass sums to 1 over the clip (each frame alone: in each frame); the mean distribution
    weight sums to 1 over the primitives at each moment.
    """
    return block.gather.sum(axis=(2, 3)), block.distribute.mean(axis=(2, 3))


def movie(shown: Shown, probe: Probe, *, of_primitive: bool) -> Movie:
    """The clip with the attention of the marked pixel, or the gather map of the chosen primitive, over it."""
    block = shown.trace.blocks[probe.block]
    if of_primitive:
        return a2core.overlay_movie(shown.trace, block.gather[probe.primitive or 0])
    return a2core.overlay_movie(shown.trace, a2core.effective_attention(block, probe.position))


def page_megabytes(shown: Shown) -> float:
    """How large the offline page becomes: nearly all of it are the frames and maps of the payload."""
    payload = shown.payload
    maps = (block[name]["data"] for block in payload["blocks"] for name in ("gather", "distribute", "change"))
    return (sum(map(len, payload["frames"])) + sum(map(len, maps)) + PAGE_BYTES) / 1e6
