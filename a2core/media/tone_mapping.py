"""Colours of high dynamic range (PQ, HLG) and of wide gamut (BT.2020, Display P3), as sRGB.

High dynamic range is brought down as ITU-R BT.2390 has it: up to about 90 cd/m² nothing changes, brighter
light is compressed along a smooth curve, so that 1000 cd/m² come out as white. White paper, 203 cd/m² in
such clips (ITU-R BT.2408), comes out a little below. What is brighter than 1000 cd/m² is white too. The
curve is applied to the strongest of the three colours and the others follow it, so hues stay.

FFmpeg's own conversion is no way out: its scaler takes seconds to set up, and clips at 203 cd/m².
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import cv2
import numpy as np

PEAK_NITS = 1000.0
"""Of the clip: what most are mastered for, and what HLG is defined at."""
WHITE_NITS = 203.0
"""Light that is shown as white."""

_LUMINANCE_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
_STEPS = 4096
_PIXELS_AT_ONCE = 1 << 18


class Encoding(NamedTuple):
    """How a clip's RGB samples say what light they mean."""

    transfer: Literal["PQ", "HLG", "SDR"]
    primaries: Literal["BT.2020", "P3", "BT.709"]


class ToSrgb:
    """Brings frames of one encoding to 8-bit sRGB; its tables are made once."""

    def __init__(self, encoding: Encoding) -> None:
        self._transfer = encoding.transfer
        codes = np.arange(1 << 16) / 65535
        match encoding.transfer:
            case "PQ":
                light = pq_to_nits(codes)
            case "HLG":
                light = _hlg_to_scene(codes)
            case "SDR":
                light = _srgb_to_light(codes)
        self._light = light.astype(np.float32)
        self._matrix = _TO_709[encoding.primaries].astype(np.float32)
        steps = np.linspace(0, PEAK_NITS, _STEPS)
        steps[0] = steps[1]
        self._gain = (_compressed(steps) / steps / WHITE_NITS).astype(np.float32)
        self._eight_bits = np.rint(255 * _light_to_srgb(codes)).astype(np.uint8)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 sRGB of (H, W, 3) uint16 RGB in the clip's own encoding."""
        converted = np.empty(samples.shape, np.uint8)
        rows = max(1, _PIXELS_AT_ONCE // samples.shape[1])
        for top in range(0, samples.shape[0], rows):
            converted[top : top + rows] = self._strip(samples[top : top + rows])
        return converted

    def _strip(self, samples: np.ndarray) -> np.ndarray:
        light = self._light[samples]
        if self._transfer == "HLG":  # from the light of the scene to that of a screen
            light *= PEAK_NITS * (light @ _LUMINANCE_2020)[..., np.newaxis] ** np.float32(0.2)
        light = np.maximum(cv2.transform(light, self._matrix), 0)
        if self._transfer != "SDR":
            strongest = light.max(axis=2)
            held = np.minimum(strongest, PEAK_NITS)
            gain = self._gain[np.rint(held * ((_STEPS - 1) / PEAK_NITS)).astype(np.int32)]
            light *= (gain * (held / np.maximum(strongest, 1e-6)))[..., np.newaxis]
        return self._eight_bits[np.rint(np.minimum(light, 1) * 65535).astype(np.uint16)]


def pq_to_nits(codes: np.ndarray) -> np.ndarray:
    """Light in cd/m² of PQ codes in 0…1. Source: SMPTE ST 2084."""
    root = codes ** (1 / _PQ_M2)
    return 10_000 * (np.maximum(root - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * root)) ** (1 / _PQ_M1)


def _nits_to_pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / 10_000) ** _PQ_M1
    return ((_PQ_C1 + _PQ_C2 * power) / (1 + _PQ_C3 * power)) ** _PQ_M2


_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _hlg_to_scene(codes: np.ndarray) -> np.ndarray:
    """Light of the scene, 0…1, of HLG codes in 0…1. Source: ITU-R BT.2100."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12)


def _compressed(nits: np.ndarray) -> np.ndarray:
    """The light to show for light up to PEAK_NITS, at most WHITE_NITS. Source: ITU-R BT.2390, its EETF."""
    peak = _nits_to_pq(np.array(PEAK_NITS))
    white = _nits_to_pq(np.array(WHITE_NITS)) / peak
    knee = 1.5 * white - 0.5
    codes = _nits_to_pq(nits) / peak
    t = np.maximum(codes - knee, 0) / (1 - knee)
    bent = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * white
    )
    return np.where(codes < knee, nits, pq_to_nits(bent * peak))


def _srgb_to_light(codes: np.ndarray) -> np.ndarray:
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def _light_to_srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _xyz_of_rgb(*corners: tuple[float, float]) -> np.ndarray:
    """(3, 3) from linear RGB to XYZ, by the chromaticities of red, green and blue; white is D65."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in corners]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    return columns * np.linalg.solve(columns, white)


_XYZ_709 = _xyz_of_rgb((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_TO_709 = {
    "BT.709": np.eye(3),
    "BT.2020": np.linalg.solve(_XYZ_709, _xyz_of_rgb((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))),
    "P3": np.linalg.solve(_XYZ_709, _xyz_of_rgb((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))),
}
