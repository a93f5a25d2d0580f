"""What Explore says and shows of a trace, in numbers: pure, no Streamlit, no torch. Its words: words.py."""

from __future__ import annotations

import html

import numpy as np

from a2core import BlockTrace, Trace
from a2core.canvas import percent
from viz_app.ui import language
from viz_app.ui.pixel import PinnedArrays, PinnedSum
from viz_app.views.explore import words


def answer(trace: Trace, credit: str, taught: str) -> str:
    """The network's five best classes as one slim line, and where and how fast that was found."""
    classes = "".join(
        f'<li><span class="a2-name">{html.escape(name)}</span><span class="a2-share">'
        f'{percent(share)}</span><span class="a2-bar"><i style="width:{100 * share:.1f}%"></i>'
        "</span></li>"
        for name, share in trace.top
    )
    _, height_px, width_px, _ = trace.model_input.shape
    took = words.took(width_px, height_px, trace.elapsed_s, trace.device)
    told = map(language.told, (*trace.clip.notes, *trace.notes))
    notes = [language.told(credit), *told, taught, took]
    guesses = f"<h2>{words.GUESSES}</h2><ol>{classes}</ol>" if classes else f"<h2>{words.NO_CLASSES}</h2>"
    return (
        f'<div class="a2-answer">{guesses}'
        f"<p>{' · '.join(html.escape(note) for note in notes if note)}</p></div>"
    )


def shares_alt(pinned: PinnedArrays) -> str:
    """The weights in words and numbers, for those who cannot see the chart."""
    best = np.argsort(-pinned.weights, kind="stable")[:3]
    leaders = [words.gives(i, percent(float(pinned.weights[i]))) for i in best]
    return words.shares_alt(len(pinned.weights), leaders)


def pinned_sentence(
    trace: Trace, block: BlockTrace, position: tuple[int, int, int], pinned: PinnedArrays
) -> str:
    """One line of HTML that says which pixel the charts are about and what it receives."""
    _, height_px, width_px, _ = trace.model_input.shape
    _, rows, cols = block.grid
    _, row, col = position
    x, y = int((col + 0.5) * width_px / cols), int((row + 0.5) * height_px / rows)
    return words.pinned(
        x=x,
        y=y,
        effective=f"{pinned.effective:.0f}",
        count=block.n,
        primitive=pinned.primitive,
        share=percent(pinned.share),
        rank=pinned.rank,
    )


def sum_sentence(block: BlockTrace, terms: PinnedSum) -> str:
    """What the table of a PinnedSum holds and how evenly it is spread, as one paragraph of HTML."""
    return words.summed(
        n=block.n,
        length=f"{terms.length:.4g}",
        bits=f"{terms.weights_bits:.2f}",
        bits_most=f"{np.log2(block.n):.2f}",
        even=f"{2**terms.weights_bits:.1f}",
        attention_bits=f"{terms.attention_bits:.2f}",
        attention_most=f"{np.log2(terms.cells):.2f}",
        wide=f"{2**terms.attention_bits:.0f}",
        cells=terms.cells,
    )


def life(block: BlockTrace) -> tuple[np.ndarray, np.ndarray]:
    """How much of each primitive is gathered, and handed out, at each moment; both (n, T).

    Gathered mass sums to 1 over the clip (each frame alone: in each frame); the mean distribution
    weight sums to 1 over the primitives at each moment.
    """
    return block.gather.sum(axis=(2, 3)), block.distribute.mean(axis=(2, 3))
