"""Trace + Probe -> plain arrays and labels for what stands round the canvas.

No Streamlit, no torch, no drawing: everything here can be tested with NumPy alone. What the canvas itself is
sent is made in `a2core.canvas`; pages reach its small helpers through here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from a2core import BlockTrace, Trace, effective_attention, reach
from a2core.canvas import block_word as block_word
from a2core.canvas import canvas_payload as canvas_payload
from a2core.canvas import data_url as data_url
from a2core.canvas import percent as percent
from a2core.canvas import primitive_cards as primitive_cards
from a2core.canvas import with_alt as with_alt
from a2core.canvas import with_effects as with_effects

SIZES_PX = (224, 352, 448, 672)  # long side of the model input: multiples of 32
DEFAULT_SIZE_PX = 448
UPLOAD_MAX_SIDE_PX = 1344  # decode no larger than twice the largest size: sharp enough, quick to shrink
THUMBNAIL_PX = 112  # drawn at half that size, for sharp screens


@dataclass(frozen=True)
class Sample:
    """A photo inside the scikit-image wheel that the app may show.

    `spot` is where the first probe is put, as (x, y) fractions of the picture.
    """

    name: str
    title: str
    file: str
    alt: str
    credit: str
    spot: tuple[float, float]


# Only photos whose docstring in skimage.data states public domain or CC0, and whose file is in the wheel.
SAMPLES = (
    Sample(
        "chelsea",
        "Cat",
        "chelsea.png",
        "The face of a tabby cat, close up",
        "Chelsea. Photo: Stéfan van der Walt, CC0",
        (0.36, 0.36),
    ),
    Sample(
        "coffee",
        "Coffee",
        "coffee.png",
        "A cup of coffee on a saucer, on a wooden table",
        "Coffee cup. Photo: Rachel Michetti, CC0",
        (0.50, 0.35),
    ),
    Sample(
        "astronaut",
        "Astronaut",
        "astronaut.png",
        "Astronaut Eileen Collins, smiling, in an orange suit before a flag and a model of the Shuttle",
        "Eileen Collins. Photo: NASA, public domain",
        (0.43, 0.20),
    ),
    Sample(
        "rocket",
        "Rocket",
        "rocket.jpg",
        "A rocket lifting off between two towers",
        "Falcon 9 with DSCOVR. Photo: SpaceX, public domain",
        (0.50, 0.40),
    ),
    Sample(
        "camera",
        "Cameraman",
        "camera.png",
        "A man in a coat with a camera on a tripod, black and white",
        "Cameraman. Photo: Lav Varshney, CC0",
        (0.45, 0.25),
    ),
    Sample(
        "hubble",
        "Deep sky",
        "hubble_deep_field.jpg",
        "Hundreds of galaxies on a black sky",
        "Hubble eXtreme Deep Field. Photo: NASA, public domain",
        (0.50, 0.50),
    ),
)


def sample_path(sample: Sample) -> Path:
    """Where the sample's file lies on this machine; nothing is downloaded."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("scikit-image is not installed. Install requirements.txt.")
    return Path(spec.origin).parent / "data" / sample.file


def trace_key(picture: str, checkpoint: str, size_px: int) -> str:
    """Identity of a trace, 16 hex digits: the same picture, weights and size give the same key."""
    return hashlib.sha256(f"{picture}\n{checkpoint}\n{size_px}".encode()).hexdigest()[:16]


def card_facts(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a checkpoint's card says, as (term, fact) lines for people, in the card's order.

    Nested entries become "trained · seed"; the architecture becomes one line a block; long lists and
    the sentences of primitives are left out.
    """
    facts = _architecture_facts(card.get("architecture"))
    for term, value in _flattened({key: value for key, value in card.items() if key not in _TECHNICAL}):
        if isinstance(value, list) and len(value) > _LONGEST_LIST:
            continue
        facts.append((" · ".join(_TERMS.get(part, part.replace("_", " ")) for part in term), _worded(value)))
    return facts


_TECHNICAL = {"format", "name", "architecture", "cards", "sha256", "size_bytes"}
_LONGEST_LIST = 8
_TERMS = {"wall_s": "time, s"}


def _architecture_facts(architecture: Any) -> list[tuple[str, str]]:
    if not isinstance(architecture, Mapping):
        return []
    facts = [("network", str(architecture.get("backbone", "not stated")))]
    blocks = architecture.get("blocks")
    for name, settings in blocks.items() if isinstance(blocks, Mapping) else ():
        if isinstance(settings, Mapping):
            n, m = settings.get("c_n", "?"), settings.get("c_m", "?")
            facts.append((f"block after {name}", f"{n} primitives of {m} channels each"))
    return facts


def _flattened(value: Any, term: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flattened(inner, (*term, str(key)))]
    return [(term, value)] if term else []


def _worded(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not stated"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_worded(item) for item in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def cell_at(block: BlockTrace, spot: tuple[float, float]) -> tuple[int, int]:
    """The cell (row, col) under `spot`, given as (x, y) fractions of the picture."""
    _, rows, cols = block.grid
    x, y = spot
    return min(rows - 1, max(0, int(y * rows))), min(cols - 1, max(0, int(x * cols)))


def spot_of(block: BlockTrace, position: tuple[int, int, int]) -> tuple[float, float]:
    """The centre of the cell at `position` (t, row, col), as (x, y) fractions of the picture."""
    _, rows, cols = block.grid
    _, row, col = position
    return (col + 0.5) / cols, (row + 0.5) / rows


def default_block(trace: Trace) -> BlockTrace:
    """The block that is shown first: the last but one, of parts that have names; or the only one."""
    return list(trace.blocks.values())[-2:][0]


def default_position(block: BlockTrace, spot: tuple[float, float] | None) -> tuple[int, int, int]:
    """Where the first probe is put: at `spot`, or where the block changed its input the most."""
    if spot is not None:
        return (0, *cell_at(block, spot))
    t, row, col = np.unravel_index(int(np.argmax(block.change)), block.change.shape)
    return int(t), int(row), int(col)


@dataclass(frozen=True)
class PinnedArrays:
    """What the charts under the canvas draw for one pinned pixel and one primitive.

    `weights` is ρ at the pixel, (n,), and sums to 1; `bag` is G, (m, n); `vector` is its column
    `primitive`, (m,).
    """

    weights: np.ndarray
    bag: np.ndarray
    vector: np.ndarray
    primitive: int
    rank: int
    share: float
    effective: float  # how many primitives the pixel really uses: exp of the entropy of ρ

    @property
    def alt(self) -> str:
        """The weights in words and numbers, for those who cannot see the chart."""
        best = np.argsort(-self.weights, kind="stable")[:3]
        leaders = ", ".join(f"primitive {i} gives {percent(float(self.weights[i]))}" for i in best)
        return f"of {len(self.weights)} primitives, {leaders}"


def pinned_arrays(block: BlockTrace, position: tuple[int, int, int], primitive: int | None) -> PinnedArrays:
    """The arrays of `block` for the pixel at `position` (t, row, col), in cells, and `primitive`.

    No primitive means the one that the pixel receives most of.
    """
    t, row, col = position
    weights = block.distribute[:, t, row, col]
    order = np.argsort(-weights, kind="stable")
    if primitive is None:
        primitive = int(order[0])
    return PinnedArrays(
        weights=weights,
        bag=block.bag(t),
        vector=block.bag(t)[:, primitive],
        primitive=primitive,
        rank=int(np.flatnonzero(order == primitive)[0]) + 1,
        share=float(weights[primitive]),
        effective=float(reach(weights[None])[0]),
    )


@dataclass(frozen=True)
class PinnedSum:
    """The sum z_p = Σ_i ρ_i g_i of one pixel, term by term, the largest ρ first; arrays are (n,) float64.

    `shares` is the part of each term along the sum, (ρ_i g_i · z_p) / |z_p|²: together 1, and negative
    for a term that points away from the sum.
    """

    primitives: np.ndarray  # indices i
    weights: np.ndarray  # ρ_i
    lengths: np.ndarray  # |g_i|
    shares: np.ndarray
    length: float  # |z_p|
    weights_bits: float  # entropy of ρ at the pixel
    attention_bits: float  # entropy of the effective attention of the pixel
    cells: int  # of the block, over which that attention is spread


def pinned_sum(block: BlockTrace, position: tuple[int, int, int]) -> PinnedSum:
    """What adds up to the output of `block` at `position` (t, row, col), in cells."""
    t, row, col = position
    weights = block.distribute[:, t, row, col].astype(np.float64)
    order = np.argsort(-weights, kind="stable")
    terms = block.bag(t).astype(np.float64) * weights  # (m, n)
    total = terms.sum(axis=1)
    squared = float(total @ total)
    attention = effective_attention(block, position)
    return PinnedSum(
        primitives=order,
        weights=weights[order],
        lengths=np.linalg.norm(block.bag(t).astype(np.float64), axis=0)[order],
        shares=(total @ terms)[order] / squared if squared > 0 else np.zeros(block.n),
        length=squared**0.5,
        weights_bits=entropy_bits(weights),
        attention_bits=entropy_bits(attention),
        cells=attention.size,
    )


def entropy_bits(shares: np.ndarray) -> float:
    """Entropy of shares that sum to 1, in bits."""
    held = shares[shares > 0].astype(np.float64)
    return float(-(held * np.log2(held)).sum())


def sum_sentence(block: BlockTrace, terms: PinnedSum) -> str:
    """What the table of a PinnedSum holds and how evenly it is spread, as one paragraph of HTML."""
    return (
        '<p class="a2-sum"><b>z<sub>p</sub> = Σ ρ<sub>i</sub> g<sub>i</sub></b> over all '
        f"{block.n} primitives, |z<sub>p</sub>| = {terms.length:.4g}. A share is the part of ρ<sub>i</sub> "
        "g<sub>i</sub> along z<sub>p</sub>, divided by |z<sub>p</sub>|: shares add up to 100 %, and one "
        f"below zero pulls the other way. Entropy of ρ: <b>{terms.weights_bits:.2f} bits</b> of "
        f"{np.log2(block.n):.2f}, as even as {2**terms.weights_bits:.1f} primitives in equal parts. "
        f"Entropy of the attention: <b>{terms.attention_bits:.2f} bits</b> of "
        f"{np.log2(terms.cells):.2f}, as wide as {2**terms.attention_bits:.0f} of {terms.cells} cells.</p>"
    )


def file_stem(picture_title: str) -> str:
    """A picture's title as the beginning of a file name that every system takes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", picture_title.rsplit(".", 1)[0]).strip("-").lower() or "picture"


def short_name(name: str, longest: int = 18) -> str:
    """A file name short enough for a label, its beginning and its suffix kept."""
    name = "".join(c if c.isprintable() else "?" for c in name) or "your picture"
    return name if len(name) <= longest else f"{name[: longest - 8]}…{name[-7:]}"


def as_markdown(text: str) -> str:
    """`text` so that Markdown shows it as it stands: a file may be called `*$x$_[1].png`."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])", r"\\\1", text)


def pinned_sentence(
    trace: Trace, block: BlockTrace, position: tuple[int, int, int], pinned: PinnedArrays
) -> str:
    """One line of HTML that says which pixel the charts are about and what it receives."""
    _, height_px, width_px, _ = trace.model_input.shape
    _, rows, cols = block.grid
    _, row, col = position
    x, y = int((col + 0.5) * width_px / cols), int((row + 0.5) * height_px / rows)
    return (
        f'<p class="a2-pinned">The marked pixel (x {x}, y {y}) receives mostly from '
        f"<b>{pinned.effective:.0f}</b> of {block.n} primitives; "
        f"<b>g<sub>{pinned.primitive}</sub></b> gives it <b>{percent(pinned.share)}</b>, "
        f"number {pinned.rank} of all. <small>Click in the picture to mark another pixel.</small></p>"
    )
