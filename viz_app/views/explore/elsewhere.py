"""Where else? The primitive that the marked pixel receives most of, in the pictures of an atlas."""

from __future__ import annotations

import streamlit as st

from a2core import rank_primitives
from viz_app.server import atlases, names
from viz_app.server.traces import Shown
from viz_app.ui.exemplars import exemplars_html
from viz_app.ui.state import Key, Probe
from viz_app.views.explore import words

FIRST = 8


def draw(shown: Shown, probe: Probe) -> None:
    """The first exemplars of the chosen primitive, or of the pixel's strongest; the way to all of them."""
    atlas = atlases.of_weights(shown.weights)
    if atlas is None:
        others = [one.told["checkpoint"]["name"] for one in atlases.list_atlases()[0]]
        if others and shown.weights.trained:
            with st.container(key="elsewhere"):
                st.caption(words.no_atlas(shown.weights.label, others))
        return
    if probe.block not in atlas.blocks:
        return
    block = shown.trace.blocks[probe.block]
    primitive = probe.primitive
    if primitive is None:
        primitive = int(rank_primitives(block, probe.position)[0])
    with st.container(key="elsewhere", horizontal=True, vertical_alignment="center", gap="medium"):
        found = atlas.exemplars(probe.block, primitive, "peak", FIRST)
        st.html(exemplars_html(found, atlas.photos(one.photo for one in found)), width="content")
        name = names.name_of(atlas, probe.block, primitive)
        # A link, not a button: the browser goes there at once, and no part of this page runs again first.
        st.page_link(
            st.session_state[Key.PRIMITIVES],
            label=words.elsewhere(primitive, name),
            icon=":material/travel_explore:",
            query_params={"block": probe.block, "primitive": str(primitive), "atlas": atlas.folder.name},
        )
