"""Payloads made with NumPy alone, and a browser to show them in: no model, no server, no network.

The maps are softmaxed smooth noise, so they look like attention without being it; the numbers that
tests compare with are computed here, from the quantised arrays exactly as contract 2 defines them.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

FloatArray = np.ndarray


@dataclass(frozen=True)
class Maps:
    """One block as the browser sees it: gather and distribute (n, T, h, w), after quantisation."""

    gather: FloatArray
    distribute: FloatArray

    def rho(self, t: int, row: int, col: int) -> FloatArray:
        """ρ at one position, (n,)."""
        return self.distribute[:, t, row, col]

    def attention(self, t: int, row: int, col: int) -> FloatArray:
        """Row of VᵀB for one position, (T, h, w)."""
        n = len(self.gather)
        flat = self.distribute.reshape(n, -1).T @ self.gather.reshape(n, -1)
        _, _, h, w = self.gather.shape
        return flat[(t * h + row) * w + col].reshape(self.gather.shape[1:])


def quantise(maps: FloatArray) -> tuple[dict[str, Any], FloatArray]:
    """Contract 2's encoding of (n, T, h, w) maps, and the maps as they come out of it."""
    n = len(maps)
    scale = maps.reshape(n, -1).max(axis=1).astype(np.float64)
    whole = np.round(maps / scale[:, None, None, None] * 65535).astype("<u2")
    packed = {"data": base64.b64encode(whole.tobytes()).decode(), "scale": scale.tolist()}
    return packed, whole * (scale[:, None, None, None] / 65535)


def smooth_noise(rng: np.random.Generator, n: int, h: int, w: int, waves: int = 5) -> FloatArray:
    """(n, h, w) sums of a few random slow waves, about unit variance."""
    y, x = np.mgrid[0:h, 0:w] / max(h, w)
    total = np.zeros((n, h, w))
    for _ in range(waves):
        fy, fx = rng.normal(0, 1.6, (2, n, 1, 1))
        total += np.sin(2 * np.pi * (fy * y + fx * x + rng.random((n, 1, 1))))
    return total * np.sqrt(2 / waves)


def softmax(values: FloatArray, axis: int | tuple[int, ...]) -> FloatArray:
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def half_area(maps: FloatArray) -> list[float]:
    """How many of the largest values make half of each map."""
    return [1.0 + int((np.cumsum(-np.sort(-one.ravel())) < one.sum() / 2).sum()) for one in maps]


def block_payload(
    name: str, label: str, gather: FloatArray, distribute: FloatArray
) -> tuple[dict[str, Any], Maps]:
    """One entry of the payload's "blocks", from exact (n, T, h, w) maps."""
    packed_gather, seen_gather = quantise(gather)
    packed_distribute, seen_distribute = quantise(distribute)
    n = len(gather)
    change, _ = quantise(np.full((1, *gather.shape[1:]), 0.1))
    payload = {
        "name": name,
        "label": label,
        "n": n,
        "grid": list(gather.shape[1:]),
        "gather": packed_gather,
        "distribute": packed_distribute,
        "half": half_area(gather),
        "use": distribute.reshape(n, -1).mean(axis=1).tolist(),
        "change": change,
        "cards": [""] * n,
    }
    return payload, Maps(seen_gather, seen_distribute)


def picture_url(picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=85)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def random_block(
    rng: np.random.Generator, name: str, label: str, *, n: int, grid: tuple[int, int]
) -> tuple[dict[str, Any], Maps]:
    h, w = grid
    gather = softmax(3.0 * smooth_noise(rng, n, h, w)[:, None], axis=(1, 2, 3))
    distribute = softmax(2.5 * smooth_noise(rng, n, h, w)[:, None], axis=0)
    return block_payload(name, label, gather, distribute)


def gradient_picture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    rgb = [255 * x / width, 255 * y / height, 128 + 100 * np.sin(x / 17) * np.sin(y / 13)]
    return np.stack(rgb, axis=-1).astype(np.uint8)


def make_payload(
    *,
    size: tuple[int, int] = (448, 448),
    n: int = 64,
    strides: tuple[int, ...] = (16, 32),
    seed: int = 0,
    picture: np.ndarray | None = None,
    key: str = "synthetic",
) -> tuple[dict[str, Any], dict[str, Maps]]:
    """A whole payload and its maps by block; `size` is (height, width) of the model input."""
    height, width = size
    rng = np.random.default_rng(seed)
    blocks, maps = [], {}
    for level, stride in enumerate(strides):
        name = f"blocks.{4 + level}"
        grid = (height // stride, width // stride)
        words = ("parts", "objects", "scenes")[level]
        raw, seen = random_block(rng, name, f"{words} ({name}, {grid[0]}×{grid[1]} cells)", n=n, grid=grid)
        blocks.append(raw)
        maps[name] = seen
    shown = gradient_picture(height, width) if picture is None else picture
    return envelope(blocks, [picture_url(shown)], size, key=key), maps


def envelope(
    blocks: list[dict[str, Any]], frames: list[str], size: tuple[int, int], *, key: str = "synthetic"
) -> dict[str, Any]:
    """The payload around its blocks."""
    height, width = size
    return {
        "version": 1,
        "key": key,
        "frames": frames,
        "width_px": width,
        "height_px": height,
        "times_s": [0.04 * f for f in range(len(frames))],
        "alt": f"synthetic picture, {width} × {height} pixels",
        "blocks": blocks,
        "view": {"block": blocks[0]["name"], "probe": None, "primitive": None},
    }


def make_clip(
    *,
    frames: int = 16,
    size: tuple[int, int] = (352, 352),
    n: int = 32,
    seed: int = 0,
    joint: bool = True,
) -> tuple[dict[str, Any], Maps]:
    """A clip of one block with cells of 16 pixels: smooth noise that grows and fades over time.

    Frame f is a flat grey of 8 · f, so that a screenshot tells which one is shown.
    """
    height, width = size
    h, w = height // 16, width // 16
    rng = np.random.default_rng(seed)
    beat = np.sin(2 * np.pi * (np.arange(frames)[None] / frames + rng.random((n, 1))))[:, :, None, None]
    logits = 3.0 * smooth_noise(rng, n, h, w)[:, None] + 1.5 * beat
    drift = 2.5 * smooth_noise(rng, n, h, w)[:, None] + 1.5 * beat
    gather = softmax(logits, axis=(1, 2, 3) if joint else (2, 3))
    raw, maps = block_payload("blocks.4", "parts (blocks.4)", gather, softmax(drift, axis=0))
    if not joint:
        raw["half"] = np.mean([half_area(gather[:, t]) for t in range(frames)], axis=0).tolist()
    pictures = [picture_url(np.full((height, width, 3), 8 * f, np.uint8)) for f in range(frames)]
    return envelope([raw], pictures, size) | {"joint": joint}, maps


def one_cell_block(
    grid: tuple[int, int], cell: tuple[int, int], *, n: int = 4
) -> tuple[dict[str, Any], Maps]:
    """Every primitive gathers from `cell` alone, so every probe's attention is that cell."""
    h, w = grid
    gather = np.full((n, 1, h, w), 1e-9)
    gather[:, 0, cell[0], cell[1]] = 1 - 1e-9 * (h * w - 1)
    distribute = np.full((n, 1, h, w), 1 / n)
    return block_payload("blocks.4", "parts", gather, distribute)


# ------------------------------------------------------------------------------------ the browser

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--js-flags=--expose-gc",
    "--use-fake-device-for-media-stream=device-count=2",  # cameras that film a test picture
]
ROOT = "document.querySelector('[data-a2-root]')"


def chromium_path() -> str | None:
    """The browser to use: A2_CHROMIUM, else the first one on the path."""
    named = os.environ.get("A2_CHROMIUM")
    if named:
        return named
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


# The page forbids itself everything; the tests' own probes need eval.
OFFLINE: dict[str, Any] = {"offline": True, "bypass_csp": True}


class CanvasPage:
    """One standalone page in Chromium, opened from disk; it collects every complaint."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page, self.context = page, page.context
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.add_init_script(
            """
            window.pins = []; window.views = []; window.paints = [];
            addEventListener("a2-pin", (event) => window.pins.push(event.detail));
            addEventListener("a2-view", (event) => window.views.push(event.detail));
            addEventListener("a2-painted", (event) => window.paints.push(event.detail), true);
            """
        )
        self.page.goto(path.as_uri())
        self.settle()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def settle(self) -> dict[str, Any]:
        """Waits until everything asked for is drawn; the canvas's own account of itself."""
        self.page.wait_for_function(f"() => {ROOT}?.__canvas?.snapshot().ready")
        return self.snapshot()

    def snapshot(self) -> dict[str, Any]:
        return dict(self.page.evaluate(f"() => {ROOT}.__canvas.snapshot()"))

    def update(self, payload: dict[str, Any], view: dict[str, Any] | None = None) -> dict[str, Any]:
        """What Streamlit does when the data changes."""
        self.page.evaluate(f"([payload, view]) => {ROOT}.__canvas.update(payload, view)", [payload, view])
        return self.settle()

    def stage(self) -> dict[str, float]:
        """The picture's box on the page."""
        return dict(
            self.page.evaluate(
                "() => { const { x, y, width, height } ="
                " document.querySelector('[data-ref=stage]').getBoundingClientRect();"
                " return { x, y, width, height }; }"
            )
        )

    def spot(self, across: float, down: float) -> tuple[float, float]:
        """Page coordinates of a place in the picture, given as fractions of it."""
        box = self.stage()
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def hover(self, across: float, down: float) -> dict[str, Any]:
        self.page.mouse.move(*self.spot(across, down))
        return self.settle()

    def hover_cell(self, row: int, col: int, grid: tuple[int, int]) -> dict[str, Any]:
        return self.hover((col + 0.5) / grid[1], (row + 0.5) / grid[0])

    def pins(self) -> list[dict[str, Any]]:
        return list(self.page.evaluate("() => window.pins"))

    def wait_for_pins(self, count: int) -> list[dict[str, Any]]:
        self.page.wait_for_function("count => window.pins.length >= count", arg=count)
        return self.pins()
