"""One decoded frame of a clip as 8-bit sRGB at a given size: colour matrix, range, transparency, HDR."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc, Interpolation, VideoReformatter

from a2core.languages import sentence
from a2core.media.tone_mapping import Encoding, ToSrgb

TRANSPARENT_NOTE = "Transparent parts were filled with white."
_UNUSUAL_NOTE = "Its colours are coded in an unusual way, so they may look wrong."

# Matrices by their numbers in ITU-T H.273, as FFmpeg has them.
_BT709, _BT601, _BT2020 = 1, 6, 9
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 6, 7: 7, 9: 9, 10: 9}
"""Those that the scaler knows; constant luminance is shown like the other BT.2020, which is near."""
_SAYS_NOTHING = (0, 2, 3)
_MOST_PIXELS_LAID = 16 * 1000 * 1000
"""Frames of more are laid on white after they were scaled: that takes less memory."""

_TRANSFERS: dict[int, Literal["PQ", "HLG"]] = {ColorTrc.SMPTE2084: "PQ", ColorTrc.ARIB_STD_B67: "HLG"}
_PRIMARIES: dict[int, Literal["BT.2020", "P3"]] = {
    ColorPrimaries.BT2020: "BT.2020",
    ColorPrimaries.SMPTE432: "P3",
}


class Colours:
    """Turns the frames of one clip into RGB; gathers notes on what was done to them."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._scaler = VideoReformatter()  # one for all: a frame by itself sets up another one
        self._to_srgb: dict[Encoding, ToSrgb] = {}

    def rgb(self, frame: VideoFrame, width: int, height: int, opacity: np.ndarray | None) -> np.ndarray:
        """(height, width, 3) uint8 sRGB, laid on white where the frame is transparent.

        Args:
            frame: As decoded; what it says about its colours may be set right.
            width: To scale to.
            height: To scale to.
            opacity: (H, W) uint8 of the frame, where it is kept beside it; None where the frame has it all.

        Raises:
            av.FFmpegError, ValueError: Its kind of samples cannot be converted.
        """
        self._settle_matrix(frame)
        encoding = Encoding(
            _TRANSFERS.get(frame.color_trc, "SDR"), _PRIMARIES.get(frame.color_primaries, "BT.709")
        )
        deep = encoding != Encoding("SDR", "BT.709")
        inside = frame.format.has_palette or any(part.is_alpha for part in frame.format.components)
        if opacity is None and not inside:
            samples = self._scaled(frame, width, height, "rgb48le" if deep else "rgb24")
            return self._converted(samples, encoding) if deep else samples
        # Laid on white before it is scaled, since what is transparent has colours too, that mean nothing.
        size = width, height
        if frame.width * frame.height <= _MOST_PIXELS_LAID:
            size = frame.width, frame.height
        if opacity is None:
            samples = self._scaled(frame, *size, "rgba64le" if deep else "rgba")
            opacity = (samples[..., 3] >> 8).astype(np.uint8) if deep else samples[..., 3]
        else:
            samples = self._scaled(frame, *size, "rgb48le" if deep else "rgb24")
            opacity = _resized(opacity, *size)
        colours = samples[..., :3]
        laid = self._on_white(self._converted(colours, encoding) if deep else colours, opacity)
        return _resized(laid, width, height)

    def _settle_matrix(self, frame: VideoFrame) -> None:
        """Say of the frame by which matrix its colours were coded, where it does not say so itself."""
        if frame.format.is_rgb:
            return
        said = int(frame.colorspace)
        if said not in _MATRICES and said not in _SAYS_NOTHING:
            self._note(_UNUSUAL_NOTE)
        if said not in _MATRICES:
            # As players do: what is larger than the pictures of television once were is of today's.
            high_definition = frame.width >= 1280 or frame.height > 576
            wide = frame.color_primaries == ColorPrimaries.BT2020
            frame.colorspace = _BT2020 if wide else _BT709 if high_definition else _BT601
        else:
            frame.colorspace = _MATRICES[said]

    def _scaled(self, frame: VideoFrame, width: int, height: int, samples: str) -> np.ndarray:
        shrinks = width <= frame.width and height <= frame.height
        return self._scaler.reformat(
            frame,
            width,
            height,
            samples,
            interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
        ).to_ndarray()

    def _converted(self, samples: np.ndarray, encoding: Encoding) -> np.ndarray:
        if encoding.transfer != "SDR":
            self._note(
                sentence(
                    "High dynamic range ({transfer}): its bright parts were brought into the range of "
                    "ordinary pictures.",
                    transfer=encoding.transfer,
                )
            )
        if encoding not in self._to_srgb:
            self._to_srgb[encoding] = ToSrgb(encoding)
        return self._to_srgb[encoding](samples)

    def _on_white(self, colours: np.ndarray, opacity: np.ndarray) -> np.ndarray:
        if opacity.min() == 255:
            return np.ascontiguousarray(colours)
        self._note(TRANSPARENT_NOTE)
        laid = np.empty_like(colours)
        for channel in range(3):  # one by one: frames may be large
            seen = cv2.multiply(colours[..., channel], opacity, scale=1 / 255)
            laid[..., channel] = cv2.add(seen, cv2.bitwise_not(opacity))
        return laid

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = width <= picture.shape[1] and height <= picture.shape[0]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
