"""Decoded frames as pictures: deinterlaced, in RGB, upright, in shape, and all of one size."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame

from a2core.media.clip_colour import Colours
from a2core.media.decoded import Decoded
from a2core.media.upload_limits import check_size, reduced_note, scaled_size


class Reel:
    """Frames of one clip, each as the decoder gave it, collected as pictures of the first one's size.

    Args:
        who: What to call the file.
        side_px: Long side to scale down to.
        stretch: Width of a stored pixel over its height.
    """

    def __init__(self, who: str, side_px: int, stretch: float) -> None:
        self._who, self._side_px, self._stretch = who, side_px, stretch
        self._colours = Colours()
        self._pictures: list[np.ndarray] = []
        self._times_s: list[float] = []
        self._full_size = (0, 0)
        self._interlaced = self._resized = False

    def __len__(self) -> int:
        return len(self._pictures)

    @property
    def last_s(self) -> float:
        """When the last picture is shown; −∞ where there is none."""
        return self._times_s[-1] if self._times_s else -np.inf

    def add(self, frame: VideoFrame, opacity: np.ndarray | None, at_s: float) -> bool:
        """Take a frame; False where its samples are of a kind that cannot be shown.

        Args:
            frame: As decoded.
            opacity: (H, W) uint8, where the clip keeps it beside the frame.
            at_s: When it is shown.

        Raises:
            MediaError: It breaks a limit, whatever the header said.
        """
        check_size(self._who, frame.width, frame.height)
        full_size = round(frame.width * self._stretch), frame.height
        check_size(self._who, *full_size)
        turn = _turn(frame)
        upright = full_size[::-1] if turn.swaps_sides else full_size
        if not self._pictures:
            self._full_size = upright
            size = scaled_size(*upright, self._side_px)
        else:
            height, width = self._pictures[0].shape[:2]
            scale = min(width / upright[0], height / upright[1])
            size = (
                min(width, max(1, round(upright[0] * scale))),
                min(height, max(1, round(upright[1] * scale))),
            )
        stored = size[::-1] if turn.swaps_sides else size
        try:
            if frame.interlaced_frame:
                self._interlaced = True
                frame = _deinterlaced(frame)
            picture = turn.applied_to(self._colours.rgb(frame, *stored, opacity))
        except (av.FFmpegError, ValueError):
            return False
        if self._pictures:
            self._resized |= upright != self._full_size
            picture = _in_the_middle(picture, *self._pictures[0].shape[:2])
        self._pictures.append(picture)
        self._times_s.append(at_s)
        return True

    def decoded(self, *notes: str) -> Decoded:
        """The pictures as one array, with notes on what was done to them before those given."""
        done: list[str] = []
        size = self._pictures[0].shape[1::-1]
        if max(size) < max(self._full_size):
            done.append(reduced_note(self._full_size, (size[0], size[1]), turned=False))
        if self._resized:
            done.append("The size of its frames changes: all are shown at that of the first.")
        if self._interlaced:
            done.append("It is interlaced: one field of each frame is shown.")
        return Decoded(
            np.stack(self._pictures), np.array(self._times_s), True, [*done, *self._colours.notes, *notes]
        )


class Turn:
    """How a stored picture is set upright: one of the eight ways to lay a rectangle on itself.

    Args:
        matrix: (3, 3) as FFmpeg keeps it: the stored (x, y, 1) times it is where a point is shown.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        (a, b), (c, d) = matrix[:2, :2].astype(float)
        # Players show the nearest quarter turn: slanted clips do not exist.
        self.swaps_sides = abs(b) + abs(c) > abs(a) + abs(d)
        along_x, along_y = (c, b) if self.swaps_sides else (a, d)
        self._mirrored_x, self._mirrored_y = along_x < 0, along_y < 0

    def applied_to(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) upright."""
        if self.swaps_sides:
            picture = picture.transpose(1, 0, 2)
        return picture[:: -1 if self._mirrored_y else 1, :: -1 if self._mirrored_x else 1]


def _turn(frame: VideoFrame) -> Turn:
    """What the frame itself or, for all frames, its container says."""
    try:
        container = cast(SideDataContainer, frame.side_data)  # PyAV's own types know of one entry only
        beside = [container[index] for index in range(len(container))]
    except ValueError:  # something beside the frame that PyAV has no name for (EXIF, a second view)
        degrees = np.deg2rad(frame.rotation)  # counter-clockwise; says nothing of mirrors
        cos, sin = np.cos(degrees), np.sin(degrees)
        return Turn(np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]))
    matrices = [data for data in beside if data.type == Type.DISPLAYMATRIX]
    return Turn(np.frombuffer(memoryview(matrices[-1]), np.int32).reshape(3, 3) if matrices else np.eye(3))


def _in_the_middle(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture on black, as players show a frame that is narrower or lower than the others."""
    if picture.shape[:2] == (height, width):
        return picture
    top, left = (height - picture.shape[0]) // 2, (width - picture.shape[1]) // 2
    ground = np.zeros((height, width, 3), np.uint8)
    ground[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return ground


def _deinterlaced(frame: VideoFrame) -> VideoFrame:
    """One field of a frame, the rows of the other filled in along edges.

    By this frame alone: filters that look at neighbours too (bwdif, yadif) would need these decoded, which
    seeking and leaving out frames is there to spare.
    """
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
    )
    nodes = source, graph.add("estdif", "mode=frame:deint=all"), graph.add("buffersink")
    graph.link_nodes(*nodes).configure()
    graph.vpush(frame)
    graph.vpush(None)
    whole = graph.vpull()
    whole.colorspace, whole.color_range = frame.colorspace, frame.color_range
    whole.color_trc, whole.color_primaries = frame.color_trc, frame.color_primaries
    return whole
