"""Pictures that are nearly the same, so that an atlas counts them once: saved again, made smaller, sent on.

Two signs have to agree. A print of 256 bits, whether each of 16 × 16 places is brighter than its left
neighbour, survives another size and another JPEG; plain backdrops make it say the same of different things,
so the network's code has to be the same to a few per cent too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_SIDE = 16
MOST_BITS = 24  # of the 256 that may differ: saved again at quality 70, 9 photos of 10 differ in at most 6
LEAST_LIKENESS = 0.95  # of two codes: of different photos at most 0.94 was seen
_WORDS = 4


def print_of(small: np.ndarray) -> np.ndarray:
    """(4,) uint64 of a small picture (h, w, 3) uint8."""
    import cv2

    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    places = cv2.resize(grey, (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(places[:, 1:] > places[:, :-1]).view("<u8")


def likeness(code: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two codes (P,)."""
    a, b = code.astype(np.float64), other.astype(np.float64)
    return float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-300)


class Alike:
    """Finds, for one picture after the other, the first of those before it that it nearly is.

    Holds 40 bytes for each picture that is like none before it.

    Args:
        code_of: the code (P,) of an earlier picture by its number.
    """

    def __init__(self, code_of: Callable[[int], np.ndarray]) -> None:
        self._code_of = code_of
        self._prints = np.zeros((1024, _WORDS), np.uint64)
        self._numbers = np.zeros(1024, np.int64)
        self._count = 0

    def find(self, print: np.ndarray, code: np.ndarray) -> int:
        """The number of the first picture that this one nearly is, or -1."""
        known = self._prints[: self._count]
        apart = np.bitwise_count(known[:, 0] ^ print[0])
        near = np.flatnonzero(apart <= MOST_BITS)  # few are left for the rest of the bits
        near = near[np.bitwise_count(known[near] ^ print).sum(axis=1) <= MOST_BITS]
        for number in self._numbers[near].tolist():
            if likeness(self._code_of(number), code) >= LEAST_LIKENESS:
                return int(number)
        return -1

    def add(self, number: int, print: np.ndarray) -> None:
        """Take a picture that is like none before it."""
        if self._count == len(self._prints):
            self._prints = np.concatenate([self._prints, np.zeros_like(self._prints)])
            self._numbers = np.concatenate([self._numbers, np.zeros_like(self._numbers)])
        self._prints[self._count], self._numbers[self._count] = print, number
        self._count += 1
