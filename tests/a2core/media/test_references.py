"""What a clip's decoder has to hold is read from its parameter sets before it is fed."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from a2core import MediaError, read_media
from a2core.media import clip_decoder, upload_limits
from a2core.media.references import BESIDE, H264, HEVC, ParameterSets

WIDTH, HEIGHT = 128, 96
OPTIONS = {"libx264": "x264-params", "libx265": "x265-params"}


def clip(codec: str, container: str, how: str, *, pix_fmt: str = "yuv420p", frames: int = 20) -> bytes:
    """Noise, which is worth many references."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        track = out.add_stream(codec, rate=Fraction(10))
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, pix_fmt
        track.options = {OPTIONS[codec]: f"{how}:log-level=none", "preset": "fast"}
        for k in range(frames):
            pixels = np.random.default_rng(k).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            for packet in track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                out.mux(packet)
        for packet in track.encode():
            out.mux(packet)
    return file.getvalue()


def said(data: bytes):
    """In the header, and the most in any packet."""
    with av.open(io.BytesIO(data)) as file:
        codec = file.streams.video[0].codec_context
        sets = ParameterSets(codec.name, codec.extradata or b"")
        inside = [sets.in_packet(bytes(packet)) for packet in file.demux(video=0) if packet.size]
        return sets.in_header(), max((held for held in inside if held), default=None)


@pytest.mark.parametrize("ref", [1, 4, 16])
@pytest.mark.parametrize(
    ("container", "pix_fmt", "frame_bytes"),
    [
        ("mp4", "yuv420p", 1.5 * WIDTH * HEIGHT),
        ("avi", "yuv420p", 1.5 * WIDTH * HEIGHT),
        ("matroska", "yuv420p10le", 3 * WIDTH * HEIGHT),
        ("mp4", "yuv444p", 3 * WIDTH * HEIGHT),
        ("mp4", "yuv422p10le", 4 * WIDTH * HEIGHT),
    ],
)
def test_of_h264_as_many_as_the_encoder_was_told(ref, container, pix_fmt, frame_bytes):
    header, inside = said(clip("libx264", container, f"ref={ref}:bframes=0", pix_fmt=pix_fmt))
    assert header == (ref, frame_bytes)
    assert inside is None if container != "avi" else inside == header, "AVI repeats it in the stream"


@pytest.mark.parametrize(("pix_fmt", "samples"), [("yuv420p", 1.5), ("yuv420p10le", 3), ("yuv444p", 3)])
@pytest.mark.parametrize("ref", [2, 6])
def test_of_hevc_those_and_the_one_being_decoded(ref, pix_fmt, samples):
    header, _ = said(clip("libx265", "mp4", f"ref={ref}:bframes=0", pix_fmt=pix_fmt))
    assert header.references in (ref + 1, ref + 2)
    assert header.frame_bytes == samples * WIDTH * HEIGHT


class Bits:
    """Writes what the standards call u(n), ue(v) and se(v), and keeps start codes apart."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, count: int, value: int) -> Bits:
        self.bits += f"{value:0{count}b}" if count else ""
        return self

    def ue(self, *values: int) -> Bits:
        for value in values:
            text = f"{value + 1:b}"
            self.bits += "0" * (len(text) - 1) + text
        return self

    def se(self, *values: int) -> Bits:
        return self.ue(*(2 * v - 1 if v > 0 else -2 * v for v in values))

    def unit(self, head: bytes) -> bytes:
        text = self.bits + "1"
        raw = int(text + "0" * (-len(text) % 8), 2).to_bytes((len(text) + 7) // 8, "big")
        out, zeros = bytearray(), 0
        for byte in raw:
            if zeros >= 2 and byte <= 3:
                out.append(3)
                zeros = 0
            out.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return head + bytes(out)


def h264(bits: Bits, *, references: int, wide: int, high: int, fields: bool = False) -> bytes:
    bits.ue(references).u(1, 0).ue(wide - 1, high - 1).u(1, int(not fields))
    return b"\0\0\0\1" + bits.unit(b"\x67")


def test_what_encoders_seldom_write_is_read_too():
    matrices = Bits().u(8, 244).u(16, 0).ue(0).ue(3).u(1, 0).ue(2, 0).u(1, 0).u(1, 1)
    for index in range(12):
        if index % 3:
            matrices.u(1, 0)
        else:  # one that ends at once, one that goes through, one that jumps
            matrices.u(1, 1)
            matrices.se(*([-8] if index == 0 else [1] * (16 if index < 6 else 64)))
    matrices.ue(4, 1).u(1, 0).se(-3, 2).ue(3).se(1, -1, 5)
    held = ParameterSets(H264, b"").in_packet(h264(matrices, references=9, wide=500, high=400))
    assert held == (9, 256 * 500 * 400 * 3 * 2), "4:4:4 of ten bits"
    plain = Bits().u(8, 66).u(16, 40).ue(0, 0, 0, 0)
    fields = ParameterSets(H264, b"").in_packet(h264(plain, references=2, wide=120, high=34, fields=True))
    assert fields == (2, 1.5 * 256 * 120 * 68), "of fields two make a frame"

    layers = Bits().u(4, 0).u(3, 2).u(1, 1).u(96, 1).u(4, 0b1101).u(12, 0).u(88, 0).u(8, 5).u(8, 5)
    layers.ue(0, 1, 7680, 4320).u(1, 1).ue(0, 0, 0, 4).ue(2, 2, 4).u(1, 1)
    layers.ue(1, 0, 0).ue(5, 2, 0).ue(3, 0, 0)
    hevc = b"\0\0\1" + layers.unit(b"\x42\x01")
    assert ParameterSets(HEVC, b"").in_packet(hevc) == (6, 3 * 7680 * 4320)


def test_what_is_cut_off_or_of_another_codec_says_nothing():
    whole = h264(Bits().u(8, 66).u(16, 40).ue(0, 0, 0, 0), references=2, wide=120, high=68)
    for end in range(len(whole) - 1):
        held = ParameterSets(H264, b"").in_packet(whole[:end])
        assert held is None or held.references <= 16
    assert ParameterSets("vp9", b"").in_packet(whole) is None
    assert ParameterSets(H264, b"\1").in_header() is None
    assert ParameterSets(HEVC, b"\1" * 20).in_header() is None


def frame_bytes() -> int:
    return int(1.5 * WIDTH * HEIGHT)


@pytest.mark.parametrize(("codec", "container"), [("libx264", "mp4"), ("libx264", "avi"), ("libx265", "mp4")])
def test_a_clip_that_has_more_held_than_there_is_room_for_is_refused_in_words(monkeypatch, codec, container):
    few, many = (clip(codec, container, f"ref={ref}:bframes=0") for ref in (1, 8))
    monkeypatch.setattr(upload_limits, "MAX_HELD_BYTES", (4 + BESIDE) * frame_bytes())
    assert read_media(few, max_frames=4).frames.shape[1:3] == (HEIGHT, WIDTH)
    with pytest.raises(MediaError, match=r"of which (8|9|10) may have to be held.*save it smaller"):
        read_media(many, max_frames=4)


def test_one_that_asks_for_more_on_the_way_is_refused_there(monkeypatch):
    quiet, greedy = (clip("libx264", "avi", f"ref={ref}:bframes=0", frames=6) for ref in (1, 16))
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(quiet)) as first,
        av.open(io.BytesIO(greedy)) as second,
        av.open(file, "w", format="avi") as out,
    ):
        track = out.add_stream_from_template(first.streams.video[0])
        for shift, part in ((0, first), (6, second)):
            for packet in part.demux(video=0):
                if packet.dts is not None:
                    packet.pts, packet.dts = packet.dts + shift, packet.dts + shift
                    packet.stream = track
                    out.mux(packet)
    monkeypatch.setattr(upload_limits, "MAX_HELD_BYTES", (4 + BESIDE) * frame_bytes())
    with pytest.raises(MediaError, match="of which 16 may have to be held"):
        read_media(file.getvalue(), max_frames=12)


def test_of_a_codec_that_does_not_say_all_slots_have_to_fit(monkeypatch):
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as out:
        track = out.add_stream("libvpx-vp9", rate=Fraction(10))
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(4):
            pixels = np.full((HEIGHT, WIDTH, 3), 40 * k, np.uint8)
            for packet in track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                out.mux(packet)
        for packet in track.encode():
            out.mux(packet)
    monkeypatch.setattr(clip_decoder, "MAX_HELD_BYTES", (8 + BESIDE) * frame_bytes())
    monkeypatch.setattr(upload_limits, "MAX_HELD_BYTES", (8 + BESIDE) * frame_bytes())
    assert len(read_media(file.getvalue(), max_frames=4).frames) == 4
    monkeypatch.setattr(upload_limits, "MAX_HELD_BYTES", (7 + BESIDE) * frame_bytes())
    with pytest.raises(MediaError, match="of which 8 may have to be held"):
        read_media(file.getvalue(), max_frames=4)
