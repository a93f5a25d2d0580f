"""Clips in the app: choosing their frames, and what is only theirs.

A clip is a `Picture` with several frames. Its file is kept beside it while there is room, so that another
stretch can be cut from it; nothing is written to disk but what FFmpeg reads while it reads it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

import a2core
from a2core import BlockTrace, Clip, Movie
from viz_app.server import services, visitors
from viz_app.server.jobs import Tell
from viz_app.server.services import Picture, Shown
from viz_app.server.store import Entry, Full
from viz_app.server.visitors import Look
from viz_app.ui import view_model
from viz_app.ui.state import Probe

FRAMES = 16
MADE = "made-clip"
MADE_OF = ("coffee", "chelsea")  # scene, and what crosses it
PAGE_BYTES = 205_000  # of the offline page, without a payload
NO_ROOM_FOR_FILE = "There is no room to keep the file of {title}: other frames of it cannot be chosen."


@dataclass(frozen=True, eq=False)
class Source:
    """The file of a clip, to cut another stretch from; the server may let it go."""

    held: Entry[bytes]
    name: str
    end_s: float  # time of its last frame, in whole hundredths, up


@dataclass(frozen=True)
class Cut:
    """Which frames are taken: `count` of them between two times in seconds."""

    start_s: float
    end_s: float
    count: int


def read_upload(data: bytes, name: str, *, look: Look | None = None) -> tuple[Picture, Source | None]:
    """A visitor's file: a picture, or a clip with its source where there is room to keep it.

    Decoded no larger than the page can use, in a line of its own: `look` sees how that stands.

    Raises:
        MediaError: the file is neither, is damaged, or breaks a limit.
        A2Error: the server has no room for its frames.
        Whatever `look` raises.
    """
    digest = hashlib.sha256(data).hexdigest()[:24]
    clip = _decoded(data, name, (digest, name), max_frames=FRAMES, look=look)
    plays_on = len(clip.frames) > 1
    what = "picture" if clip.kind == "image" else "clip"
    end_s = math.ceil(100 * float(clip.times_s[-1]) - 1e-6) / 100  # what a slider in hundredths reaches
    picture = services.picture_of(
        clip if plays_on else clip.first_frame(),
        id=services.UPLOAD_PREFIX + digest,
        title=view_model.short_name(name),
        alt=f"Your {what} {name}",
        cut=Cut(0.0, end_s, FRAMES) if plays_on else None,
    )
    if not plays_on:
        return picture, None
    try:
        held = visitors.server().store.put(("file", digest), data, visitors.visitor())
    except Full:
        return replace(picture, notes=(*picture.notes, NO_ROOM_FOR_FILE.format(title=picture.title))), None
    return picture, Source(held, name, end_s)


def cut_again(picture: Picture, source: Source, cut: Cut, *, look: Look | None = None) -> Picture:
    """The clip with other frames.

    Raises:
        MediaError: there are no frames between these times.
        A2Error: the file was let go, or the server has no room for the frames.
        Whatever `look` raises.
    """
    clip = _decoded(
        source.held.value,
        source.name,
        (picture.id, source.name, cut),
        max_frames=cut.count,
        start_s=cut.start_s if cut.start_s > 0 else None,
        end_s=cut.end_s if cut.end_s < source.end_s else None,
        look=look,
    )
    return services.picture_of(
        clip, id=picture.id, title=picture.title, alt=picture.alt, cut=cut, thumbnail=picture.thumbnail
    )


def _decoded(
    data: bytes,
    name: str,
    key: tuple[object, ...],
    *,
    max_frames: int,
    start_s: float | None = None,
    end_s: float | None = None,
    look: Look | None,
) -> Clip:
    """The frames of a file, decoded once for all who ask at the same time under the same name.

    Under the same name, because what is said of a bad file contains it, and nobody reads another's.
    """

    def read(tell: Tell) -> Clip:
        tell(0.0)
        return a2core.read_media(
            data,
            name=name,
            max_frames=max_frames,
            max_side_px=view_model.UPLOAD_MAX_SIDE_PX,
            start_s=start_s,
            end_s=end_s,
        )

    return visitors.server().decoders.run(key, read, visitor=visitors.visitor(), look=look)


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
    return services.picture_of(
        clip,
        id=MADE,
        title="Made clip",
        alt="A made clip: the face of a cat, cut out round, crosses a cup of coffee while the camera moves",
        credit=f"{scene.credit}. {thing.credit}",
        thumbnail=view_model.data_url(middle, quality=80, max_side_px=view_model.THUMBNAIL_PX),
        public=True,
    )


def is_clip(picture: Picture) -> bool:
    """Whether there is anything to choose: several frames, or one that was cut out of several."""
    return plays(picture) or picture.cut is not None


def plays(picture: Picture) -> bool:
    """Whether there is anything to play."""
    return picture.frames > 1


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
