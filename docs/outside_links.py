"""A hook of mkdocs: a link to what is in the repository and not on the site becomes its path.

The site is built for any address and knows none of the repository's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?!https?:|#)[^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page with such links as words, their path beside them."""
    folder = (DOCS / page.file.src_uri).parent

    def told(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        if target.is_relative_to(DOCS) and target.is_file() and target.suffix != ".py":
            return link[0]
        path = target.relative_to(DOCS.parent).as_posix()
        return f"`{path}`" if path.endswith(link[1].strip("`")) else f"{link[1]} (`{path}`)"

    return LINK.sub(told, markdown)
