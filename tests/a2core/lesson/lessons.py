"""A lesson made of random numbers, a choice in it, and the figures of a page read back."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np

from a2core import Lesson
from a2core.lesson.steps.screen import Choice
from tests.conftest import softmax

CHOICE = Choice(position=(0, 1, 3), primitive=6, channel=4, a_channel=3, temperature=1.0, reached=13, terms=2)


def made_up_lesson(grid: tuple[int, int, int] = (1, 6, 9), *, c: int = 11, m: int = 5, n: int = 7) -> Lesson:
    """A lesson that satisfies the equations, of random features and weights, in float32."""
    rng = np.random.default_rng(4)
    count = int(np.prod(grid))
    x = rng.normal(size=(c, count)).astype(np.float32)
    weights = {
        name: rng.normal(size=shape).astype(np.float32)
        for name, shape in {"phi": (m, c), "theta": (n, c), "rho": (n, c), "expand": (c, m)}.items()
    }
    biases = {name: rng.normal(size=len(weight)).astype(np.float32) for name, weight in weights.items()}
    phi, theta_logits, rho_logits = (
        weights[name] @ x + biases[name][:, None] for name in ("phi", "theta", "rho")
    )
    gather, distribute = softmax(theta_logits, 1), softmax(rho_logits, 0)
    bag = phi @ gather.T
    output = bag @ distribute
    maps = {
        "features": x, "normed": x, "phi": phi, "theta_logits": theta_logits, "rho_logits": rho_logits,
        "gather": gather, "distribute": distribute, "output": output,
        "added": weights["expand"] @ output + biases["expand"][:, None],
    }  # fmt: skip
    return Lesson(
        name="blocks.4",
        primitives=bag,
        **{name: value.reshape(len(value), *grid) for name, value in maps.items()},
        **{f"{name}_weight": weight for name, weight in weights.items()},
        **{f"{name}_bias": bias for name, bias in biases.items()},
    )


class Figures(HTMLParser):
    """Every <data data-what> of a page, and the text that stands outside of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.rest = ""
        self.what = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "data":
            self.what = dict(attrs)["data-what"]

    def handle_endtag(self, tag):
        if tag == "data":
            self.what = ""

    def handle_data(self, data):
        if self.what:
            self.found.append((self.what, data))
        else:
            self.rest += data
