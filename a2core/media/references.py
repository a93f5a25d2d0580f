"""How much a clip's decoder has to hold: what H.264 and HEVC say in their parameter sets.

A decoder holds every frame that others may still be made from, up to sixteen, whatever their size. Their
number and size stand in the sequence parameter sets (ITU-T H.264, 7.3.2.1.1; H.265, 7.3.2.2), at the
beginning of the file or anywhere in it. Read here from the bits, before a frame exists. VP9 and AV1 say
nothing: any frame may be made from eight others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

H264, HEVC = "h264", "hevc"
MOST_REFERENCES = 16
BESIDE = 8  # frames that are held besides: while being decoded, handed over, converted (measured)
_SPS = {H264: 7, HEVC: 33}
SLOTS = {"vp9": 8, "libvpx-vp9": 8, "av1": 8, "libdav1d": 8, "libaom-av1": 8}  # of codecs that say nothing
_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}  # profiles of H.264
_SAMPLES = {0: 1.0, 1: 1.5, 2: 2.0, 3: 3.0}  # of a pixel, by how chroma is sampled


class Held(NamedTuple):
    """What a parameter set asks of a decoder: frames to be held, and how large each is."""

    references: int
    frame_bytes: int

    @property
    def bytes(self) -> int:
        """Of all frames that are held at a time."""
        return (self.references + BESIDE) * self.frame_bytes


class ParameterSets:
    """Finds the parameter sets of one track.

    Args:
        codec: as FFmpeg calls it; of others than `H264` and `HEVC` nothing is found.
        header: what the container says beforehand.
    """

    def __init__(self, codec: str, header: bytes) -> None:
        self._codec = codec
        self._header = header
        self._length = 0  # bytes of the length before each unit; 0: start codes stand between them
        if header[:1] == b"\1":
            at = 4 if codec == H264 else 21
            self._length = (header[at] & 3) + 1 if len(header) > at else 4

    def in_header(self) -> Held | None:
        """What is asked beforehand; None where nothing is said."""
        return self._most(_of_record(self._codec, self._header) if self._length else _split(self._header))

    def in_packet(self, packet: bytes) -> Held | None:
        """What is asked from this packet on."""
        return self._most(_measured(packet, self._length) if self._length else _split(packet))

    def _most(self, units: Iterator[bytes]) -> Held | None:
        found = []
        if self._codec in _SPS:
            for unit in units:
                kind = unit[0] & 31 if self._codec == H264 else unit[0] >> 1 & 63
                if kind == _SPS[self._codec]:
                    found.append(_read(self._codec, unit))
        asked = [held for held in found if held is not None]
        return max(asked, key=lambda held: held.bytes, default=None)


def _read(codec: str, unit: bytes) -> Held | None:
    """None where it ends too early: no decoder can use it either."""
    try:
        references, pixels, chroma, depth = (
            _of_h264(_Bits(unit[1:])) if codec == H264 else _of_hevc(_Bits(unit[2:]))
        )
    except IndexError:
        return None
    frame_bytes = pixels * _SAMPLES.get(chroma, 3.0) * (2 if depth > 8 else 1)
    return Held(min(references, MOST_REFERENCES), int(frame_bytes))


def _split(data: bytes) -> Iterator[bytes]:
    yield from (unit for unit in data.split(b"\0\0\1")[1:] if unit)


def _measured(data: bytes, size: int) -> Iterator[bytes]:
    at = 0
    while at + size < len(data):
        length = int.from_bytes(data[at : at + size], "big")
        if length:
            yield data[at + size : at + size + length]
        at += size + length


def _of_record(codec: str, data: bytes) -> Iterator[bytes]:
    """The units of an AVCDecoderConfigurationRecord or HEVCDecoderConfigurationRecord (ISO/IEC 14496-15)."""
    at, arrays = (5, 1) if codec == H264 else (23, data[22] if len(data) > 22 else 0)
    wide = 1 if codec == H264 else 2
    for _ in range(arrays):
        at += codec == HEVC  # which kind they are of
        count = int.from_bytes(data[at : at + wide], "big") & (31 if codec == H264 else 0xFFFF)
        at += wide
        for _ in range(count):
            length = int.from_bytes(data[at : at + 2], "big")
            if unit := data[at + 2 : at + 2 + length]:
                yield unit
            at += 2 + length


class _Bits:
    """Reads bits, without the bytes that keep start codes apart; IndexError behind the last."""

    def __init__(self, data: bytes) -> None:
        self._data = data.replace(b"\0\0\3", b"\0\0")
        self._at = 0

    def take(self, count: int) -> int:
        """So many bits as a number."""
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def number(self) -> int:
        """ue(v): a number as Exp-Golomb codes it."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise IndexError
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v)."""
        code = self.number()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _of_h264(bits: _Bits) -> tuple[int, int, int, int]:
    """References, pixels, how chroma is sampled, bits of a sample."""
    profile = bits.take(8)
    bits.take(16)
    bits.number()
    chroma, depth = 1, 8
    if profile in _WITH_CHROMA:
        chroma = bits.number()
        if chroma == 3:
            bits.take(1)
        depth = 8 + max(bits.number(), bits.number())
        bits.take(1)
        if bits.take(1):
            for index in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling(bits, 16 if index < 6 else 64)
    bits.number()
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.number(), 255)):
            bits.signed()
    references = bits.number()
    bits.take(1)
    wide, high = bits.number() + 1, bits.number() + 1
    return references, 256 * wide * high * (2 - bits.take(1)), chroma, depth


def _skip_scaling(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _of_hevc(bits: _Bits) -> tuple[int, int, int, int]:
    """The same; among the frames that are held is the one that is being decoded."""
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    bits.take(96)  # profile, tier and level of all layers
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.number()
    chroma = bits.number()
    if chroma == 3:
        bits.take(1)
    pixels = bits.number() * bits.number()
    if bits.take(1):
        for _ in range(4):
            bits.number()
    depth = 8 + max(bits.number(), bits.number())
    bits.number()
    every = bits.take(1)
    most = 0
    for _ in range(layers + 1 if every else 1):
        most = max(most, bits.number() + 1)
        bits.number()
        bits.number()
    return most, pixels, chroma, depth
