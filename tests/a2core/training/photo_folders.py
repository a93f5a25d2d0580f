"""Folders of photos to train on."""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage import data


def make_photos(root):
    """root/photos/{even,odd}: eight photos of things, in turn."""
    pictures = [data.chelsea(), data.coffee(), data.astronaut(), data.rocket()]
    for index in range(8):
        folder = root / "photos" / ("even" if index % 2 == 0 else "odd")
        folder.mkdir(parents=True, exist_ok=True)
        picture = np.roll(pictures[index % 4], 40 * index, axis=1)
        Image.fromarray(picture).resize((128, 96)).save(folder / f"{index}.jpg")
    return root / "photos"
