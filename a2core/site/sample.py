"""The picture that the site opens on, traced when it is built."""

from __future__ import annotations

import base64
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from a2core.canvas import canvas_payload, data_url
from a2core.errors import A2Error
from a2core.media import Clip, read_media
from a2core.tracing.model import Model
from a2core.tracing.model_input import input_shape, resize_frames

SIZE_PX, QUALITY = 448, 92
KEY = "sample"
_PHOTO, _TITLE, _ALT = "chelsea.png", "Cat", "The face of a tabby cat, close up"
_CREDIT = "Chelsea. Photo: Stéfan van der Walt, CC0"
_SPOT = (0.36, 0.36)  # as in the app: (x, y), fractions of the picture


@dataclass(frozen=True)
class Sample:
    """What the page opens on: the canvas's payload, the answer, and where the probe stands."""

    title: str
    credit: str
    payload: dict[str, Any]
    top: list[dict[str, Any]]
    view: dict[str, Any]
    clip: Clip  # as the page shows it

    @property
    def picture(self) -> bytes:
        """The file of the picture that the page shows, WebP."""
        return _bytes_of(self.payload["frames"][0])


def sample_of(model: Model, photo: Path | None = None, credit: str = "") -> Sample:
    """The photo, or the cat of scikit-image, traced.

    What is traced is the picture as the page shows it, packed and unpacked again, so that an experiment in
    the browser starts from the same pixels.

    Raises:
        A2Error: there is no photo, or it cannot be read.
    """
    title, alt = (_TITLE, _ALT) if photo is None else (photo.stem, photo.stem)
    spot = _SPOT if photo is None else (0.5, 0.5)
    frame = read_media(photo or _from_scikit_image(), max_frames=1).frames[0]
    height, width = frame.shape[:2]
    shape = input_shape(height, width, SIZE_PX, model.input)
    shown = data_url(resize_frames(frame[None], shape, model.input.interpolation)[0], quality=QUALITY)
    clip = Clip(_unpacked(shown)[None], np.zeros(1), "image", title, ())
    trace = model.trace(clip, size=max(shape))
    payload = canvas_payload(trace, model.card, key=KEY, alt=alt) | {"frames": [shown]}
    _, rows, cols = next(iter(trace.blocks.values())).grid
    top = [{"label": label, "share": share} for label, share in trace.top]
    view = {"probe": [0, int(spot[1] * rows), int(spot[0] * cols)]}
    return Sample(title, _CREDIT if photo is None else credit, payload, top, view, clip)


def _bytes_of(address: str) -> bytes:
    return base64.b64decode(address.partition(",")[2])


def _unpacked(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(_bytes_of(address))).convert("RGB"))


def _from_scikit_image() -> Path:
    found = importlib.util.find_spec("skimage")
    path = Path(found.origin).parent / "data" / _PHOTO if found is not None and found.origin else None
    if path is None or not path.is_file():
        raise A2Error(
            "The photo that the site opens on comes with scikit-image, which is not installed. Run pip "
            "install scikit-image, or name another with --photo."
        )
    return path
