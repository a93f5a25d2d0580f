"""What a network did with a Clip: what each double attention block attended to, and the answer.

A Trace is detached, on the CPU, float32 and read-only: whoever looks at it needs no torch and can
do it no harm. Questions about it are in `probe.py`; `Model.trace`
makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from a2core.extras import need_extra
from a2core.media import Clip
from a2core.tracing.pairs import AttentionTrace

if TYPE_CHECKING:
    from a2core.canvas.widget import CanvasWidget


@dataclass(frozen=True)
class BlockTrace:
    """What one block did; arrays are float32 and read-only. Positions are (t, row, col) in cells.

    A block attends over all frames of a clip jointly, or over each frame alone; then every frame has
    a bag of its own.
    """

    name: str  # of the module that the block stands behind
    primitives: np.ndarray  # (m, n): column i is g_i; each frame alone: (T, m, n)
    gather: np.ndarray  # (n, T, h, w): sums to 1 over T, h, w; each frame alone: over h, w
    distribute: np.ndarray  # (n, T, h, w): sums to 1 over n
    output: np.ndarray  # (m, T, h, w): Z = G V
    change: np.ndarray  # (T, h, w): |Y − X| / |X|, the block's contribution relative to its input

    @property
    def joint(self) -> bool:
        """Whether all frames were attended to jointly; False: each frame alone."""
        return self.primitives.ndim == 2

    @property
    def m(self) -> int:
        """Length of each primitive."""
        return self.primitives.shape[-2]

    @property
    def n(self) -> int:
        """Number of primitives."""
        return self.primitives.shape[-1]

    def bag(self, t: int) -> np.ndarray:
        """The primitives that frame `t` is handed, (m, n)."""
        return self.primitives if self.joint else self.primitives[t]

    @property
    def grid(self) -> tuple[int, int, int]:
        """(T, h, w), in cells."""
        t, h, w = self.gather.shape[1:]
        return t, h, w


@dataclass(frozen=True)
class Trace:
    """A Clip, what the network saw of it, what each block did, and the network's answer."""

    clip: Clip
    model_input: np.ndarray  # (T, Hm, Wm, 3) uint8, exactly what the network saw
    blocks: dict[str, BlockTrace]  # by module name, in network order; its second run as NAME#2, and so on
    top: list[tuple[str, float]]  # class names and probabilities (mean over frames), best first
    checkpoint: str
    trained: bool  # False: whoever made the blocks says that their weights are random
    device: str  # "cuda", "mps" or "cpu"
    elapsed_s: float
    # The layers of softmax attention that the network was born with, of a picture, in network order.
    attention: Mapping[str, AttentionTrace] = field(default_factory=dict)
    born_trained: bool = True  # False: whoever made the network says that its own weights are random
    notes: tuple[str, ...] = ()  # what to know of the network: how it takes pictures, what it does not show
    engine: str = "torch"  # or "onnxruntime": what ran the network

    def to_html(
        self,
        *,
        title: str = "",
        alt: str = "",
        card: Mapping[str, Any] | None = None,
        view: Mapping[str, Any] | None = None,
        language: str = "en",
    ) -> str:
        """One HTML page that answers every hover by itself, offline.

        Args:
            title: above the picture; the file's name when left out.
            alt: what the picture shows, in words, for those who cannot see it.
            card: the checkpoint's, `Model.card`, for what its blocks and primitives are called.
            view: what is shown first, as `a2core.canvas.standalone_html` takes it.
            language: "en", or "zh" for Chinese.
        """
        # What looks at a trace stands below it.
        from a2core.canvas import canvas_payload, standalone_html, with_fitting_layers

        name = title or self.clip.name
        payload = canvas_payload(
            self, card or {}, key=self.checkpoint, alt=alt or name or "the picture", layers=()
        )
        payload = with_fitting_layers(payload, self, str((view or {}).get("block", "")))
        return standalone_html(payload, view=view, title=name, language=language)

    def widget(
        self, *, card: Mapping[str, Any] | None = None, language: str = "en", **traits: Any
    ) -> CanvasWidget:
        """The canvas as a widget of a notebook, whose traits are what is looked at, in both directions.

        Args:
            card: as of `to_html`.
            language: as of `to_html`.
            **traits: as they stand first: block, probe, primitive, pins, settings (`canvas.widget`).

        Raises:
            MissingExtraError: anywidget is not installed.
        """
        from a2core.canvas.notebook import widget_of

        need_extra("notebook", "A widget")
        return widget_of(self, card, traits, language)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """In a notebook a trace shows itself: as a widget, or as the page that works offline."""
        from a2core.canvas.notebook import mime_bundle

        del include, exclude
        return mime_bundle(self)

    def _repr_html_(self) -> str:
        """Where a front end knows no bundles, marimo for one."""
        from a2core.canvas.notebook import framed_page

        return framed_page(self)
