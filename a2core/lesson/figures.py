"""Arrays -> small pictures as HTML for the lesson: tensors, maps, bars, curves, tables.

Pure: no Streamlit, no torch. Colours are the canvas's, by what a map is of. Tensors are WebP pictures, a few
kilobytes each; bars and curves are SVG whose lettering is HTML around it, so that type keeps its size however
wide the page is.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from a2core.canvas import colour_table, cover, read_vocabulary
from a2core.lesson.numbers import Number

WIDEST_CELLS = 768  # a table with more columns is averaged down before it is drawn
SIGNED = "value"  # what is dark at zero, as other maps are at their least, and bright either way
LOSSLESS_CELLS = 64 * 64  # larger tables are compressed with loss: their cells are a pixel each anyway


def painted(level: np.ndarray, what: str) -> np.ndarray:
    """Levels of 0..1, of any shape, in the canvas's colours for `what` a map is of: (…, 3) uint8."""
    return colour_table(read_vocabulary().colour_of[what])[as_bytes(level)]


def as_bytes(level: np.ndarray) -> np.ndarray:
    """Levels of 0..1 as 0..255, uint8."""
    return np.rint(255 * np.clip(level, 0, 1)).astype(np.uint8)


def opaque(level: np.ndarray) -> np.ndarray:
    """How opaque a map of levels 0..1 lies over a picture, as the canvas has it from the start: uint8."""
    return as_bytes(cover(level, read_vocabulary().settings["opacity"].first))


def _levels(values: np.ndarray, what: str, peak: float) -> np.ndarray:
    """`values` between nothing and `peak` as 0..1; those that have a sign, between -peak and peak."""
    low = -peak if what == SIGNED else 0.0
    return (values - low) / ((peak - low) or 1.0)


def overlay_url(values: np.ndarray, what: str, *, high: float) -> str:
    """A map (rows, cols) to lie over a picture: the nearer to zero, the more of the picture shows."""
    strength = np.clip(np.abs(values) / (high or 1.0), 0.0, 1.0)
    return webp_url(np.dstack([painted(_levels(values, what, high), what), opaque(strength)]))


def webp_url(pixels: np.ndarray) -> str:
    """RGB or RGBA pixels (rows, cols, 3 or 4) as a WebP data URL; small ones without loss."""
    out = io.BytesIO()
    lossless = pixels.shape[0] * pixels.shape[1] <= LOSSLESS_CELLS
    Image.fromarray(pixels).save(out, "WEBP", lossless=lossless, quality=80, method=2)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def map_url(values: np.ndarray, what: str, *, high: float | None = None) -> str:
    """One map (rows, cols) as a picture, a pixel a cell: from 0 to its peak, signed values around zero."""
    peak = float(np.abs(values).max()) if high is None else high
    return webp_url(painted(_levels(values, what, peak or 1.0), what))


def table_url(values: np.ndarray, what: str) -> str:
    """A matrix (rows, cols) as a picture, a pixel an entry; very wide ones averaged to `WIDEST_CELLS`."""
    cols = values.shape[1]
    if cols > WIDEST_CELLS:
        edges = np.linspace(0, cols, WIDEST_CELLS + 1).astype(int)
        values = np.add.reduceat(values, edges[:-1], axis=1) / np.diff(edges)
    magnitude = np.abs(values)
    peak = float(np.quantile(magnitude, 0.995)) or float(magnitude.max()) or 1.0
    return webp_url(painted(_levels(values, what, peak), what))


def tensor(
    symbol: str,
    url: str,
    *,
    shape: Sequence[Number],
    axes: tuple[str, str],
    alt: str,
    column: float | None = None,
    row: float | None = None,
    note: str = "",
) -> str:
    """A matrix as a figure: its symbol and shape above, named axes, one column or row marked.

    `column` and `row` are the middles of what is marked, as fractions of the picture.
    """
    marks = ""
    if column is not None:
        marks += f'<i class="a2-col" style="left:{100 * column:.3f}%"></i>'
    if row is not None:
        marks += f'<i class="a2-row" style="top:{100 * row:.3f}%"></i>'
    size = " × ".join(map(str, shape))
    return (
        f'<figure class="a2-tensor"><figcaption><b>{_set(symbol)}</b><span>{size}</span></figcaption>'
        f'<div class="a2-axes"><span class="a2-y">{axes[0]}</span>'
        f'<div class="a2-cells"><img src="{url}" alt="{html.escape(alt)}">{marks}</div>'
        f'<span class="a2-x">{axes[1]}</span></div>{_note(note)}</figure>'
    )


def cells(
    symbol: str,
    url: str,
    *,
    aspect: float,
    alt: str,
    cell: tuple[float, float, float, float] | None = None,
    note: str = "",
) -> str:
    """A map over the grid as a figure; `cell` is (left, top, width, height) of a marked one, fractions."""
    mark = ""
    if cell is not None:
        left, top, width, height = (100 * value for value in cell)
        mark = (
            f'<i class="a2-cell" style="left:{left:.3f}%;top:{top:.3f}%;'
            f'width:{width:.3f}%;height:{height:.3f}%"></i>'
        )
    return (
        f'<figure class="a2-map"><figcaption><b>{_set(symbol)}</b></figcaption>'
        f'<div class="a2-cells" style="--aspect:{aspect:.4f}">'
        f'<img src="{url}" alt="{html.escape(alt)}">{mark}</div>{_note(note)}</figure>'
    )


def bars(
    title: str,
    values: np.ndarray,
    *,
    axes: tuple[str, str],
    alt: str,
    outline: np.ndarray | None = None,
    chosen: int | None = None,
    reach: float | None = None,
    note: str = "",
) -> str:
    """Bars of `values` (k,), negative ones downwards; `outline` (k,) is drawn as a line over them.

    `reach` fixes the scale, so that two figures can be compared.
    """
    both = values if outline is None else np.concatenate([values, outline])
    top = max(float(both.max()), 0.0) if reach is None else reach
    bottom = min(float(both.min()), 0.0) if reach is None or both.min() < 0 else 0.0
    if reach is not None and bottom < 0:
        bottom = -reach
    if top <= bottom:
        top = bottom + 1.0

    def y(value: float) -> float:
        return 3 + 94 * (top - value) / (top - bottom)  # room for lines at both edges

    zero, steps = y(0.0), range(len(values))
    path = "".join(f"M{i + 0.12:.2f} {zero:.2f}V{y(values[i]):.2f}h.76V{zero:.2f}z" for i in steps)
    marks = f'<path class="a2-bars" d="{path}"/>'
    if chosen is not None:
        marks += (
            f'<path class="a2-chosen" d="M{chosen + 0.12:.2f} {zero:.2f}V{y(values[chosen]):.2f}'
            f'h.76V{zero:.2f}z"/>'
        )
    if outline is not None:
        line = "".join(f"M{i} {y(outline[i]):.2f}h1" for i in range(len(outline)))
        marks += f'<path class="a2-outline" d="{line}"/>'
    marks += f'<path class="a2-zero" d="M0 {zero:.2f}H{len(values)}"/>'
    return _plot(title, marks, len(values), axes=axes, alt=alt, note=note)


def curve(
    title: str,
    values: np.ndarray,
    *,
    at: int,
    axes: tuple[str, str],
    alt: str,
    compare: np.ndarray | None = None,
    note: str = "",
) -> str:
    """A curve of `values` (k,) from 0 to 1 with the point `at` marked; `compare` is a thinner one."""
    count = len(values)
    keep = np.unique(np.linspace(0, count - 1, min(count, 400)).astype(int))
    width = max(count - 1, 1)

    def line(series: np.ndarray) -> str:
        return " ".join(f"{100 * i / width:.2f},{2 + 96 * (1 - series[i]):.2f}" for i in keep)

    marks = ""
    if compare is not None:
        marks += f'<polyline class="a2-thin" points="{line(compare)}"/>'
    marks += f'<polyline class="a2-line" points="{line(values)}"/>'
    x = 100 * at / width
    marks += f'<path class="a2-at" d="M{x:.2f} 0V100"/>'
    return _plot(title, marks, 100, axes=axes, alt=alt, note=note)


def _plot(title: str, marks: str, width: float, *, axes: tuple[str, str], alt: str, note: str) -> str:
    # A picture of its own: Streamlit takes SVG out of a page's HTML. Its colours read on both themes.
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 100" width="600" height="100" '
        f'preserveAspectRatio="none"><style>{_INK}</style>{marks}</svg>'
    )
    url = "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode("ascii")
    return (
        f'<figure class="a2-plot"><figcaption><b>{_set(title)}</b></figcaption>'
        f'<div class="a2-axes"><span class="a2-y">{axes[0]}</span>'
        f'<img src="{url}" alt="{html.escape(alt)}">'
        f'<span class="a2-x">{axes[1]}</span></div>{_note(note)}</figure>'
    )


_INK = (
    "path,polyline{vector-effect:non-scaling-stroke;fill:none}.a2-bars{fill:#569694;fill-opacity:.5}"
    ".a2-chosen{fill:#1f9a90}.a2-outline{stroke:#d9691a;stroke-width:2}.a2-zero{stroke:#8c93a8;stroke-width:1}"
    ".a2-line{stroke:#1f9a90;stroke-width:2.5}.a2-thin{stroke:#8c93a8;stroke-width:1.3}"
    ".a2-at{stroke:#d9691a;stroke-width:2}"
)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; what its first column says is to the left, numbers are to the right."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="a2-table"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _set(title: str) -> str:
    """A title whose letters with a tilde are in the sans serif: the serif puts the tilde beside Greek."""
    return re.sub("(\\w\u0303)", r'<i class="a2-tilde">\1</i>', title)


def _note(note: str) -> str:
    return f"<p>{note}</p>" if note else ""
