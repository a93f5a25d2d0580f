"""Exemplars of a primitive, for every page that shows some; pure."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence

from a2core import Exemplar, Photo

LICENCES = {
    "CC0 1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY 2.0": "https://creativecommons.org/licenses/by/2.0/",
}


def exemplars_html(exemplars: Sequence[Exemplar], photos: Mapping[int, Photo]) -> str:
    """A list of crops, under each whose it is or its file's name; without a crop that alone."""
    items = []
    for one in exemplars:
        photo = photos[one.photo]
        picture = f'<img src="{data_url(one.crop)}" alt="">' if one.crop else ""
        figure = f"{picture}<figcaption>{html.escape(title(photo))}</figcaption>"
        items.append(f'<figure role="listitem" title="{html.escape(hint(one, photo))}">{figure}</figure>')
    return f'<div class="a2-exemplars" role="list">{"".join(items)}</div>'


def place(photo: Photo) -> str:
    """Where a picture lay, for people; of a path from the root its last parts: the rest is the owner's."""
    path = photo.path.replace("\\", "/")
    return "/".join(path.split("/")[-2:]) if path.startswith("/") or path[1:3] == ":/" else photo.path


def title(photo: Photo) -> str:
    """What stands under a crop: who made the picture, where that is known; else its file."""
    return photo.author or place(photo).rpartition("/")[2]


def hint(exemplar: Exemplar, photo: Photo) -> str:
    """What a hover over a crop says."""
    return "; ".join(filter(None, [f"{place(photo)}: {exemplar.value:.3f}", credit(photo)]))


def credit(photo: Photo) -> str:
    """Whose the picture is, and under which licence; "" where nothing is known. That it was cut is said."""
    if not photo.licence:
        return ""
    author = photo.author or "somebody unnamed"
    return f"Photo by {author}, {photo.licence}, cropped and made smaller. {photo.link}".strip()


def credit_html(photo: Photo) -> str:
    """The same, with links to the picture and its licence."""
    if not photo.licence:
        return ""
    author = html.escape(photo.author or "somebody unnamed")
    if photo.link.startswith(("http://", "https://")):
        author = f'<a href="{html.escape(photo.link)}" target="_blank" rel="noopener">{author}</a>'
    licence = html.escape(photo.licence)
    if photo.licence in LICENCES:
        licence = f'<a href="{LICENCES[photo.licence]}" target="_blank" rel="noopener">{licence}</a>'
    return f"<p>Photo by {author}, {licence}, made smaller; crops of it are cut.</p>"


def data_url(crop: bytes) -> str:
    """A WebP as a data URL."""
    return "data:image/webp;base64," + base64.b64encode(crop).decode()
