"""Draws docs/trained_and_random.jpg: `python docs/figures.py [checkpoint]`, from the repository root.

The same photos and the same probes through the trained checkpoint and through the same network with
random blocks: effective attention at the probe, then the gather maps of the primitives that the
probe receives most of. Every map is stretched to its own range, as the app's "relative" scale does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import a2core

TILE_PX, GAP_PX, LEFT_PX, TOP_PX, MAPS = 168, 6, 96, 34, 5
PROBES = {"chelsea": (0.37, 0.39), "coffee": (0.47, 0.35), "astronaut": (0.43, 0.18)}  # (x, y) shares


def overlay(picture: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The picture, greyed, under a map stretched to its own range."""
    height, width = picture.shape[:2]
    stretched = (values - values.min()) / max(float(np.ptp(values)), 1e-12)
    up = cv2.resize(stretched.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap((up * 255).clip(0, 255).astype(np.uint8), cv2.COLORMAP_MAGMA)[..., ::-1]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return (0.3 * grey + 0.7 * colours).astype(np.uint8)


def row(model: a2core.Model, name: str, block_name: str) -> list[np.ndarray]:
    """Picture with its probe, effective attention, and the gather maps it receives most of."""
    trace = model.trace(a2core.Clip(getattr(data, name)()[None], np.zeros(1), "image", name, ()))
    block, picture = trace.blocks[block_name], trace.model_input[0]
    height, width = picture.shape[:2]
    x, y = PROBES[name]
    position = (0, *a2core.cell_of_pixel(block, trace.model_input.shape, x * width, y * height))
    order = a2core.rank_primitives(block, position)[:MAPS]
    maps = [a2core.effective_attention(block, position)[0]] + [block.gather[i, 0] for i in order]
    marked = picture.copy()
    cv2.circle(marked, (int(x * width), int(y * height)), 12, (255, 255, 255), 4)
    size = (TILE_PX, round(TILE_PX * height / width))
    return [
        cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
        for tile in [marked, *(overlay(picture, m) for m in maps)]
    ]


def main(checkpoint: str = "a2-lite0") -> None:
    """Draw and write the figure."""
    models = {"trained": a2core.load_model(checkpoint), "random": a2core.untrained_model(checkpoint)}
    rows = [
        (f"{block}\n{kind}", row(model, name, block))
        for name in PROBES
        for block in ("blocks.4", "blocks.5")
        for kind, model in models.items()
    ]
    heights = [tiles[0].shape[0] + GAP_PX for _, tiles in rows]
    width = LEFT_PX + (MAPS + 2) * (TILE_PX + GAP_PX)
    sheet = Image.new("RGB", (width, TOP_PX + sum(heights)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=17)
    for column, title in enumerate(["probe", "gathered from", *(f"gather map {k + 1}" for k in range(MAPS))]):
        draw.text((LEFT_PX + column * (TILE_PX + GAP_PX), 8), title, "black", font)
    top = TOP_PX
    for (title, tiles), height in zip(rows, heights, strict=True):
        draw.text((10, top + height // 2 - 20), title, "black", font)
        for column, tile in enumerate(tiles):
            sheet.paste(Image.fromarray(tile), (LEFT_PX + column * (TILE_PX + GAP_PX), top))
        top += height
    sheet.save(Path(__file__).with_name("trained_and_random.jpg"), quality=86)


if __name__ == "__main__":
    main(*sys.argv[1:])
