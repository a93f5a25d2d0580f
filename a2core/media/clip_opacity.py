"""The opacity of a WebM's frames: VP8 and VP9 keep it beside each frame, coded as a second, grey film."""

from __future__ import annotations

from typing import Final, cast

import av
import numpy as np
from av.codec import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

_BESIDE: Final = "matroska_block_additional"
_OPACITY = 1
"""The number by which Matroska tells opacity from whatever else may stand beside a frame."""


def has_opacity(track: VideoStream) -> bool:
    """Whether a track says that its frames have opacity beside them, which FFmpeg's decoders ignore."""
    codec = track.codec_context
    return codec is not None and codec.name in ("vp8", "vp9") and track.metadata.get("alpha_mode") == "1"


class OpacityDecoder:
    """Decodes the opacity that comes with the packets of one track, in their order."""

    def __init__(self, codec_name: str, max_pixels: int) -> None:
        codec = cast(VideoCodecContext, CodecContext.create(codec_name, "r"))
        codec.thread_count = 1  # so that each packet gives its frame at once
        codec.options = {"max_pixels": str(max_pixels)}
        self._codec = codec

    def restart(self) -> None:
        """Forget what went before: the next packet stands elsewhere."""
        self._codec.flush_buffers()

    def of(self, packet: Packet) -> np.ndarray | None:
        """(H, W) uint8 of the frame in this packet; None where it has none, or none that can be decoded."""
        if not packet.has_sidedata(_BESIDE):
            return None
        beside = bytes(packet.get_sidedata(_BESIDE))
        if int.from_bytes(beside[:8], "big") != _OPACITY or len(beside) <= 8:
            return None
        try:
            frames = self._codec.decode(Packet(beside[8:]))
        except av.FFmpegError:
            return None
        if not frames or frames[-1].format.components[0].bits != 8:
            return None
        luma = frames[-1].planes[0]  # as it stands: 0 to 255, whatever range the film claims
        return (
            np.frombuffer(memoryview(luma), np.uint8)
            .reshape(-1, luma.line_size)[: luma.height, : luma.width]
            .copy()
        )
