"""Exemplars of a primitive as HTML, for every page that shows some; pure."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Sequence

from a2core import Exemplar


def exemplars_html(exemplars: Sequence[Exemplar], path_of: Callable[[int], str]) -> str:
    """A list of crops with the file's name under each; of a picture without a crop its name alone."""
    items = []
    for one in exemplars:
        path = html.escape(path_of(one.photo))
        picture = f'<img src="{data_url(one.crop)}" alt="" loading="lazy">' if one.crop else ""
        figure = f"{picture}<figcaption>{path}</figcaption>"
        items.append(f'<figure role="listitem" title="{path}: {one.value:.3f}">{figure}</figure>')
    return f'<div class="a2-exemplars" role="list">{"".join(items)}</div>'


def data_url(crop: bytes) -> str:
    """A crop as a data URL."""
    return "data:image/webp;base64," + base64.b64encode(crop).decode()
