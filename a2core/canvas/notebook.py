"""What a notebook shows of a trace: the widget where there is one, else the offline page, else a picture.

Nothing here needs the extra: without it a page in a frame answers hovers just as well, and tells Python
nothing.
"""

from __future__ import annotations

import html
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from a2core.canvas.payload import canvas_payload, data_url
from a2core.canvas.vocabulary import colour_table, cover, read_vocabulary
from a2core.extras import missing
from a2core.languages import ENGLISH
from a2core.tracing.probe import effective_attention

if TYPE_CHECKING:
    from collections.abc import Mapping

    from a2core.canvas.widget import CanvasWidget
    from a2core.tracing.trace import Trace

FRAME_PX = 900  # of the page in a notebook
STILL_QUALITY = 80


def widget_of(
    trace: Trace, card: Mapping[str, Any] | None, traits: Mapping[str, Any], language: str = ENGLISH
) -> CanvasWidget:
    """The widget of a trace; the extra is there."""
    from a2core.canvas.widget import CanvasWidget

    name = trace.clip.name or "the picture"
    return CanvasWidget(
        canvas_payload(trace, card or {}, key=trace.checkpoint, alt=name), language=language, **traits
    )


def mime_bundle(trace: Trace) -> dict[str, Any]:
    """What IPython is told of a trace, by kind: what is richest and can be shown is.

    With a kernel and the extra: the widget, and beside it a small picture for where the saved notebook is
    only read. Else the offline page in a frame of its own.
    """
    text = described(trace)
    if _in_a_kernel() and not missing("notebook"):
        shown = widget_of(trace, None, {})._repr_mimebundle_()
        data = dict(shown[0] if isinstance(shown, tuple) else shown or {})
        return {**data, "text/html": still(trace), "text/plain": text}
    return {"text/html": framed_page(trace), "text/plain": text}


def described(trace: Trace) -> str:
    """A trace in a line."""
    frames, height, width, _ = trace.model_input.shape
    of = f"{frames} frames of {height} × {width}" if frames > 1 else f"{height} × {width} pixels"
    blocks = ", ".join(f"{name} {' × '.join(map(str, block.grid))}" for name, block in trace.blocks.items())
    random = "" if trace.trained else "; random weights"
    return f"Trace of {trace.clip.name or 'a picture'} by {trace.checkpoint} ({of}; {blocks}{random})"


def framed_page(trace: Trace) -> str:
    """The page that works offline, in a frame: a notebook's own page is left alone."""
    page = html.escape(trace.to_html(), quote=True)
    return (
        f'<iframe srcdoc="{page}" title="{html.escape(described(trace), quote=True)}" '
        f'sandbox="allow-scripts allow-downloads allow-popups" '
        f'style="width: 100%; height: {FRAME_PX}px; border: 0"></iframe>'
    )


def still(trace: Trace) -> str:
    """A picture with the map of its middle cell, and what to do to explore it: twenty kilobytes."""
    said = html.escape(described(trace))
    picture = trace.model_input[0]
    if trace.blocks:
        block = trace.blocks[list(trace.blocks)[-1]]
        _, rows, cols = block.grid
        cell = (0, rows // 2, cols // 2)
        picture = _under(picture, effective_attention(block, cell)[0])
        said += f". Where the middle cell of {html.escape(block.name)} gathered; run this cell to explore it."
    height, width, _ = picture.shape
    return (
        f'<figure style="margin: 0"><img src="{data_url(picture, quality=STILL_QUALITY)}" alt="" '
        f'width="{width}" height="{height}"><figcaption>{said}</figcaption></figure>'
    )


def _under(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The picture (H, W, 3) uint8 under a map (h, w), in the canvas's colours."""
    height, width, _ = picture.shape
    large = Image.fromarray((weights / weights.max()).astype(np.float32)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    share = np.clip(np.asarray(large), 0.0, 1.0)
    colours = colour_table(read_vocabulary().colour_of["attention"])[np.rint(share * 255).astype(int)]
    opaque = cover(share, 0.75)[..., None]
    return np.rint(picture * (1 - opaque) + colours * opaque).astype(np.uint8)


def _in_a_kernel() -> bool:
    """Whether a kernel of Jupyter's runs this: IPython with somebody to talk to."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
