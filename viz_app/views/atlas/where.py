"""What the address says of the Primitives page, which is all that it hangs on: links and the back button."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from a2core import Atlas

ATLAS, BLOCK, PRIMITIVE, PHOTO = "atlas", "block", "primitive", "photo"
SORT, WORDS, VIEW, MORE = "sort", "words", "view", "more"
_OF_ALL = (ATLAS, BLOCK, SORT, WORDS, VIEW)


def block_of(atlas: Atlas) -> str:
    """The block that is asked for; the first, where it is none of the atlas's."""
    asked = st.query_params.get(BLOCK, "")
    return asked if asked in atlas.blocks else next(iter(atlas.blocks))


def number(name: str, count: int) -> int | None:
    """The number below `count` that the address gives for `name`; None where it is none."""
    asked = st.query_params.get(name, "")
    fits = asked.isascii() and asked.isdecimal() and len(asked) < 10 and int(asked) < count
    return int(asked) if fits else None


def choice(name: str, choices: Mapping[str, str]) -> str:
    """Which of `choices` the address gives for `name`, the first where it is none."""
    asked = st.query_params.get(name, "")
    return asked if asked in choices else next(iter(choices))


def go(**changes: str | None) -> None:
    """Change what is asked for; None takes it away. What belongs to one primitive goes with it."""
    now = dict(st.query_params)
    if PRIMITIVE in changes:
        now = {name: now[name] for name in _OF_ALL if name in now}
    now |= {name: value for name, value in changes.items() if value}
    st.query_params.from_dict({name: value for name, value in now.items() if changes.get(name, value)})


def follow(name: str, key: str) -> None:
    """Have the address say what a control, under `key`, was set to."""
    go(**{name: str(st.session_state[key] or "")})
