"""Bringing a picture or a clip: the drop zone, the camera, its recorder; and reading what came.

What came is read in the run that begins after it, before the widgets that show it are drawn. What a visitor
may keep, and reading itself: `server/uploads.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from viz_app.components.clip_recorder import clip_recorder, name_of, recorded
from viz_app.server import uploads, visitors
from viz_app.server.faults import attempt
from viz_app.server.pictures import Cut, Picture
from viz_app.server.visitors import Look
from viz_app.ui import framed, language
from viz_app.ui.guards import callback
from viz_app.ui.shell import tell_link, waiting
from viz_app.ui.state import Key
from viz_app.views.explore import words


class File(NamedTuple):
    """A file that a visitor brought."""

    id: str
    name: str
    content: Callable[[], bytes]


def draw() -> None:
    """Draw the drop zone and the button that opens the camera."""
    round_ = st.session_state.setdefault(Key.UPLOADER_ROUND, 0)
    drop = f"upload-{round_}"
    refused = framed.about_uploads()
    with st.container(key="drop", width=250):
        if refused:
            st.caption(refused)
        else:
            st.file_uploader(
                words.DROP,
                accept_multiple_files=True,
                key=drop,
                on_change=_receive,
                args=(drop,),
                label_visibility="collapsed",
            )
    camera = st.popover(":material/photo_camera:", key=Key.CAMERA, on_change="rerun", help=words.ABOUT_CAMERA)
    if camera.open:  # not before: the browser asks for leave as soon as the camera is on the page
        with camera:
            _camera(round_, refused)


def _camera(round_: int, refused: str) -> None:
    """The visitor's camera, for a picture, which is an upload and may be `refused`, or for a short clip."""
    takes = st.segmented_control(
        words.CAMERA_TAKES,
        list(words.TAKES),
        format_func=words.TAKES.__getitem__,
        required=True,
        default="picture",
        key=Key.CAMERA_TAKES,
        label_visibility="collapsed",
    )
    if takes == "clip":
        reel = f"recorder-{round_}"
        clip_recorder(key=reel, on_clip=_receive_recorded, args=(reel,))
    elif refused:
        st.caption(refused)
    else:
        framed.about_camera()
        shot = f"camera-{round_}"
        st.camera_input(
            words.TAKE_PICTURE, key=shot, on_change=_receive, args=(shot,), label_visibility="collapsed"
        )


@callback
def _receive(widget: str) -> None:
    """Read the files that came from the drop zone or as a photo."""
    came = st.session_state.get(widget)
    files = came if isinstance(came, list) else [came] if came is not None else []
    _read([File(file.file_id, file.name, file.getvalue) for file in files])


@callback
def _receive_recorded(widget: str) -> None:
    """Read the clip that the camera's recorder sent, and put the camera away."""
    st.session_state[Key.CAMERA] = False
    data, fault = attempt(lambda: recorded(widget))
    if fault:
        st.session_state[Key.FAULT] = fault
    if data is not None:
        _read([File(widget, name_of(data), lambda: data)])


def _read(files: list[File]) -> None:
    """Have `files` read in the run that begins."""
    # A run that is overtaken by the next click calls its callbacks again: each file counts once.
    received = [file.id for file in files]
    if files and received != st.session_state.get(Key.RECEIVED):
        st.session_state[Key.RECEIVED] = received
        st.session_state[Key.INCOMING] = files


# ---- reading what came


def take_in(notices: DeltaGenerator) -> None:
    """Read what came, and cut what was asked for, before the widgets that show it are drawn.

    A run that is overtaken here leaves it to the next; what was read by then is not read again.
    """
    came: list[File] = st.session_state.get(Key.INCOMING) or []
    if came:
        _take_in_files(came, notices)
        _drop_incoming()
        st.session_state[Key.UPLOADER_ROUND] += 1  # a fresh drop zone: the same file can be dropped again
    with waiting(words.READING_CLIP, notices, on_stop=_drop_cut, key="cut") as look:
        _cut(look)
    letters = visitors.server().store.letters(visitors.visitor())
    tell_link(notices, [language.told(letter) for letter in letters])


def _drop_incoming() -> None:
    st.session_state.pop(Key.INCOMING, None)


def _drop_cut() -> None:
    st.session_state.pop(Key.CUT, None)


def _take_in_files(files: list[File], notices: DeltaGenerator) -> None:
    """Read `files`; choose the first that can be read, and say of each other why it cannot."""
    fresh: dict[str, Picture] = {}
    faults = []
    for file in files[: uploads.KEPT]:
        with waiting(words.reading(file.name), notices, on_stop=_drop_incoming, key=file.id) as look:
            picture, fault = attempt(
                lambda file=file, look=look: uploads.receive(file.content(), file.name, look=look)  # type: ignore[misc]
            )
        if picture is None:
            faults.append(fault)
        else:
            fresh[picture.id] = picture
    if len(files) > uploads.KEPT:
        faults.append(words.too_many(len(files), uploads.KEPT))
    if faults:
        st.session_state[Key.FAULT] = " ".join(faults)
    if fresh:
        uploads.keep(fresh)
        st.session_state[Key.SAMPLE] = next(iter(fresh))


def cut_keys(picture_id: str) -> tuple[str, str]:
    """The keys of the widgets for a clip's stretch and for how many frames."""
    return f"stretch-{picture_id}", f"frames-{picture_id}"


def _cut(look: Look) -> None:
    """Take the other frames that were asked for; where that fails, the clip stays as it was and says why.

    Before the widgets are drawn, which then show what is.
    """
    asked: tuple[str, Cut] | None = st.session_state.get(Key.CUT)
    if asked is None:
        return
    picture_id, wanted = asked
    mine: dict[str, Picture] = st.session_state.get(Key.UPLOADS, {})
    before = mine.get(picture_id)
    source = None if before is None else uploads.source_of(before)
    if before is not None and before.cut is not None and source is not None:
        picture, fault = attempt(lambda: uploads.cut_again(before, source, wanted, look=look))
        if picture is None:
            stretch, frames = cut_keys(picture_id)
            st.session_state[Key.FAULT] = fault
            st.session_state[stretch] = (before.cut.start_s, before.cut.end_s)
            st.session_state[frames] = before.cut.count
        else:
            mine[picture_id] = picture
    del st.session_state[Key.CUT]  # not before: another click while it is being read has it read again
