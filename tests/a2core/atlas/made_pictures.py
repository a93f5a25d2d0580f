"""A folder of small real and made-up pictures, and the atlas that tests share.

Photos of one's own in their place, at 224 pixels and with 64 exemplars (docs/atlas.md):

    A2_ATLAS_PHOTOS=FOLDER python -m pytest tests/a2core/atlas/test_{numbers,exemplars}.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image
from skimage import data

PHOTOS = os.environ.get("A2_ATLAS_PHOTOS", "")
SIZE, EXEMPLARS = (224, 64) if PHOTOS else (96, 4)
SETTINGS: dict[str, Any] = {
    "size": SIZE,
    "device": "cpu",
    "workers": 0,
    "exemplars": EXEMPLARS,
    "part_items": 5,
}


def made_up(seed: int, width: int = 150, height: int = 100) -> Image.Image:
    """Smooth colours with a few discs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    frame = np.stack([x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) for _ in range(3)], axis=-1) + 128
    for _ in range(6):
        cx, cy, radius = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(8, 40)
        frame[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = rng.uniform(0, 255, 3)
    return Image.fromarray(frame.clip(0, 255).astype(np.uint8))


def make_pictures(folder: Path) -> Path:
    """Twelve pictures of several shapes in two folders and beside them."""
    for name in ("animals", "things/deep"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, where in (
        ("chelsea", "animals"),
        ("astronaut", "animals"),
        ("coffee", "things"),
        ("rocket", ""),
    ):
        picture = Image.fromarray(getattr(data, name)())
        picture.thumbnail((300, 300))
        picture.save(folder / where / f"{name}.jpg", quality=95)
    for seed in range(6):
        made_up(seed).save(folder / ("things/deep" if seed % 2 else "animals") / f"made {seed}.png")
    made_up(7, 60, 170).save(folder / "upright.png")
    Image.fromarray(data.camera()[::2, ::3]).save(folder / "grey.png")
    return folder


def tables(atlas: Path) -> dict[str, Any]:
    """The content of all tables."""
    return {path.stem: pq.read_table(path) for path in sorted(atlas.glob("*.parquet"))}


def assert_same(one: Path, other: Path) -> None:
    """Two atlases hold the same tables, bit for bit."""
    ours, theirs = tables(one), tables(other)
    assert set(ours) == set(theirs) == {"photos", "uses", "exemplars", "primitives"}
    for name, table in ours.items():
        left, right = (
            each.drop_columns(["source"]) if name == "photos" else each for each in (table, theirs[name])
        )
        assert left.equals(right), name
