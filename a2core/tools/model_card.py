"""A model card in Markdown, of a checkpoint's JSON card: what Hugging Face's Hub shows of a repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from a2core.card import Card
from a2core.version import __version__

_HEAD = """---
license: apache-2.0
library_name: a2nets
pipeline_tag: image-classification
tags: [double-attention, a2-nets, interpretability]
---
"""


def model_card(card: Card) -> str:
    """The card as Markdown with the Hub's metadata: how to use it, what it is, how it was trained, measures.

    Nothing is rounded or left out but what each primitive is used for; values that a card's author wrote
    stand as text, never as markup.
    """
    entries = card.entries
    name = str(entries.get("name", "checkpoint"))
    parts = [_HEAD, f"# {_plain(name)}\n"]
    if not card.trained:
        parts.append("**Random weights.** The blocks were never trained: their maps mean nothing.\n")
    parts += [
        "Double attention blocks ([A²-Nets](https://arxiv.org/abs/1810.11579), Chen et al., NeurIPS 2018) in "
        f"`{_code(card.backbone)}`. Not official weights: the authors published none.\n",
        '```python\nimport a2core\n\nmodel = a2core.from_pretrained("FOLDER or REPOSITORY")\n'
        'trace = model.trace(a2core.read_media("photo.jpg"))\n```\n',
        "## Blocks\n",
        _table(card.architecture["blocks"]),
    ]
    for key, title in (("trained", "Training"), ("limits", "Limits"), ("metrics", "Measures")):
        if entries.get(key):
            parts += [f"## {title}\n", "\n".join(_listed(entries[key])) + "\n"]
    sha = str(entries.get("sha256", ""))
    parts.append(f"Written by a2nets {__version__} from the JSON card beside it; sha256 `{_code(sha)}`.\n")
    return "\n".join(parts)


def _table(blocks: Mapping[str, Mapping[str, Any]]) -> str:
    """The blocks' settings, a row for each."""
    columns = list(dict.fromkeys(key for settings in blocks.values() for key in settings))
    rows = [["block", *map(_plain, columns)], ["---"] * (len(columns) + 1)]
    rows += [[_plain(name), *(_plain(told.get(key, "")) for key in columns)] for name, told in blocks.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _listed(value: Any, depth: int = 0) -> Iterator[str]:
    """A nested value as list items."""
    indent = "  " * depth
    if not isinstance(value, Mapping):
        yield f"{indent}{_plain(value)}"
        return
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield f"{indent}- {_plain(key)}:"
            yield from _listed(inner, depth + 1)
        else:
            yield f"{indent}- {_plain(key)}: {_plain(inner)}"


def _plain(value: Any) -> str:
    """A value of the card as one line of text that Markdown takes for nothing else."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return re.sub(r"([\\`*<>\[\]|#~&]|(?<!\w)_|_(?!\w))", r"\\\1", text)


def _code(value: Any) -> str:
    """The same between backticks, where a backslash is one."""
    return " ".join(str(value).replace("`", "").split())
