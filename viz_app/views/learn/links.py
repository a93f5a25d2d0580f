"""Links to a step of the lesson: opened, gone back to, written."""

from __future__ import annotations

from typing import Any

import streamlit as st

from a2core.lesson.steps import STEPS, Choice
from viz_app.server.traces import Shown
from viz_app.ui import address
from viz_app.ui.selection import parameters_of
from viz_app.ui.shell import open_at
from viz_app.ui.state import Key as AppKey
from viz_app.ui.state import Probe, came_by_history, language_parameter, presenting
from viz_app.views.learn.state import Key

STEP_PARAM = "step"
OWN_PARAMS = (STEP_PARAM, address.PRESENT)


def open_link() -> list[str]:
    """Where a visit begins with a link to a step: have its picture and its pixel; what could not be had."""
    asked = address.without_language(st.query_params.to_dict())
    if AppKey.SHOWN in st.session_state or address.PICTURE not in asked:
        return []
    remarks = open_at(asked)
    if explore := st.session_state.get(AppKey.ADDRESS):
        st.session_state[AppKey.ADDRESS] = {name: explore[name] for name in explore if name not in OWN_PARAMS}
    return remarks


def read_address() -> bool:
    """Take the step from an address that was opened or gone back to; whether it was gone back to."""
    if Key.STEP in st.session_state and not came_by_history():
        return False
    asked = st.query_params.get(STEP_PARAM, "")
    st.session_state[Key.STEP] = int(asked) if asked in {str(k + 1) for k in range(len(STEPS))} else 1
    return came_by_history()


def move_back(shown: Shown, block: str, moved: dict[str, Any]) -> None:
    """The cell and the primitive of the address that was gone back to, if it is about this picture."""
    link = st.query_params.to_dict()
    if link.get(address.PICTURE) != shown.picture.id or link.get(address.BLOCK) != block:
        return
    view, _ = address.followed(link, shown.trace, block)
    if "probe" in view:
        moved["position"] = tuple(view["probe"])
        moved["opens_on"] = None
    if view["primitive"] is not None:
        moved[Key.PRIMITIVE] = view["primitive"]
        st.session_state.pop(Key.PRIMITIVE, None)


def written(shown: Shown, block: str, choice: Choice) -> dict[str, str]:
    """The step, the picture, the cell and the primitive, as a link that others can open."""
    probe = Probe(shown.key, block, *choice.position, choice.primitive)
    return {
        STEP_PARAM: str(st.session_state[Key.STEP]),
        **parameters_of(shown),
        **address.written(probe, {"presentation": presenting()}, shown.trace),
        **language_parameter(),
    }
