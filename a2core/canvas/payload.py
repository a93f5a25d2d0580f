"""Trace -> the canvas payload: all that a browser needs to answer hovers (contract 2, docs/architecture.md).

No torch and no drawing: everything here can be tested with NumPy alone.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from a2core.canvas import zh
from a2core.canvas.layers import layer_stubs
from a2core.canvas.packed import quantise
from a2core.canvas.vocabulary import read_vocabulary
from a2core.languages import ENGLISH
from a2core.tracing.probe import half_area, reach

if TYPE_CHECKING:
    from a2core.tracing.trace import BlockTrace, Trace

PICTURE_QUALITY = 92  # of a WebP frame
CLIP_QUALITY = 80  # of the frames of a clip, of which there are many


def canvas_payload(
    trace: Trace, card: Mapping[str, Any], *, key: str, alt: str, layers: Collection[str] | None = None
) -> dict[str, Any]:
    """Everything that the browser needs to answer every hover by itself; JSON-serialisable.

    Depends on the trace alone, so it is made and sent once per trace.

    Args:
        trace: what is shown.
        card: the checkpoint's, for what its blocks and primitives are called.
        key: identity of the trace.
        alt: what the picture shows, in words.
        layers: of the network's own attention those whose data are in it, by name; None: the last. The others
            are in it by name alone, and can be sent when somebody looks at them (`layer_payload`).
    """
    frames, height_px, width_px, _ = trace.model_input.shape
    quality = PICTURE_QUALITY if frames == 1 else CLIP_QUALITY
    payload = {
        "version": read_vocabulary().version,
        "key": key,
        "frames": [data_url(frame, quality=quality) for frame in trace.model_input],
        "width_px": width_px,
        "height_px": height_px,
        "trained": trace.trained,
        "joint": all(block.joint for block in trace.blocks.values()),
        "times_s": [float(t) for t in trace.clip.times_s[:frames]],
        "alt": "",
        "blocks": [
            *(block_payload(block, trace, card) for block in trace.blocks.values()),
            *layer_stubs(
                trace.attention,
                whole=list(trace.attention)[-1:] if layers is None else layers,
                trained=trace.born_trained,
            ),
        ],
    }
    return with_alt(payload, alt)


def with_effects(payload: Mapping[str, Any], effects: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """`payload` with what was measured of its blocks since: by name, the effect of each primitive, (n,)."""
    blocks = [
        {**block, "effect": [float(value) for value in effects[block["name"]]]}
        if block["name"] in effects
        else block
        for block in payload["blocks"]
    ]
    return {**payload, "blocks": blocks}


def with_alt(payload: Mapping[str, Any], alt: str, credit: str = "") -> dict[str, Any]:
    """`payload` with what the picture shows, in words, and whose it is: a picture passed on says that."""
    size = f"{payload['width_px']} × {payload['height_px']} pixels"
    return {**payload, "alt": f"{alt}, {size}"} | ({"credit": credit} if credit else {})


# Of each primitive in a card's numbers, and what it is called where there is little room.
SCORES = {"class purity": "purity", "part purity": "of parts", "MonoScore": "MonoScore"}


def block_payload(block: BlockTrace, trace: Trace, card: Mapping[str, Any]) -> dict[str, Any]:
    """One block of double attention, as contract 2 has it."""
    frames, rows, cols = block.grid
    word, name = block_word(block, trace, card), block.name
    if [block_word(each, trace, card) for each in trace.blocks.values()].count(word) > 1:
        word, name = (
            name,
            word,
        )  # in little room only the first of them is shown, which has to tell blocks apart
    return {
        "name": block.name,
        "label": f"{word} ({name}, {rows} × {cols} cells)",
        "n": block.n,
        "grid": [frames, rows, cols],
        "gather": quantise(block.gather),
        "distribute": quantise(block.distribute),
        "half": [float(value) for value in _by_frame(half_area, block)],
        "reach": [float(value) for value in _by_frame(reach, block)],
        "use": [float(value) for value in block.distribute.reshape(block.n, -1).mean(axis=1)],
        "change": quantise(block.change[None]),
        "cards": primitive_cards(block, card),
    }


def _by_frame(measure: Callable[[np.ndarray], np.ndarray], block: BlockTrace) -> np.ndarray:
    """`measure` of each gather map, (n,); of frames attended to alone, its mean over them."""
    if block.joint:
        return measure(block.gather)
    return np.mean([measure(block.gather[:, t]) for t in range(block.grid[0])], axis=0)


def block_word(block: BlockTrace, trace: Trace, card: Mapping[str, Any]) -> str:
    """What the block's cells are the size of, in one plain word: the card's, or by their pixels."""
    if word := card_word(card, block.name):
        return word
    side_px = trace.model_input.shape[2] / block.grid[2]
    if side_px < 12:
        return "textures"
    return "parts" if side_px < 24 else "objects"


def card_word(card: Mapping[str, Any], block: str) -> str:
    """The word that the card has for a block, "" where it has none."""
    word = _of_block(card, block).get("label")
    return word if isinstance(word, str) else ""


def primitive_cards(block: BlockTrace, card: Mapping[str, Any]) -> list[str]:
    """As `card_lines`, of a block of a trace."""
    return card_lines(card, block.name, block.n)


def card_lines(card: Mapping[str, Any], block: str, count: int) -> list[str]:
    """One line for each of the block's primitives: what the checkpoint's card says of it, and its scores.

    "" where the card has neither.
    """
    entry = _of_block(card, block)
    sentences, numbers = (_of_each(entry.get(key), count) for key in ("primitives", "numbers"))
    return [
        " · ".join(part for part in (sentence if isinstance(sentence, str) else "", scored(of)) if part)
        for sentence, of in zip(sentences, numbers, strict=True)
    ]


def card_said(card: str, language: str = ENGLISH) -> str:
    """One of `card_lines` in a language; what somebody wrote by hand stays as it is."""
    return zh.card_said(card) if language == "zh" else card


def scored(numbers: Any) -> str:
    """What `evaluate` measured of one primitive, in few words; "" where nothing was."""
    found = numbers if isinstance(numbers, Mapping) else {}
    told = [
        f"{word} {value:.2f}"
        for key, word in SCORES.items()
        if isinstance(value := found.get(key), int | float) and not isinstance(value, bool)
    ]
    return ", ".join(told)


def _of_each(values: Any, count: int) -> list[Any]:
    return values if isinstance(values, list) and len(values) == count else [None] * count


def _of_block(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    described = card.get("cards", {})
    entry = described.get(name, {}) if isinstance(described, Mapping) else {}
    return entry if isinstance(entry, Mapping) else {}


def data_url(frame: np.ndarray, *, quality: int, max_side_px: int | None = None) -> str:
    """A frame (H, W, 3) uint8 RGB as a WebP data URL, shrunk to `max_side_px` when given."""
    image = Image.fromarray(frame)
    if max_side_px is not None:
        image.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=2)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")
