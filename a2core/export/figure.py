"""One probed pixel as a figure for a paper: the picture, its map, the shares, a colour bar, a caption.

Drawn with Pillow at 300 dots an inch for a text width of 6 inches, on white. Pillow's own typeface has
no Greek, so ρ is written in words.
"""

from __future__ import annotations

import io
import textwrap
import unicodedata

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from a2core.canvas import bar_top, colour_table, map_top
from a2core.errors import BlockError
from a2core.export.paint import Colours, overlay
from a2core.export.shown import BARS, Direction, Layer, Shown, of_block, of_layer, plain_percent
from a2core.tracing.pairs import AttentionTrace
from a2core.tracing.probe import (
    Position,
)
from a2core.tracing.trace import Trace

DPI = 300
WIDTH_PX = 1800
MARGIN_PX = 30
GAP_PX = 36
NARROWEST_PX = 460  # of a column: below it the colour bar has no room for its numbers
INK, SOFT, BAR = (24, 24, 26), (96, 96, 100), (31, 154, 144)
SMALL, PLAIN = 29, 34  # 7 and 8 points


def figure_png(
    trace: Trace,
    block: str,
    position: Position | int,
    *,
    direction: Direction = "from",
    layer: Layer = "attention",
    primitive: int | None = None,
    credit: str = "",
) -> bytes:
    """The figure of `position` (t, row, col) in `block` as a PNG file.

    `block` may be a layer of softmax attention that the network was born with; then `primitive` is a head
    (None: the mean of all), and a position that is a whole number one of the tokens before the picture's.

    The map is the effective attention of the position, what it gives to others (`direction` "to"), or
    by `layer` the gather or distribution map of `primitive`, or the block's relative change. It is
    painted from 0 to its own peak (a nearly flat one to more, `canvas.map_top`), and the colour bar says what
    that is. `credit` ends the caption.

    Raises:
        BlockError: no such block or primitive, or the position lies outside the grid.
    """
    attended = trace.blocks.get(block) or trace.attention.get(block)
    if attended is None:
        known = ", ".join([*trace.blocks, *trace.attention])
        raise BlockError(f"The trace has no block {block!r}. It has {known}.")
    if isinstance(attended, AttentionTrace):
        shown = of_layer(trace, attended, position, direction, primitive, credit)
    elif isinstance(position, int):
        raise BlockError(f"{block} has no tokens beside the picture. Give a position (t, row, col).")
    else:
        shown = of_block(trace, attended, position, direction, layer, primitive, credit)
    return _drawn(trace, shown)


def _drawn(trace: Trace, shown: Shown) -> bytes:
    """The sheet as a PNG file."""
    frame = trace.model_input[min(shown.t, len(trace.model_input) - 1)]
    side = (WIDTH_PX - 2 * MARGIN_PX - 2 * GAP_PX) * 36 // 100
    picture = _fitted(frame, side)
    grey = np.repeat(np.rint(picture.mean(axis=2, keepdims=True)).astype(np.uint8), 3, axis=2)
    brightest = map_top(float(shown.values.max()), shown.even)
    painted = overlay(grey, shown.values[shown.t], top=brightest, colours=shown.colours, opacity=0.85)
    height, width = picture.shape[:2]
    column = max(width, NARROWEST_PX)
    bars_left = MARGIN_PX + 2 * (column + GAP_PX)
    lines = textwrap.wrap(_latin(shown.caption), width=112)

    title_px, bar_px = 52, 114
    body_px = max(height + bar_px, 60 + BARS * 58)
    total_px = MARGIN_PX + title_px + body_px + 24 + 42 * len(lines) + MARGIN_PX
    sheet = Image.new("RGB", (WIDTH_PX, total_px), "white")
    pen = ImageDraw.Draw(sheet)
    plain, small = _font(PLAIN), _font(SMALL)
    top = MARGIN_PX + title_px
    asked = "Input, and the probed cell" if shown.cell is not None else "Input"
    for left, pixels, title in [
        (MARGIN_PX, picture, asked),
        (MARGIN_PX + column + GAP_PX, painted, shown.title),
    ]:
        pen.text((left, MARGIN_PX), title, INK, font=_fitting(pen, title, column))
        sheet.paste(Image.fromarray(pixels), (left, top))
        if shown.cell is not None and (shown.on_map or left == MARGIN_PX):
            _mark(pen, shown.grid, (left, top, width, height), *shown.cell)
    _colour_bar(
        sheet,
        pen,
        (MARGIN_PX + column + GAP_PX, top + height + 14, column),
        shown.colours,
        brightest,
        shown.even or 0.0,
        shown.unit,
    )
    _bars(pen, shown, (bars_left, MARGIN_PX, WIDTH_PX - MARGIN_PX - bars_left), plain, small)
    for k, line in enumerate(lines):
        pen.text((MARGIN_PX, top + body_px + 24 + 42 * k), line, INK, font=plain)
    out = io.BytesIO()
    sheet.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def _bars(
    pen: ImageDraw.ImageDraw,
    shown: Shown,
    box: tuple[int, int, int],
    plain: ImageFont.FreeTypeFont,
    small: ImageFont.FreeTypeFont,
) -> None:
    """What is largest first, as bars with their values."""
    left, top, width = box
    full = bar_top(max(value for _, value in shown.bars))
    pen.text((left, top), shown.bars_title, INK, font=plain)
    pen.text((left + width, top), f"bars to {plain_percent(full)}", SOFT, font=small, anchor="ra")
    start, room = left + 92, width - 92 - 130
    for k, (name, value) in enumerate(shown.bars):
        y = top + 58 + 58 * k
        pen.text((left, y), name, INK, font=plain)
        pen.rectangle((start, y + 8, start + room, y + 32), (238, 238, 240))
        pen.rectangle((start, y + 8, start + round(room * value / full), y + 32), BAR)
        pen.text((left + width, y), plain_percent(value), INK, font=plain, anchor="ra")
    if shown.bars_rest:
        pen.text((left, top + 58 + 58 * len(shown.bars)), shown.bars_rest, SOFT, font=small)


def _colour_bar(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    box: tuple[int, int, int],
    colours: Colours,
    peak: float,
    even: float,
    unit: str,
) -> None:
    """From 0 to what is painted brightest, with a tick where a flat map would lie."""
    left, top, width = box
    ramp = np.repeat(colour_table(colours)[None], 22, axis=0)
    sheet.paste(Image.fromarray(ramp).resize((width, 22), Image.Resampling.BILINEAR), (left, top))
    font = _font(SMALL)
    pen.text((left, top + 30), "0", INK, font=font)
    peak_text = plain_percent(peak)
    pen.text((left + width, top + 30), peak_text, INK, font=font, anchor="ra")
    at = round(width * even / peak) if peak > 0 else 0
    taken = 0
    if 0 < at < width * 0.5:
        pen.line((left + at, top - 4, left + at, top + 28), INK, width=3)
        text = f"even {plain_percent(even)}"
        start = left + max(at, 34)
        pen.text((start, top + 30), text, INK, font=font)
        taken = start + int(pen.textlength(text, font=font)) - left
    room = width - taken - int(pen.textlength(peak_text, font=font)) - 40
    if pen.textlength(unit, font=font) < room:
        middle = left + taken + 20 + room // 2
        pen.text((middle, top + 30), unit, SOFT, font=font, anchor="ma")
    else:
        pen.text((left, top + 62), unit, SOFT, font=font)


def _mark(
    pen: ImageDraw.ImageDraw, grid: tuple[int, int], box: tuple[int, int, int, int], row: int, col: int
) -> None:
    """The outline of the probed cell, white within black."""
    left, top, width, height = box
    rows, cols = grid
    x0, x1 = left + col * width / cols, left + (col + 1) * width / cols
    y0, y1 = top + row * height / rows, top + (row + 1) * height / rows
    pen.rectangle((x0 - 5, y0 - 5, x1 + 4, y1 + 4), outline="black", width=3)
    pen.rectangle((x0 - 2, y0 - 2, x1 + 1, y1 + 1), outline="white", width=3)


def _fitted(frame: np.ndarray, side: int) -> np.ndarray:
    """The frame enlarged or shrunk to be `side` wide, or as high, whichever comes first."""
    height, width = frame.shape[:2]
    scale = min(side / width, 1.2 * side / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC))


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise BlockError("This Pillow was built without FreeType. Install Pillow from its wheel.")
    return font


def _fitting(pen: ImageDraw.ImageDraw, text: str, width: int) -> ImageFont.FreeTypeFont:
    """The plain size, or the largest below it in which `text` is no wider than `width`."""
    size = PLAIN
    while size > 16 and pen.textlength(text, font=_font(size)) > width:
        size -= 2
    return _font(size)


def _latin(text: str) -> str:
    """`text` in letters that the typeface has: accents are dropped, what is left over becomes "?"."""
    plain = unicodedata.normalize("NFKD", text.replace("×", "x").replace("’", "'").replace("–", "-"))
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return kept.encode("ascii", "replace").decode("ascii")
