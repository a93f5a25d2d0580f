"""What a visitor brings: files read, a clip's file kept to cut other frames from, and a quota.

How large files may be: a2core/media/upload_limits.py. Nothing is written to disk but what FFmpeg reads while
it reads it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

import streamlit as st

import a2core
from a2core import Clip
from a2core.languages import sentence
from viz_app.server import pictures, visitors
from viz_app.server.jobs import Tell
from viz_app.server.pictures import DECODED_SIDE_PX, MOVING_SIDE_PX, Cut, Picture, picture_of
from viz_app.server.store import Entry, Full
from viz_app.server.visitors import Look
from viz_app.ui import text
from viz_app.ui.state import Key
from viz_app.ui.text import short_name

UPLOAD_PREFIX = "upload-"
KEPT = 12  # pictures of one visitor

_ALT = {True: "Your picture {name}", False: "Your clip {name}"}  # by whether it is one picture


@dataclass(frozen=True, eq=False)
class Source:
    """The file of a clip, to cut another stretch from; the server may let it go."""

    held: Entry[bytes]
    name: str
    end_s: float  # time of its last frame, in whole hundredths, up


def read_upload(data: bytes, name: str, *, look: Look | None = None) -> tuple[Picture, Source | None]:
    """A visitor's file: a picture, or a clip with its source where there is room to keep it.

    Decoded no larger than the page can use, in a line of its own: `look` sees how that stands.

    Raises:
        MediaError: the file is neither, is damaged, or breaks a limit.
        A2Error: the server has no room for its frames.
        Whatever `look` raises.
    """
    digest = hashlib.sha256(data).hexdigest()[:24]
    clip = _decoded(data, name, (digest, name), max_frames=pictures.FRAMES, look=look)
    plays_on = len(clip.frames) > 1
    end_s = math.ceil(100 * float(clip.times_s[-1]) - 1e-6) / 100  # what a slider in hundredths reaches
    picture = picture_of(
        clip if plays_on else clip.first_frame(),
        id=UPLOAD_PREFIX + digest,
        title=short_name(name),
        alt=sentence(_ALT[clip.kind == "image"], name=name),
        cut=Cut(0.0, end_s, pictures.FRAMES) if plays_on else None,
    )
    if not plays_on:
        return picture, None
    try:
        held = visitors.server().store.put(("file", digest), data, visitors.visitor())
    except Full:
        return replace(
            picture, notes=(*picture.notes, text.NO_ROOM_FOR_FILE.format(title=picture.title))
        ), None
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
    return picture_of(
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
            max_side_px=DECODED_SIDE_PX,
            max_moving_side_px=MOVING_SIDE_PX,
            start_s=start_s,
            end_s=end_s,
        )

    return visitors.server().decoders.run(key, read, visitor=visitors.visitor(), look=look)


# ---- whose they are, as long as the visitor's session lasts


def own() -> dict[str, Picture]:
    """The visitor's own pictures by id, the newest first, without those that the server has let go."""
    mine: dict[str, Picture] = st.session_state.setdefault(Key.UPLOADS, {})
    for name in [name for name, picture in mine.items() if not picture.held.here]:
        del mine[name]  # to make room: the visitor is told in a letter
    return mine


def source_of(picture: Picture) -> Source | None:
    """The file that other frames of `picture` can be cut from; the server may have let it go."""
    return _sources().get(picture.id)


def receive(data: bytes, name: str, *, look: Look | None = None) -> Picture:
    """A visitor's file as a Picture; the file of a clip is kept beside it.

    Raises:
        As `read_upload`.
    """
    picture, source = read_upload(data, name, look=look)
    if source is not None:
        _sources()[picture.id] = source
    return picture


def keep(fresh: dict[str, Picture]) -> None:
    """Have the pictures `fresh` among the visitor's own, before all others; the oldest fall off the end."""
    mine: dict[str, Picture] = st.session_state.setdefault(Key.UPLOADS, {})
    newest_first = {**fresh, **mine} | fresh
    mine.clear()  # in place: what a reload takes over is this dict (ui/returning.py)
    mine.update(list(newest_first.items())[:KEPT])
    store, who = visitors.server().store, visitors.visitor()
    for picture in list(newest_first.values())[KEPT:]:
        store.release(who, picture.held)
        if (source := _sources().pop(picture.id, None)) is not None:
            store.release(who, source.held)


def _sources() -> dict[str, Source]:
    sources: dict[str, Source] = st.session_state.setdefault(Key.SOURCES, {})
    return sources
