"""Exemplars of a primitive, for every page that shows some; pure."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence

from a2core import Exemplar, Photo
from a2core.canvas import percent
from viz_app.ui import language, text
from viz_app.ui.numbers import signed


def exemplars_html(exemplars: Sequence[Exemplar], photos: Mapping[int, Photo]) -> str:
    """A list of crops, under each whose it is or its file's name; without a crop that alone."""
    items = []
    for one in exemplars:
        photo = photos[one.photo]
        picture = f'<img src="{data_url(one.crop)}" alt="">' if one.crop else ""
        figure = f"{picture}<figcaption>{html.escape(photo.title)}</figcaption>"
        items.append(f'<figure role="listitem" title="{html.escape(hint(one, photo))}">{figure}</figure>')
    return f'<div class="a2-exemplars" role="list">{"".join(items)}</div>'


def hint(exemplar: Exemplar, photo: Photo) -> str:
    """What a hover over a crop says."""
    return "; ".join(filter(None, [f"{photo.shown_path}: {value(exemplar)}", language.told(photo.credit)]))


def value(exemplar: Exemplar) -> str:
    """By what it stands among the exemplars of its order: an effect on a logit, or a share of ρ."""
    return signed(exemplar.value) if exemplar.order in ("effect", "idle") else percent(exemplar.value)


def credit_html(photo: Photo) -> str:
    """Whose the picture is and under which licence, with links to both; "" where nothing is known."""
    if not photo.licence:
        return ""
    author = html.escape(photo.author or text.SOMEBODY)
    if link := photo.web_link:
        author = f'<a href="{html.escape(link)}" target="_blank" rel="noopener">{author}</a>'
    licence = html.escape(photo.licence)
    if link := photo.licence_link:
        licence = f'<a href="{link}" target="_blank" rel="noopener">{licence}</a>'
    return f"<p>{text.credit(author, licence)}</p>"


def data_url(crop: bytes) -> str:
    """A WebP as a data URL."""
    return "data:image/webp;base64," + base64.b64encode(crop).decode()
