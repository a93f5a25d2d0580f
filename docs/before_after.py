"""Draws docs/before_after.jpg: `python docs/before_after.py diverse/val [BEFORE]`, from the repository root.

The app's samples, then ten photos that nothing here was trained on, of a folder with a `labels.csv`: where
the marked cell gathers from with blocks before any training, and with the shipped ones, at both blocks; and
what the network answers, plain and with its blocks (and with those of another checkpoint, BEFORE). Photos in
their own size, the samples at 448 pixels. Every map is stretched to its own range, as the app's "relative"
scale does. Whose the photos are is written beside it, into docs/before_after_credits.md.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from figures import overlay
from PIL import Image, ImageDraw, ImageFont
from skimage import data

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import a2core

CHECKPOINT = "a2-lite0"
BLOCKS = ("blocks.4", "blocks.5")
SAMPLE_PX, PHOTO_PX = 448, 256
TILE_PX, GAP_PX, TOP_PX, WORDS_PX = 118, 5, 44, 250
# Where the probe is, as (x, y) shares. The photos are ten of the first forty, in an order by seed 0, of the
# half of diverse/val that no recipe was chosen by: ten kinds of things with nobody in sight, chosen before
# their maps were seen.
SAMPLES = {
    "chelsea.png": (0.36, 0.36),
    "coffee.png": (0.50, 0.35),
    "astronaut.png": (0.43, 0.20),
    "rocket.jpg": (0.50, 0.40),
    "camera.png": (0.45, 0.25),
    "hubble_deep_field.jpg": (0.50, 0.50),
}
PHOTOS = {
    "00743.jpg": (0.85, 0.75),
    "00191.jpg": (0.50, 0.50),
    "00859.jpg": (0.38, 0.70),
    "00410.jpg": (0.08, 0.65),
    "00836.jpg": (0.65, 0.20),
    "00116.jpg": (0.25, 0.50),
    "00211.jpg": (0.60, 0.25),
    "00811.jpg": (0.70, 0.45),
    "00591.jpg": (0.35, 0.55),
    "00057.jpg": (0.45, 0.60),
}


class Shown(NamedTuple):
    """One row: tiles (h, TILE_PX, 3), and what is said beside them."""

    tiles: list[np.ndarray]
    words: str


def plain_of(name: str) -> a2core.Model:
    """The network as it is without its blocks: they hand out nothing."""
    model = a2core.load_model(name, device="cpu")
    for block in model.blocks.values():
        block.hand_out_nothing()
    return model


def row(
    path: Path, spot: tuple[float, float], side_px: int, looked: tuple[a2core.Model, ...], answers: dict
) -> Shown:
    """The picture with its probe, and from where it is gathered, block by block, by each of `looked`."""
    clip = a2core.read_media(path, max_side_px=1024)
    traces = [model.trace(clip, size=side_px) for model in looked]
    picture = traces[0].model_input[0]
    height, width = picture.shape[:2]
    marked, (x, y) = picture.copy(), spot
    at = (int(x * width), int(y * height))
    cv2.circle(marked, at, side_px // 36, (255, 255, 255), side_px // 110)
    tiles = [marked]
    for name in BLOCKS:
        for trace in traces:
            block = trace.blocks[name]
            cell = (0, *a2core.cell_of_pixel(block, trace.model_input.shape, x * width, y * height))
            tiles.append(overlay(picture, a2core.effective_attention(block, cell)[0]))
    said = []
    for who, model in answers.items():
        label, share = model.trace(clip, size=side_px).top[0]
        said.append(f"{who}: {label} {share:.0%}".replace("%", " %"))
    size = (TILE_PX, round(TILE_PX * height / width))
    return Shown([cv2.resize(t, size, interpolation=cv2.INTER_AREA) for t in tiles], "\n".join(said))


def drawn(rows: list[Shown]) -> Image.Image:
    """The rows, one below the other, under what their columns are."""
    heights = [shown.tiles[0].shape[0] + GAP_PX for shown in rows]
    width = len(rows[0].tiles) * (TILE_PX + GAP_PX) + WORDS_PX
    sheet = Image.new("RGB", (width, TOP_PX + sum(heights)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    heads = ["probe", *(f"{block}\n{what}" for block in BLOCKS for what in ("before training", "trained"))]
    for column, head in enumerate([*heads, "the answer"]):
        draw.text((column * (TILE_PX + GAP_PX) + 4, 4), head, "black", font)
    top = TOP_PX
    for shown, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(shown.tiles):
            sheet.paste(Image.fromarray(tile), (column * (TILE_PX + GAP_PX), top))
        draw.text((len(shown.tiles) * (TILE_PX + GAP_PX) + 4, top), shown.words, "black", font, spacing=3)
        top += height
    return sheet


def main(folder: str, before: str | None = None) -> None:
    """Draw and write the figure."""
    shipped = a2core.load_model(CHECKPOINT, device="cpu")
    looked = (a2core.untrained_model(CHECKPOINT, device="cpu"), shipped)
    answers = {"plain": plain_of(CHECKPOINT)}
    if before is not None:
        answers["blocks of before"] = a2core.load_model(before, device="cpu")
    answers["its blocks"] = shipped
    samples = [(Path(data.data_dir) / name, spot, SAMPLE_PX) for name, spot in SAMPLES.items()]
    photos = [(Path(folder) / name, spot, PHOTO_PX) for name, spot in PHOTOS.items()]
    rows = [row(*of, looked, answers) for of in samples + photos]
    drawn(rows).save(Path(__file__).with_name("before_after.jpg"), quality=82)
    with (Path(folder) / "labels.csv").open(encoding="utf-8", newline="") as file:
        of = {entry["file"]: entry for entry in csv.DictReader(file)}
    lines = ["1. {author}, <{url}>, <{licence}>".format(**of[name]) for name in PHOTOS]
    text = "The ten photos of [before_after.jpg](before_after.jpg), from the top, cropped and made smaller:"
    target = Path(__file__).with_name("before_after_credits.md")
    target.write_text("\n".join([text, "", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
