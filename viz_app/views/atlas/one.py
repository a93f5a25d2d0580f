"""One primitive: its exemplars in each order, its measures, its neighbours, its name, and one picture."""

from __future__ import annotations

from typing import Any

import streamlit as st

from a2core import Atlas, Exemplar
from viz_app.components.tile_board import asked, opened, send_tiles, tile_board
from viz_app.server import atlases, names
from viz_app.server.faults import attempt
from viz_app.ui import plots
from viz_app.ui.exemplars import credit_html
from viz_app.ui.guards import callback, fragment, tell
from viz_app.ui.numbers import decimal
from viz_app.ui.shell import waiting
from viz_app.ui.state import Key
from viz_app.views.atlas import content, service, where, words

CHART_CONFIG = {"displayModeBar": False}
FIRST = 16  # exemplars of each order that are shown until all are asked for
NEAREST = 8


def draw(atlas: Atlas, block: str, primitive: int) -> None:
    """Draw it."""
    row = names.named(atlas, block)[primitive]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.button(
            words.BACK,
            icon=":material/arrow_back:",
            on_click=callback(where.go),
            kwargs={where.PRIMITIVE: None},
            key="atlas-back",
        )
        st.html(service.title_html(block, row), width="content")
    photo = where.number(where.PHOTO, len(atlas))
    if photo is not None:
        _picture(atlas, block, primitive, photo)
    text, chart = st.columns([3, 2], gap="large")
    with text:
        st.html(content.measures_html(row))
        _together(block, row)
        with st.container(key="atlas-naming"):
            _naming(atlas, block, primitive, row)
    with chart, st.container(key="atlas-histogram"):
        st.caption(words.HISTOGRAM)
        later = st.container(height=plots.HEIGHT_PX, border=False)
    whole = where.MORE in st.query_params
    for order, title in words.ORDERS.items():
        _exemplars(atlas, block, primitive, order, title, None if whole else FIRST, photo)
    if not whole and service.has_more(atlas, block, primitive, FIRST):
        st.button(words.MORE, on_click=callback(where.go), kwargs={where.MORE: "1"}, key="atlas-more")
    with later:  # last, in its place: a browser that has to load what draws charts shows exemplars meanwhile
        figure, alt = service.histogram(atlas, block, primitive)
        figure.update_layout(height=plots.HEIGHT_PX - 24, margin={"l": 48, "r": 8, "t": 8, "b": 40})
        st.plotly_chart(figure, key="atlas-use", config=CHART_CONFIG, alt=alt)


def _together(block: str, row: dict[str, Any]) -> None:
    if not row.get("together"):
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption(words.TOGETHER, width="content")
        for other, r in zip(row["together"], row["together_r"], strict=True):
            st.button(
                f"g{other} ({decimal(r)})",
                on_click=callback(where.go),
                kwargs={where.BLOCK: block, where.PRIMITIVE: str(other)},
                key=f"atlas-to-{other}",
            )


def _exemplars(
    atlas: Atlas, block: str, primitive: int, order: str, title: str, count: int | None, photo: int | None
) -> None:
    shown, tiles = service.exemplars(atlas, block, primitive, order, count)
    if not shown:
        return
    st.html(f"<h3>{title}</h3>")
    identity = f"{service.key_of(atlas)}/{block}/{primitive}/{order}/{len(shown)}"
    send_tiles(tiles, identity=identity, key=f"exemplars-{order}")
    _glanced(atlas, block, primitive, shown, identity, f"exemplars-{order}", title, photo)


@fragment()
def _glanced(
    atlas: Atlas,
    block: str,
    primitive: int,
    shown: list[Exemplar],
    identity: str,
    key: str,
    label: str,
    photo: int | None,
) -> None:
    """Exemplars: a click looks at one; who dwells on one sees its maps, traced then, beside it."""
    going, asking = f"{key}-going", f"{key}-asking"

    @callback
    def act() -> None:
        index = opened(key, identity, len(shown))
        if index is not None:
            where.go(photo=str(shown[index].photo))
            st.session_state[going] = True
        elif (index := asked(key, identity, len(shown))) is not None:
            st.session_state[asking] = index

    if st.session_state.pop(going, False):
        st.rerun(scope="app")  # the address is all of the page's
    numbers = [one.photo for one in shown]
    index = st.session_state.pop(asking, None)
    tile_board(
        None,
        range(len(shown)),
        identity=identity,
        key=key,
        label=label,
        on_open=act,
        small=True,
        chosen=numbers.index(photo) if photo in numbers else None,
        asks=True,
        glance=None if index is None else service.glance(atlas, block, primitive, shown[index], index),
    )


def _board(
    tiles: list[Any], numbers: list[int], identity: str, key: str, label: str, photo: int | None
) -> None:
    """Tiles of pictures, of which a click looks at one."""

    @callback
    def look() -> None:
        index = opened(key, identity, len(numbers))
        if index is not None:
            where.go(photo=str(numbers[index]))

    tile_board(
        tiles,
        range(len(tiles)),
        identity=identity,
        key=key,
        label=label,
        on_open=look,
        small=True,
        chosen=numbers.index(photo) if photo in numbers else None,
    )


def _picture(atlas: Atlas, block: str, primitive: int, number: int) -> None:
    """One picture: where the primitive is gathered and handed out, traced now; whose it is; those like it."""
    photo = atlas.photo(number)
    with st.container(key="atlas-photo", border=True):
        maps, about = st.columns([3, 2], gap="large")
        with maps:
            weights = atlases.weights_of(atlas)
            if weights is not None:
                with waiting(words.tracing(photo.shown_path)) as look:
                    shown, fault = attempt(lambda: service.traced(atlas, photo, weights, look=look))
                if shown is not None:
                    st.html(service.maps_html(shown, block, primitive))
                    st.caption(words.how_traced(whole=shown.picture.id.startswith("whole"), px=shown.size_px))
                else:
                    tell(fault)
        with about:
            st.html(
                f"<h3>{content.escaped(photo.shown_path)}</h3>{content.answer_html(photo)}{credit_html(photo)}"
            )
            st.caption(words.LIKE_THIS)
            near, tiles = service.nearest(atlas, number, block, primitive, NEAREST)
            _board(tiles, near, f"{service.key_of(atlas)}/like/{number}", "atlas-like", words.LIKE_THIS, None)
            st.button(
                words.CLOSE,
                on_click=callback(where.go),
                kwargs={where.PHOTO: None},
                key="atlas-close",
                type="tertiary",
            )


def _naming(atlas: Atlas, block: str, primitive: int, row: dict[str, Any]) -> None:
    shared = names.shared(atlas)
    with (
        st.form(f"atlas-name-{block}-{primitive}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        name = st.text_input(words.NAME, value=row["name"], max_chars=80, width=220)
        note = st.text_input(words.NOTE, value=row["note"], max_chars=2000)
        if st.form_submit_button(words.KEEP):
            names.give(atlas, block, primitive, name, note)
            st.rerun()
    st.caption(words.SHARED if shared else words.YOURS)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.download_button(
            words.TAKE_NAMES,
            names.exported(atlas),
            file_name="names.json",
            mime="application/json",
            on_click="ignore",
            key="atlas-take-names",
        )
        with st.popover(words.BRING_NAMES):
            brought = st.file_uploader(words.BRING_NAMES, type="json", key=Key.ATLAS_NAMES)
            if brought is not None and st.session_state.get("atlas-brought") != brought.file_id:
                st.session_state["atlas-brought"] = brought.file_id
                names.take_in(atlas, brought.getvalue())
                st.rerun()
