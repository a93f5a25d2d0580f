"""Files that visitors bring: photos as large as a camera's, clips, a bomb; each made from a number."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction

import av
import cv2
import numpy as np
from PIL import Image


def photo(seed: int, width: int = 4000, height: int = 3000) -> bytes:
    """A JPEG as large as one of a camera: structure at several scales, and grain."""
    cv2.setRNGSeed(seed)
    total = np.full((height, width, 3), 128, np.int16)
    for scale, contrast in ((1, 16), (8, 15), (128, 45)):
        coarse = np.zeros((height // scale, width // scale, 3), np.int16)
        cv2.randn(coarse, 0, contrast)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    out = io.BytesIO()
    Image.fromarray(total.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=92)
    return out.getvalue()


def photos(count: int, first: int = 0, width: int = 4000, height: int = 3000) -> list[bytes]:
    """`count` photos, no two of them alike: the same structure shifted, which is quicker than made anew."""
    base = np.asarray(Image.open(io.BytesIO(photo(first, width, height))))
    files = []
    for k in range(count):
        out = io.BytesIO()
        shifted = np.roll(base, (37 * (k + 1), 53 * (k + 1)), axis=(0, 1))
        Image.fromarray(shifted).save(out, "JPEG", quality=92)
        files.append(out.getvalue())
    return files


def clip(seed: int, frames: int = 48, width: int = 640, height: int = 360) -> bytes:
    """An MP4 (H.264, 24 frames a second) in which coarse structure drifts."""
    cv2.setRNGSeed(seed)
    coarse = np.zeros((height // 24, width // 12, 3), np.int16)
    cv2.randn(coarse, 128, 60)
    scene = cv2.resize(coarse.clip(0, 255).astype(np.uint8), (2 * width, height))
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        track = file.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        track.codec_context.thread_count = 1
        for number in range(frames):
            at = number * width // frames
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(scene[:, at : at + width]), format="rgb24"
            )
            frame.pts, frame.time_base = number, Fraction(1, 24)
            file.mux(track.encode(frame))
        file.mux(track.encode())
    return out.getvalue()


def bomb(side: int = 30_000) -> bytes:
    """A PNG of some hundred bytes that declares `side` × `side` pixels of 16 bits."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
