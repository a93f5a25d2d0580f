"""Entry point of the explorer: page configuration and navigation, nothing else.

Start it with `make app`, with `a2-explorer` where the package is installed, or with `streamlit run` and this
file, beside which the settings in .streamlit/ are found.
"""

import sys
from pathlib import Path

import streamlit as st

# `streamlit run` puts this file's folder on the path, not the repository's root, where our packages are.
ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from viz_app.server import models, visitors  # noqa: E402
from viz_app.ui import language, present, returning, state, text  # noqa: E402
from viz_app.ui.guards import guarded  # noqa: E402
from viz_app.views.about import page as about  # noqa: E402
from viz_app.views.atlas import page as atlas  # noqa: E402
from viz_app.views.compare import page as compare  # noqa: E402
from viz_app.views.experiment import page as experiment  # noqa: E402
from viz_app.views.explore import page as explore  # noqa: E402
from viz_app.views.learn import page as learn  # noqa: E402

ICON = str(Path(__file__).resolve().parent / "ui" / "style" / "icon.svg")
state.enter_language()
language.speak(state.language())
st.set_page_config(page_title=text.APP, page_icon=ICON, layout="wide", menu_items={"About": text.APP})
named = text.PAGES
first = st.Page(guarded(explore.render), title=named["explore"], url_path="explore", default=True)
primitives = st.Page(guarded(atlas.render), title=named["primitives"], url_path="primitives")
page = st.navigation(
    [
        first,
        st.Page(guarded(learn.render), title=named["learn"], url_path="learn"),
        st.Page(guarded(compare.render), title=named["compare"], url_path="compare"),
        st.Page(guarded(experiment.render), title=named["experiment"], url_path="experiment"),
        primitives,
        st.Page(guarded(about.render), title=named["about"], url_path="about"),
    ],
    position="top",
)
models.use_cores()
visitors.visitor()  # from now on the server knows when this browser has left
state.enter_page(page.url_path)
st.session_state[state.Key.EXPLORE] = first
st.session_state[state.Key.PRIMITIVES] = primitives
guarded(present.bar)(page.url_path)
if not returning.waits():
    page.run()
models.set_apart()
