"""What read_media promises about the size of a clip's frames: the limit holds for each of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame

from a2core.media import clip_decoder, read_media
from tests.a2core.media.clip_files import clip_of, packets_in, rgb_frames, with_lying_header
from tests.a2core.media.media_files import counter_frame, counter_of, four_corners
from tests.a2core.media.test_media import fault

CODECS = {
    "V_VP8": ("libvpx", "matroska", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}),
    "V_VP9": ("libvpx-vp9", "matroska", "yuv420p", {"deadline": "realtime", "cpu-used": "8"}),
    "V_MJPEG": ("mjpeg", "matroska", "yuvj420p", {}),
    "V_MPEG4/ISO/AVC": ("libx264", "h264", "yuv420p", {"preset": "ultrafast", "tune": "zerolatency"}),
    "V_MPEGH/ISO/HEVC": (
        "libx265", "hevc", "yuv420p",
        {"preset": "ultrafast", "x265-params": "log-level=none:bframes=0:repeat-headers=1"},
    ),
}  # fmt: skip
SMALL = (64, 64)
Packets = list[tuple[bool, bytes]]


def encoded(codec: str, frames: Sequence[VideoFrame]) -> Packets:
    encoder, container, pixels, options = CODECS[codec]
    of_pixels = [frame.reformat(format=pixels) for frame in frames]
    return packets_in(clip_of(of_pixels, encoder, container, options=options))


def small(codec: str, count: int = 4) -> Packets:
    return encoded(codec, rgb_frames([four_corners(*SMALL)] * count))


def claiming(packets: Packets, codec: str, width: int, height: int) -> Packets:
    """The same, with the size in the head of each frame that stands alone put to another one, by hand."""
    changed = []
    for alone, content in packets:
        frame = bytearray(content)
        if codec == "V_VP8" and alone:
            frame[6:10] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
        elif codec == "V_VP9" and alone:  # 36 bits before it, then 16 bits each, less one
            bits = int.from_bytes(frame[4:9], "big")
            bits = bits & ~(0xFFFFFFFF << 4) | (width - 1) << 20 | (height - 1) << 4
            frame[4:9] = bits.to_bytes(5, "big")
        elif codec == "V_MJPEG":
            at = frame.index(b"\xff\xc0")
            frame[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
        changed.append((alone, bytes(frame)))
    return changed


def black_frame(side: int) -> VideoFrame:
    frame = VideoFrame(side, side, "yuv420p")
    for plane, level in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame


@pytest.fixture(scope="module")
def giants() -> dict[str, Packets]:
    """One frame of 81 megapixels in every codec, and ordinary ones after it."""
    by_hand = {codec: claiming(small(codec), codec, 9000, 9000) for codec in ("V_VP8", "V_VP9")}
    return by_hand | {codec: encoded(codec, [black_frame(9000)]) for codec in ("V_MJPEG", "V_MPEG4/ISO/AVC")}


@pytest.mark.parametrize("codec", ["V_VP8", "V_VP9", "V_MJPEG", "V_MPEG4/ISO/AVC"])
def test_frames_of_more_than_64_megapixels_are_refused_where_the_header_says_they_are_small(giants, codec):
    message = fault(with_lying_header(giants[codec], codec, SMALL), name="giant.mkv")
    assert message.startswith("“giant.mkv” has ")
    assert "64 million" in message
    assert "Save it smaller" in message


@pytest.mark.parametrize("codec", ["V_VP8", "V_VP9", "V_MJPEG"])
def test_frames_before_one_that_is_too_large_are_shown_and_a_note_says_why_no_more(giants, codec: str):
    clip = read_media(with_lying_header(small(codec) + giants[codec], codec, SMALL))
    assert clip.frames.shape == (4, 64, 64, 3)
    assert clip.notes == (
        f"Only 4 of {4 + len(giants[codec])} frames could be decoded.",
        "Frames of more than 64 million pixels are left out.",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="measures with the resource module")
def test_no_clip_with_a_lying_header_takes_more_than_one_and_a_half_gigabytes(giants, tmp_path: Path):
    """The largest frames that are refused, the largest that are not, and clips that grow midway."""
    files: dict[str, bytes] = {}
    for codec, packets in giants.items():
        files[f"refused {codec}"] = with_lying_header(packets, codec, SMALL)
    largest = claiming(small("V_VP8", 1), "V_VP8", 8000, 8000)
    files["read, 64 megapixels"] = with_lying_header(largest * 3, "V_VP8", SMALL)
    grown = {codec: encoded(codec, [black_frame(3000)]) for codec in ("V_MJPEG", "V_MPEG4/ISO/AVC")}
    for codec, packets in (grown | {"V_VP8": claiming(small("V_VP8", 1), "V_VP8", 3000, 3000)}).items():
        files[f"read, 9 megapixels {codec}"] = with_lying_header(packets, codec, SMALL)
        files[f"read, grows {codec}"] = with_lying_header(small(codec) + packets, codec, SMALL)
    for name, content in files.items():
        (tmp_path / name.replace("/", "-")).write_bytes(content)
    measure = (
        "import re, resource, sys\n"
        "from pathlib import Path\n"
        "from a2core.errors import MediaError\n"
        "from a2core.media import read_media\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try:\n"
        "        read_media(path)\n"
        "        print('read', path.name, sep='|')\n"
        "    except MediaError as error:\n"
        "        print('refused', path.name, error, sep='|')\n"
        "status = Path('/proc/self/status')\n"
        # Linux counts what the parent had before it became this program among ru_maxrss.
        "peak = re.search(r'VmHWM:\\s*(\\d+)', status.read_text())[1] if status.exists() else 0\n"
        "print(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    command = [sys.executable, "-c", measure, str(tmp_path)]
    *told, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(told) == len(files)
    for line in told:
        happened, name, *_ = line.split("|")
        assert name.startswith(happened), line
    assert int(peak) * (1 if sys.platform == "darwin" else 1024) < 1.5e9


@pytest.mark.parametrize("codec", CODECS)
def test_frames_larger_than_several_threads_may_hold_are_read_by_one(codec: str, monkeypatch):
    """What four threads may hold at once is a quarter of the limit each, by the header four times less."""
    pictures = [np.tile(counter_frame(number), (1, 2, 1)) for number in range(30)]
    packets = encoded(codec, rgb_frames(pictures))
    monkeypatch.setattr(clip_decoder, "MAX_PIXELS", 2 * 64 * 256)
    monkeypatch.setattr(clip_decoder, "threads_wanted", lambda: 4)
    clip = read_media(with_lying_header(packets, codec, SMALL), max_frames=8)
    assert clip.frames.shape == (8, 64, 256, 3)
    numbers = [counter_of(frame) for frame in clip.frames]
    assert numbers == np.rint(clip.times_s * 25).astype(int).tolist()
    assert numbers[0] == 0
    assert numbers[-1] == 29
    monkeypatch.setattr(clip_decoder, "MAX_PIXELS", 64 * 256 - 1)
    fault(with_lying_header(packets, codec, SMALL))


def test_a_frame_that_is_too_long_for_its_height_is_refused_though_the_header_is_not():
    long = encoded("V_MJPEG", [VideoFrame(1280, 64, "yuv420p")] * 2)
    assert "at most 16 times" in fault(with_lying_header(long, "V_MJPEG", SMALL))
