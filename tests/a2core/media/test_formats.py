"""docs/formats.md: the formats tried with what happened, written by `A2_WRITE_FORMATS=1 pytest` of this file.

Without the variable the page is compared with what happens now, so that it cannot grow stale.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from PIL import Image

from a2core.errors import MediaError
from a2core.media import read_media
from tests.a2core.media.clip_formats import clips_tried
from tests.a2core.media.media_files import (
    QUARTER,
    counter_clip,
    counter_frame,
    edited_mp4,
    encoded_clip,
    jpeg_packets,
    matroska,
    mp4_with_times,
    noise,
    packets_of,
    turned_mp4,
)
from tests.a2core.media.picture_formats import pictures_tried

PAGE = Path(__file__).resolve().parents[3] / "docs" / "formats.md"
HEAD = """# Formats that were tried

Each row is a file made by the tests and read by `a2core.read_media`, 4 frames asked for; the page is
written by `A2_WRITE_FORMATS=1 python -m pytest tests/a2core/media/test_formats.py` and compared by every run
of the tests. Frames carry a drawn counter: **frame accuracy**, at constant and at varying rate, is tested in
`tests/a2core/media/test_media_clips.py`.

What the FFmpeg inside PyAV decodes is read; what it does not is refused with the codec's name.

| file | what happened |
|---|---|
"""

PICTURES = """
## Formats, orientations, depths and bands of pictures

Here it was also looked at whether the picture looks as it should: its four corners, each within 14 of 255,
or how far a ramp of grey reaches. Samples that use less than a quarter of their 16 bits are a sensor's counts
and are stretched from black to white; true 16 bits keep their look. Bands behind the colours are shown as
transparency only where the file says that they are. Of a raw camera file the sensor's samples would have to
be developed; its small preview is never taken for the photo.

| file | what happened | as it should |
|---|---|---|
"""

CLIPS = """
## Colours, transparency, shape and tracks of clips

Here it was also looked at whether the frames look as they should: six flat patches, the four corners of a
picture, the film and not its thumbnails, each within 5 of 255 (corners, which are lossy, 12; the film 6).
Colours of which a file says nothing are taken for those of today's television (BT.709) from 1280 pixels in
width or 577 in height on, else for those of the older one (BT.601). High dynamic range is brought down by
the curve of ITU-R BT.2390 from 1000 to 203 cd/m²; wide gamut (BT.2020, Display P3) becomes sRGB. Of an
interlaced frame one field is shown. Not told apart: the primaries of the older television (they differ by a
few of 255), BT.2020 of constant luminance, Dolby Vision without a layer that others can read (its colours
are wrong), frames that are marked as interlaced and are not (they lose half of their rows). The mirrors
that a JPEG inside a Motion JPEG has in its EXIF are not honoured, its quarter turns are.

| file | what happened | as it should |
|---|---|---|
"""


def animated(format_name: str, count: int = 6) -> bytes:
    frames = [Image.fromarray(counter_frame(number)) for number in range(count)]
    out = io.BytesIO()
    frames[0].save(out, format_name, save_all=True, append_images=frames[1:], duration=100, loop=0)
    return out.getvalue()


def tried(folder: Path) -> list[tuple[str, bytes]]:
    """Every file with its description."""
    codecs = {
        "MP4, MPEG-4 Part 2": ("mp4", "mp4v"),
        "MOV, MPEG-4 Part 2": ("mov", "mp4v"),
        "WebM, VP8": ("webm", "VP80"),
        "WebM, VP9": ("webm", "VP90"),
        "MKV, VP8": ("mkv", "VP80"),
        "AVI, Motion JPEG": ("avi", "MJPG"),
    }
    made = {
        what: counter_clip(folder / f"{code}.{suffix}", code, 30).read_bytes()
        for what, (suffix, code) in codecs.items()
    }
    modern = {
        "MP4, H.264": ("h264.mp4", "libx264", "yuv420p", {}),
        "MP4, HEVC": ("hevc.mp4", "libx265", "yuv420p", {"x265-params": "log-level=none"}),
        "WebM, AV1": ("av1.webm", "libsvtav1", "yuv420p", {"preset": "10"}),
        "MOV, ProRes, 10 bits": ("prores.mov", "prores_ks", "yuv422p10le", {}),
        "MKV, HEVC, 10 bits": ("ten.mkv", "libx265", "yuv420p10le", {"x265-params": "log-level=none"}),
        "MKV, H.264, rate that varies": ("uneven.mkv", "libx264", "yuv420p", {}),
    }
    for what, (name, codec, pixels, options) in modern.items():
        times_ms = [n * n * 2 if "varies" in what else round(n * 1000 / 30) for n in range(30)]
        path = encoded_clip(folder / name, codec, times_ms, pixels=pixels, options=options)
        made[what] = path.read_bytes()
    mp4, webm = made["MP4, MPEG-4 Part 2"], made["WebM, VP8"]
    vp8 = packets_of(folder / "VP80.webm")
    counters = jpeg_packets([counter_frame(n) for n in range(8)])
    every_33 = range(0, 990, 33)
    uneven = [0, 10, 50, 300, 310, 900, 1400, 1500]
    larger = [counter_frame(0), cv2.resize(counter_frame(1), (256, 128)), counter_frame(2)]
    index_first = edited_mp4(mp4, lambda kind, payload: None, index_first=True)
    return [
        *made.items(),
        ("GIF, animated, without an end", animated("GIF")),
        ("WebP, animated", animated("WEBP")),
        ("PNG, animated", animated("PNG")),
        ("MP4, turned by a quarter", turned_mp4(mp4, QUARTER)),
        ("MP4, rate that varies", mp4_with_times(mp4, [10, 40, 250, 10] * 8)),
        ("MKV, rate that varies", matroska(counters, uneven)),
        ("MKV, 33 × 17 pixels", matroska(jpeg_packets([noise(33, 17)] * 4), [0, 40, 80, 120], size=(33, 17))),
        ("MKV, pixels not square", matroska(counters, range(0, 320, 40), shown_size=(256, 64))),
        ("MKV, frame size changes midway", matroska(jpeg_packets(larger), [0, 40, 80])),
        ("MKV, one frame", matroska(counters[:1], [0])),
        ("WebM without duration and index, as recorded", matroska(vp8, every_33, codec="V_VP8", index=False)),
        (
            "WebM of a browser’s camera, written as it goes: uneven times, no duration, index or lengths",
            matroska(vp8, [n * n for n in range(30)], codec="V_VP8", index=False, lengths=False),
        ),
        ("WebM, header claims ten minutes", matroska(vp8, every_33, codec="V_VP8", duration_ms=600_000)),
        ("WebM, cut off in the middle", webm[: len(webm) // 2]),
        ("MP4, cut off after three quarters, index first", index_first[: len(index_first) * 3 // 4]),
        ("MP4, cut off, index lost", mp4[: len(mp4) // 2]),
        ("MKV, sound only", matroska([(True, bytes(400))], [0], codec="A_PCM/INT/LIT", track_type=2)),
        ("MKV, no frames", matroska([], [], duration_ms=1000)),
        ("MKV, a codec that nobody knows", matroska(counters, range(0, 320, 40), codec="V_XYZ")),
        ("AVI, another codec that nobody knows", made["AVI, Motion JPEG"].replace(b"MJPG", b"IV99")),
        ("a text file called .mp4", b"this is no clip\n" * 40),
        ("an empty file", b""),
    ]  # fmt: skip


def outcome(data: bytes) -> str:
    """What happened, in words."""
    try:
        clip = read_media(data, max_frames=4)
    except MediaError as error:
        return f"refused: {error}"
    count, height, width, _ = clip.frames.shape
    times = ", ".join(f"{time_s:.2f}" for time_s in clip.times_s)
    return " ".join([f"{count} × {width} × {height} at {times} s.", *clip.notes])


def test_the_page_of_formats_says_what_happens(tmp_path):
    rows = [f"| {what} | {outcome(data)} |\n" for what, data in tried(tmp_path)]
    for head, checked in ((PICTURES, pictures_tried()), (CLIPS, clips_tried())):
        rows.append(head)
        for what, data, as_it_should in checked:
            said = outcome(data)
            right = "–" if said.startswith("refused") else "yes" if as_it_should(read_media(data)) else "no"
            rows.append(f"| {what} | {said} | {right} |\n")
    page = HEAD + "".join(rows)
    if os.environ.get("A2_WRITE_FORMATS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


@pytest.mark.skipif(sys.platform == "win32", reason="measures with the resource module")
def test_an_hour_takes_no_more_memory_than_ten_seconds_do(tmp_path):
    packets = packets_of(counter_clip(tmp_path / "short.webm", "VP80", 120))
    paths = []
    for seconds, name in ((10, "ten.webm"), (3600, "hour.webm")):
        times = range(0, 1000 * seconds, 33)
        repeated = (packets * (len(times) // len(packets) + 1))[: len(times)]
        paths.append(tmp_path / name)
        paths[-1].write_bytes(matroska(repeated, times, codec="V_VP8", duration_ms=1000 * seconds))
    measure = (
        "import resource, sys\n"
        "from a2core.media import read_media\n"
        "for path in sys.argv[1:]:\n"
        "    times = read_media(path).times_s\n"
        "    print(len(times), int(times[-1]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", measure, *map(str, paths)], capture_output=True, text=True, check=True
    ).stdout
    (frames, end_s, ten), (many, hour_s, hour) = (map(int, line.split()) for line in told.splitlines())
    assert (frames, many) == (16, 16)
    assert (end_s, hour_s) == (9, 3599)
    kib = 1024 if sys.platform == "darwin" else 1
    assert (hour - ten) / kib < 300 * 1024
