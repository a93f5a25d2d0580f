"""The icon as PNG, for the systems that take no SVG."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

_GRID = 32  # of the drawing in assets/icon.svg
_GROUND, _LINE, _DOT = "#2B2F5B", "#C97B3D", "#F0913F"
_AROUND = ((8, 9, 2.4), (24, 8, 1.7), (25, 23, 2.6), (9, 24, 1.7))  # x, y, radius


def icon_png(side_px: int) -> bytes:
    """The icon, square and without round corners, which systems cut themselves."""
    scale = 4 * side_px / _GRID
    image = Image.new("RGB", (4 * side_px, 4 * side_px), _GROUND)
    pen = ImageDraw.Draw(image)

    def dot(x: float, y: float, radius: float, colour: str) -> None:
        pen.ellipse([scale * v for v in (x - radius, y - radius, x + radius, y + radius)], fill=colour)

    for x, y, radius in _AROUND:
        pen.line([scale * v for v in (x, y, 16, 16)], fill=_LINE, width=round(1.3 * scale))
        dot(x, y, radius, "#9597AD")
    dot(16, 16, 4, _DOT)
    out = io.BytesIO()
    image.resize((side_px, side_px), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
