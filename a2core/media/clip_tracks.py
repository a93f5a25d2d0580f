"""Which of a clip's video tracks is the film: not a cover, not a strip of thumbnails."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

_COVER = Disposition.attached_pic  # the picture of an album, not a video
_BESIDE_THE_FILM = Disposition.timed_thumbnails | Disposition.still_image
_LOOKED_AT_PACKETS = 2000
# A track that holds less of the largest one's pixels is not the same film from elsewhere.
_COMPARABLE = 1 / 4


def film_tracks(file: InputContainer) -> list[VideoStream]:
    """The video tracks that may be the film, in the file's order; none where it holds covers only."""
    tracks = [track for track in file.streams.video if not track.disposition & _COVER]
    return [track for track in tracks if not track.disposition & _BESIDE_THE_FILM] or tracks


def film_among(file: InputContainer, tracks: list[VideoStream]) -> VideoStream:
    """The film: the track with the most pixels over all its frames.

    Of tracks that are comparable (a film in two languages, from two angles) it is the one that the file
    calls its default. Leaves the file anywhere.

    Args:
        file: An open clip, at its start.
        tracks: Two or more, of film_tracks.
    """
    frames = {track.index: track.frames for track in tracks}
    if not all(frames.values()):  # Matroska does not say
        seen: Counter[int] = Counter()
        with contextlib.suppress(av.FFmpegError):  # what is damaged is told when it is read
            for packet in file.demux(*tracks):
                seen[packet.stream.index] += packet.size > 0
                if seen.total() == _LOOKED_AT_PACKETS:
                    break
        frames = dict(seen)
    pixels = {track.index: _pixels(track) * frames.get(track.index, 0) for track in tracks}
    enough = max(pixels.values()) * _COMPARABLE
    films = [track for track in tracks if pixels[track.index] >= enough]
    return max(films, key=lambda track: (bool(track.disposition & Disposition.default), pixels[track.index]))


def _pixels(track: VideoStream) -> int:
    codec = track.codec_context
    return codec.width * codec.height if codec is not None else 0


def codec_name(track: VideoStream, path: Path) -> str:
    """The codec's four letters, or the name that a Matroska file gives it."""
    with path.open("rb") as file:
        begin = file.read(1 << 16)
    for named in (rb"V_[A-Z0-9_/]{2,30}", rb"vids([ -~]{4})"):
        found = re.search(named, begin)
        if found:
            return found.group(found.re.groups).decode()
    codec = track.codec_context
    letters = codec.codec_tag if codec is not None else ""
    if letters.strip() and letters.isprintable():
        return letters.strip()
    return codec.name if codec is not None else "of an unknown kind"
