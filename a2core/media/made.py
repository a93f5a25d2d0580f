"""A clip made from two photos on the spot: something to try moving pictures on where nobody filmed."""

from __future__ import annotations

import numpy as np

from a2core.media.clip import Clip

_LARGEST_ZOOM = 1.35
_WINDOW = 0.78  # of the scene's width: the rest is what the camera pans over
_THING = 0.42  # of the frame's height


def made_clip(
    scene: np.ndarray,
    thing: np.ndarray,
    *,
    frames: int = 16,
    seconds: float = 4.0,
    size: tuple[int, int] = (288, 512),
    name: str = "made clip",
) -> Clip:
    """The camera pans over and zooms into `scene` while `thing`, cut out round, crosses it.

    Args:
        scene: (H, W, 3) uint8 RGB.
        thing: (h, w, 3) uint8 RGB; the largest circle in its middle moves from left to right.
        frames: T, at least 2.
        seconds: from the first frame to the last.
        size: (height, width) of the frames.
        name: of the clip.

    Returns:
        A Clip of kind "video" whose notes say that it was made.
    """
    import cv2

    height, width = size
    side = max(2, round(_THING * height))
    smaller = min(thing.shape[:2])
    top, left = (thing.shape[0] - smaller) // 2, (thing.shape[1] - smaller) // 2
    cut = thing[top : top + smaller, left : left + smaller]
    sprite = cv2.resize(np.ascontiguousarray(cut), (side, side), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[0:side, 0:side] + 0.5 - side / 2
    cover = np.clip(side / 2 - np.hypot(y, x), 0, 2)[..., None] / 2  # a soft edge of two pixels
    out = np.stack(
        [_crossed(_seen(scene, at, height, width), sprite, cover, at) for at in np.linspace(0.0, 1.0, frames)]
    )
    out.flags.writeable = False
    times = np.linspace(0.0, seconds, frames)
    times.flags.writeable = False
    note = "This clip was made, not filmed: a photo panned over and zoomed into, with another crossing it."
    return Clip(out, times, "video", name, (note,))


def _seen(scene: np.ndarray, at: float, height: int, width: int) -> np.ndarray:
    """What the camera sees of the scene at `at`, 0 to 1."""
    import cv2

    rows, cols = scene.shape[:2]
    window = min(_WINDOW * cols, rows * width / height) / (1 + (_LARGEST_ZOOM - 1) * at)
    scale = window / width  # pixels of the scene to a pixel of the frame
    left = at * (cols - window)
    top = (rows - scale * height) / 2
    back = np.array([[scale, 0, left + scale / 2 - 0.5], [0, scale, top + scale / 2 - 0.5]])
    return cv2.warpAffine(
        scene,
        back,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def _crossed(frame: np.ndarray, sprite: np.ndarray, cover: np.ndarray, at: float) -> np.ndarray:
    """The frame with the sprite on its way across, on an arc."""
    height, width = frame.shape[:2]
    side = len(sprite)
    left = round(at * (width - side))
    top = round((height - side) * (0.75 - 0.5 * np.sin(np.pi * at)))
    place = frame[top : top + side, left : left + side]
    place[...] = np.rint(place + (sprite.astype(np.float32) - place) * cover).astype(np.uint8)
    return frame
