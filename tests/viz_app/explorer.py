"""Explore without a browser: files to bring, and what is on the page."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from viz_app.server import traces
from viz_app.ui.state import Key, Probe

APP = Path(__file__).resolve().parents[2] / "viz_app" / "app.py"
TIMEOUT_S = 60


def gif(count: int = 12, size: tuple[int, int] = (96, 64)) -> bytes:
    """Frames of noise, a tenth of a second each."""
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)) for _ in range(count)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def png(color: tuple[int, int, int], size: tuple[int, int] = (320, 200)) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((size[1], size[0], 3), color, np.uint8)).save(out, "PNG")
    return out.getvalue()


def open_explore() -> AppTest:
    """The app with Explore drawn for somebody who has scrolled to its charts."""
    app = AppTest.from_file(APP, default_timeout=TIMEOUT_S)
    app.session_state[Key.CHARTS] = True
    return app.run()


def drop(app: AppTest, name: str, data: bytes) -> AppTest:
    app.file_uploader[0].set_value((name, data, "application/octet-stream"))
    return app.run()


def shown(app: AppTest) -> traces.Shown:
    return app.session_state[Key.SHOWN]


def messages(app: AppTest) -> list[str]:
    assert not app.exception
    return [re.sub(r"\\(.)", r"\1", error.value) for error in app.error]  # as Markdown shows them


def report(app: AppTest, probe: Probe, **settings: object) -> AppTest:
    """What the browser sends when `probe` is pinned."""
    _, view = app.session_state[Key.VIEW]
    told = dataclasses.asdict(probe) | {"view": settings}
    told |= {"identity": shown(app).key, "revision": view["revision"]}
    app.session_state[Key.CANVAS] = {"probe": told}
    return app.run()


def page_html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))
