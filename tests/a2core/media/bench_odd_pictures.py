"""Odd and broken pictures, read one by one: `python -m tests.a2core.media.bench_odd_pictures`.

Every format in its modes, sizes and depths, each whole and damaged in half a dozen ways. Printed: how many
were read, how many were refused in words, what else happened (it must be nothing), the most memory that the
process had and the longest that a file took.
"""

from __future__ import annotations

import collections
import io
import resource
import sys
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image

from a2core import MediaError, read_media
from tests.a2core.media import picture_files as made
from tests.a2core.media.picture_formats import pictures_tried

FORMATS = ("PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM", "TGA", "ICO")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr", "LAB")
SIZES = ((1, 1), (37, 23), (300, 20), (1000, 700))
SEED = 0


def whole() -> Iterator[tuple[str, bytes]]:
    """Every format in every mode and size that Pillow writes, and what docs/formats.md lists."""
    rng = np.random.default_rng(SEED)
    for width, height in SIZES:
        picture = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        for mode in MODES:
            for name in FORMATS:
                out = io.BytesIO()
                try:
                    converted = (
                        picture.convert("L").convert(mode)
                        if mode in ("I;16", "I", "F")
                        else picture.convert(mode)
                    )
                    converted.save(out, name)
                except (OSError, ValueError, KeyError, SystemError):
                    continue  # Pillow has no such file to give
                yield f"{name} {mode} {width}×{height}", out.getvalue()
    yield from ((what, data) for what, data, _ in pictures_tried())
    yield "HEIC, large", made.heic(rng.integers(0, 256, (700, 1000, 3), np.uint8))


def damaged(what: str, data: bytes, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """The file cut off, with bytes changed, and with its largest numbers in its header."""
    for share in (0.1, 0.5, 0.95):
        yield f"{what}, cut off at {share}", data[: int(len(data) * share)]
    for _ in range(2):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), max(1, len(data) // 200)):
            broken[at] = rng.integers(0, 256)
        yield f"{what}, bytes changed", bytes(broken)
    header = bytearray(data)
    at = int(rng.integers(4, min(len(data), 64))) if len(data) > 8 else 0
    header[at : at + 4] = b"\xff\xff\xff\xff"
    yield f"{what}, a huge number in its header", bytes(header)


def main() -> int:
    """Read them all."""
    rng = np.random.default_rng(SEED)
    outcomes: collections.Counter[str] = collections.Counter()
    slowest = (0.0, "")
    files = [(what, data) for what, data in whole()]
    files += [broken for what, data in files if "1000×700" not in what for broken in damaged(what, data, rng)]
    for what, data in files:
        began = time.process_time()
        try:
            clip = read_media(data, max_side_px=1344, max_frames=16)
            outcomes["read"] += 1
            assert clip.frames.dtype == np.uint8
        except MediaError:
            outcomes["refused"] += 1
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            outcomes["uncaught"] += 1
            print(f"UNCAUGHT {what}: {error!r}")
        slowest = max(slowest, (time.process_time() - began, what))
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
    print(f"{len(files)} pictures: {dict(outcomes)}; at most {peak_mb} MB; ", end="")
    print(f"slowest {slowest[0]:.2f} s ({slowest[1]})")
    return min(1, outcomes["uncaught"])


if __name__ == "__main__":
    sys.exit(main())
