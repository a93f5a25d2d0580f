"""The Explore page: a traced picture, the probe canvas, and charts of the pinned pixel."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from a2core import BlockTrace
from a2core.canvas import standalone_html
from viz_app.components.clip_recorder import clip_recorder, name_of, recorded
from viz_app.components.probe_canvas import canvas_payload, probe_canvas
from viz_app.components.runtime import override
from viz_app.pages.experiment import service as laboratory
from viz_app.pages.explore import clip_panel
from viz_app.server import clips, services, visitors
from viz_app.server.services import Picture, Shown, Weights, tell
from viz_app.ui import address, framed, view_model
from viz_app.ui import plots as charts
from viz_app.ui.guards import callback, fragment
from viz_app.ui.shell import follow, styled, tell_link, waiting
from viz_app.ui.state import Key, Probe, came_by_history, parse_probe, parse_settings

UPLOADS_KEPT = 12
BY_RANK, BY_INDEX = "Largest first", "By index"
PHOTO, CLIP = "Picture", "Clip"  # what the camera takes
BARS = {"rank": BY_RANK, "index": BY_INDEX}  # as the address calls them
FIRST_VIEW: dict[str, Any] = {
    "direction": "from",
    "layer": "attention",
    "scale": "relative",
    "sort": "rho",
    "tiles": "gather",
    "opacity": 0.75,
    "presentation": False,
}
# Charts keep the browser busy for longer than the canvas does: a new picture answers the mouse before
# they follow. While the server waits, the charts before stay on screen.
CHARTS_LATER_S = 0.25
MEASURED_EVERY_S = 0.4
CHART_CONFIG = {"displayModeBar": False}


def render() -> None:
    """Draw the page: one sentence, the controls, the canvas, the charts."""
    styled()
    st.html(
        '<div class="a2-lead"><h1>Point at any spot in the picture.</h1>'
        "<p>It lights up where a neural network gathered the information that it hands to that spot.</p>"
        "</div>"
    )
    controls = st.container(key="controls", horizontal=True, gap="small", vertical_alignment="bottom")
    notices = st.container(key="notices")  # always there: a notice must not move, and so remount, the canvas
    _take_in(notices)  # first: a link may have waited for what was dropped
    link, remarks = follow(_link())
    if link is not None:
        st.session_state[Key.ORDER] = BARS.get(link.get(address.BARS, ""), BY_RANK)
    shown = _chosen(controls, notices)
    if shown is None:
        return
    view, faults = _view(shown, link if _is_chosen(shown) else None)
    tell_link(notices, [*remarks, *faults])
    if not shown.trace.trained:
        what = (
            "This network was never trained, nor its blocks: the maps"
            if shown.weights.label == services.VIDEO_NETWORK
            else "These blocks were never trained: their maps"
        )
        notices.html(
            '<div class="a2-untrained" role="status"><strong>Random weights.</strong> '
            f"{what} mean nothing. They are here to compare with.</div>"
        )
    _answer(shown)
    canvas_payload(shown.payload, key=Key.CANVAS)  # here, not in the fragment: a pin does not send it again
    _canvas_and_charts(shown, view)
    services.prepare_samples(shown.weights)


def _link() -> Mapping[str, str] | None:
    """The query parameters to follow in this run; None: the visitor goes on from what is there."""
    asked = st.query_params.to_dict()
    awaited: Mapping[str, str] | None = st.session_state.get(Key.AWAITED)
    if awaited is not None and st.session_state.get(Key.SAMPLE) == awaited[address.PICTURE]:
        return awaited
    if came_by_history():
        return asked or st.session_state.get(Key.HOME) or {}
    if Key.VIEW in st.session_state:
        return None
    # The page was opened, or come back to from another.
    st.session_state[Key.HOME] = st.session_state.get(Key.ADDRESS) or {}
    return asked or st.session_state[Key.HOME]


def _is_chosen(shown: Shown) -> bool:
    """Whether `shown` is what the controls ask for, and not what was there before because that failed."""
    asked = (Key.SAMPLE, Key.CHECKPOINT, Key.SIZE)
    return [st.session_state.get(key) for key in asked] == [
        shown.picture.id,
        shown.weights.label,
        shown.size_px,
    ]


def _chosen(controls: DeltaGenerator, notices: DeltaGenerator) -> Shown | None:
    """What the controls ask for, traced; or, when that fails, what was on screen, under a message."""
    usable, refused = services.list_weights()
    with controls:
        picture, fault = _picture()
        size = st.segmented_control(
            "Detail, px",
            view_model.SIZES_PX,
            required=True,
            key=Key.SIZE,
            help="Long side of the picture that the network sees. More pixels, finer maps, more time.",
        )
        weights = _weights(usable)
    fault = st.session_state.pop(Key.FAULT, "") or fault
    shown: Shown | None = None
    size_px = size or view_model.DEFAULT_SIZE_PX
    if weights is None:
        fault = services.NO_CHECKPOINT
    elif picture is not None:
        together = services.JOINT
        if clips.is_clip(picture):
            with notices:  # before them; elsewhere they would move, and so remount, the canvas
                together = clip_panel.controls(picture)
        shown, trouble = _traced(picture, weights, size_px, together, notices)
        fault = fault or trouble
    if shown is None:
        shown = st.session_state.get(Key.SHOWN)
        if shown is not None and not shown.held.here:
            shown = None
    st.session_state[Key.SHOWN] = shown
    with notices:
        if fault:
            tell(fault)
        if refused:
            _tell_refused([(info.path.name, info.fault) for info in refused])
    return shown


def _traced(
    picture: Picture, weights: Weights, size_px: int, together: str, notices: DeltaGenerator
) -> tuple[Shown | None, str]:
    """The picture traced, with its place in the line and a button that stops it; None and why not."""
    key = services.shown_key(picture, weights, size_px, together)
    if st.session_state.get(Key.STOPPED) == key and not services.known(picture, weights, size_px, together):
        with notices.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown("Stopped before it was traced.")
            st.button("Trace it after all", on_click=_forget_stop)
        return None, ""
    what = f"Tracing {picture.frames} frames" if picture.frames > 1 else "Tracing the picture"
    with waiting(what, notices, on_stop=_stop, args=(key,), key="tracing") as look:
        return services.attempt(lambda: services.show(picture, weights, size_px, together, look=look))


def _stop(key: str) -> None:
    st.session_state[Key.STOPPED] = key


@callback
def _forget_stop() -> None:
    st.session_state.pop(Key.STOPPED, None)


def _picture() -> tuple[Picture | None, str]:
    """The picture chosen in the strip, or None and why it cannot be had."""
    uploads: dict[str, Picture] = st.session_state.setdefault(Key.UPLOADS, {})
    for name in [name for name, picture in uploads.items() if not picture.held.here]:
        del uploads[name]  # to make room: the visitor is told in a letter
    samples = {sample.name: sample for sample in view_model.SAMPLES}
    strip: dict[str, Picture] = dict(uploads)
    faults = []
    for name, sample in samples.items():
        loaded, fault = services.attempt(lambda sample=sample: services.load_sample(sample))  # type: ignore[misc]
        if loaded is None:
            faults.append(fault)
        else:
            strip[name] = loaded
    if not strip:
        return None, faults[0]
    if not faults:
        strip[clips.MADE] = clips.sample_clip()
    if st.session_state.get(Key.SAMPLE) not in strip:
        st.session_state[Key.SAMPLE] = next(iter(strip))
    chosen = st.segmented_control(
        "Picture",
        list(strip),
        format_func=lambda name: f"![]({strip[name].thumbnail}) {view_model.as_markdown(strip[name].title)}",
        required=True,
        key=Key.SAMPLE,
        label_visibility="collapsed",
    )
    drop = f"upload-{st.session_state.setdefault(Key.UPLOADER_ROUND, 0)}"
    refused = framed.about_uploads()
    with st.container(key="drop", width=250):
        if refused:
            st.caption(refused)
        else:
            st.file_uploader(
                "Your own pictures or clips",
                accept_multiple_files=True,
                key=drop,
                on_change=_receive,
                args=(drop,),
                label_visibility="collapsed",
            )
    camera = st.popover(
        ":material/photo_camera:", key=Key.CAMERA, on_change="rerun", help="Take a picture, or a short clip"
    )
    if camera.open:  # not before: the browser asks for leave as soon as the camera is on the page
        with camera:
            _camera(st.session_state[Key.UPLOADER_ROUND], refused)
    return strip.get(chosen or ""), ""


def _camera(round_: int, refused: str) -> None:
    """The visitor's camera, for a picture, which is an upload and may be `refused`, or for a short clip."""
    takes = st.segmented_control(
        "What the camera takes",
        (PHOTO, CLIP),
        required=True,
        default=PHOTO,
        key=Key.CAMERA_TAKES,
        label_visibility="collapsed",
    )
    if takes == CLIP:
        reel = f"recorder-{round_}"
        clip_recorder(key=reel, on_clip=_receive_recorded, args=(reel,))
    elif refused:
        st.caption(refused)
    else:
        framed.about_camera()
        shot = f"camera-{round_}"
        st.camera_input(
            "Take a picture", key=shot, on_change=_receive, args=(shot,), label_visibility="collapsed"
        )


@callback
def _receive(widget: str) -> None:
    """Read the files that came from the drop zone or as a photo."""
    came = st.session_state.get(widget)
    files = came if isinstance(came, list) else [came] if came is not None else []
    _read([File(file.file_id, file.name, file.getvalue) for file in files])


@callback
def _receive_recorded(widget: str) -> None:
    """Read the clip that the camera's recorder sent, and put the camera away."""
    st.session_state[Key.CAMERA] = False
    data, fault = services.attempt(lambda: recorded(widget))
    if fault:
        st.session_state[Key.FAULT] = fault
    if data is not None:
        _read([File(widget, name_of(data), lambda: data)])


class File(NamedTuple):
    """A file that a visitor brought."""

    id: str
    name: str
    content: Callable[[], bytes]


def _read(files: list[File]) -> None:
    """Have `files` read in the run that begins."""
    # A run that is overtaken by the next click calls its callbacks again: each file counts once.
    received = [file.id for file in files]
    if files and received != st.session_state.get(Key.RECEIVED):
        st.session_state[Key.RECEIVED] = received
        st.session_state[Key.INCOMING] = files


def _take_in(notices: DeltaGenerator) -> None:
    """Read what came, and cut what was asked for, before the widgets that show it are drawn.

    A run that is overtaken here leaves it to the next; what was read by then is not read again.
    """
    came: list[File] = st.session_state.get(Key.INCOMING) or []
    if came:
        _take_in_files(came, notices)
        _drop_incoming()
        st.session_state[Key.UPLOADER_ROUND] += 1  # a fresh drop zone: the same file can be dropped again
    with waiting("Reading the clip", notices, on_stop=_drop_cut, key="cut") as look:
        clip_panel.cut(look)
    letters = visitors.server().store.letters(visitors.visitor())
    tell_link(notices, letters)


def _drop_incoming() -> None:
    st.session_state.pop(Key.INCOMING, None)


def _drop_cut() -> None:
    st.session_state.pop(Key.CUT, None)


def _take_in_files(files: list[File], notices: DeltaGenerator) -> None:
    """Read `files`; choose the first that can be read, and say of each other why it cannot."""
    fresh: dict[str, Picture] = {}
    faults = []
    for file in files[:UPLOADS_KEPT]:
        with waiting(f"Reading {file.name}", notices, on_stop=_drop_incoming, key=file.id) as look:
            picture, fault = services.attempt(
                lambda file=file, look=look: clip_panel.receive(file.content(), file.name, look)  # type: ignore[misc]
            )
        if picture is None:
            faults.append(fault)
        else:
            fresh[picture.id] = picture
    if len(files) > UPLOADS_KEPT:
        faults.append(
            f"Of {len(files)} files the first {UPLOADS_KEPT} were read. Drop the others after them."
        )
    if faults:
        st.session_state[Key.FAULT] = " ".join(faults)
    if fresh:
        newest_first = {**fresh, **st.session_state.setdefault(Key.UPLOADS, {})} | fresh
        st.session_state[Key.UPLOADS] = dict(list(newest_first.items())[:UPLOADS_KEPT])
        _let_go(list(newest_first.values())[UPLOADS_KEPT:])
        st.session_state[Key.SAMPLE] = next(iter(fresh))


def _let_go(pictures: list[Picture]) -> None:
    """Give back what is kept of pictures that fell off the strip's end."""
    store, who = visitors.server().store, visitors.visitor()
    sources: dict[str, clips.Source] = st.session_state.get(Key.SOURCES, {})
    for picture in pictures:
        store.release(who, picture.held)
        if (source := sources.pop(picture.id, None)) is not None:
            store.release(who, source.held)


def _weights(usable: list[Weights]) -> Weights | None:
    by_label = {weights.label: weights for weights in usable}
    if not by_label:
        return None
    if st.session_state.get(Key.CHECKPOINT) not in by_label:
        st.session_state[Key.CHECKPOINT] = next(iter(by_label))
    with st.container(key="weights", width=180):
        label = st.selectbox("Weights", list(by_label), key=Key.CHECKPOINT)
    return by_label[label]


def _tell_refused(faults: list[tuple[str, str]]) -> None:
    title = "A checkpoint was refused" if len(faults) == 1 else f"{len(faults)} checkpoints were refused"
    with st.expander(title):
        for name, fault in faults:
            st.markdown(f"**{view_model.as_markdown(name)}**: {view_model.as_markdown(fault)}")


def _answer(shown: Shown) -> None:
    """The network's five best classes as one slim line, and where and how fast that was found."""
    trace = shown.trace
    classes = "".join(
        f'<li><span class="a2-name">{html.escape(name)}</span><span class="a2-share">'
        f'{view_model.percent(share)}</span><span class="a2-bar"><i style="width:{100 * share:.1f}%"></i>'
        "</span></li>"
        for name, share in trace.top
    )
    notes = [shown.picture.credit, *trace.clip.notes]
    if trace.trained and clips.is_clip(shown.picture):
        notes.append(services.taught_by(shown.weights))
    _, height_px, width_px, _ = trace.model_input.shape
    notes.append(f"{width_px} × {height_px} px in {trace.elapsed_s:.2f} s on {trace.device}")
    st.html(
        f'<div class="a2-answer"><h2>The network guesses</h2><ol>{classes}</ol>'
        f"<p>{' · '.join(html.escape(note) for note in notes if note)}</p></div>"
    )


def _view(shown: Shown, link: Mapping[str, str] | None) -> tuple[dict[str, Any], list[str]]:
    """How the canvas starts, and what of `link` could not be had.

    Kept as it is while the trace stays and no link is followed, so that the canvas never remounts. A new
    trace keeps the block that was looked at and all settings, and of the same picture also the place.
    """
    kept: tuple[Shown, dict[str, Any]] | None = st.session_state.get(Key.VIEW)
    if link is None and kept is not None and kept[0].key == shown.key:
        return dict(kept[1]), []
    faults: list[str] = []
    if link is None:
        probe = _carried_over(shown)
        view = FIRST_VIEW | st.session_state.get(Key.SETTINGS, {})
    else:
        asked, faults = address.followed(link, shown.trace, view_model.default_block(shown.trace))
        view = FIRST_VIEW | asked
        st.session_state[Key.SETTINGS] = {name: view[name] for name in FIRST_VIEW}
        block = shown.trace.blocks[view["block"]]
        t, row, col = view.get("probe") or view_model.default_position(block, shown.picture.spot)
        probe = Probe(shown.key, block.name, t, row, col, view["primitive"])
    view |= {"block": probe.block, "probe": list(probe.position), "primitive": probe.primitive}
    view["revision"] = override(Key.CANVAS, shown.key)
    if not view.get("pins"):
        view.pop("pins", None)  # no pins would take the canvas back to where it rested before
    st.session_state[Key.VIEW] = (shown, view)
    st.session_state[Key.PROBE] = probe
    if link is not None:
        # The first address of a visit stays in the bar as it is until something changes, and the back
        # button leaves; a later one is completed, in place.
        first = Key.ADDRESS not in st.session_state
        st.session_state[Key.ADDRESS] = _address(shown, probe, view) if first else None
    return dict(view), faults


def _address(shown: Shown, probe: Probe, view: Mapping[str, Any]) -> dict[str, str]:
    """What is on screen, as query parameters."""
    order = st.session_state.get(Key.ORDER, BY_RANK)
    return {
        address.PICTURE: shown.picture.id,
        address.WEIGHTS: shown.weights.label,
        address.SIZE: str(shown.size_px),
        **address.written(probe, view, shown.trace),
        address.BARS: next(name for name, label in BARS.items() if label == order),
    }


def _carried_over(shown: Shown) -> Probe:
    """The first probe of a trace: as much of the last one as still means something."""
    spot, primitive = shown.picture.spot, None
    block = view_model.default_block(shown.trace)
    last: tuple[Shown, Probe] | None = st.session_state.get(Key.LAST)
    if last is not None:
        before, probe = last
        if probe.key == shown.key:
            return probe
        block = shown.trace.blocks.get(probe.block, block)
        if before.picture.id == shown.picture.id and before.held.here:
            spot = view_model.spot_of(before.trace.blocks[probe.block], probe.position)
            same_weights = before.weights == shown.weights and block.name == probe.block
            primitive = probe.primitive if same_weights else None
    position = view_model.default_position(block, spot)
    return Probe(shown.key, block.name, *position, primitive)


@fragment()
def _canvas_and_charts(shown: Shown, view: dict[str, Any]) -> None:
    """The canvas and what depends on its pin; a pin reruns this alone."""
    still = not clips.is_clip(shown.picture)
    found, fault = services.attempt(lambda: laboratory.measured_effects(shown) if still else {})
    effects = found or {}
    raw = probe_canvas(
        shown.key,
        view=view,
        key=Key.CANVAS,
        measures=("effect",) if still else (),
        effects={name: values.tolist() for name, values in effects.items()},
    )
    probe = parse_probe(raw, shown.trace, shown.key)
    if raw is not None and probe is not None:
        st.session_state[Key.PROBE] = probe
        st.session_state[Key.SETTINGS] = parse_settings(raw)
        view = view | raw["view"]
    probe = st.session_state[Key.PROBE]
    st.session_state[Key.LAST] = (shown, probe)
    measuring = st.container(key="measuring")
    if fault:
        with measuring:
            tell(fault)
    services.guarded(_write_address)(shown, probe, view)  # before the charts, during which a visitor may go
    if st.session_state.get(Key.DRAWN) != view["revision"]:
        st.session_state[Key.DRAWN] = view["revision"]
        time.sleep(CHARTS_LATER_S)
    # Each by itself: a fault in one takes none of the others off the screen.
    services.guarded(_charts)(shown, probe)
    if clips.plays(shown.picture):
        services.guarded(clip_panel.life)(shown, probe, view)
    services.guarded(_to_take_away)(shown, effects, probe, view)
    if still and view.get("sort") == "effect":
        with measuring:  # begun last: nothing of the page waits for it
            services.guarded(_effects)(shown, probe.block)


def _write_address(shown: Shown, probe: Probe, view: Mapping[str, Any]) -> None:
    """What is on screen, into the address, and for when the visitor comes back to this page."""
    now = _address(shown, probe, view)
    if now != st.session_state.get(Key.ADDRESS):
        st.session_state[Key.ADDRESS] = now
        st.query_params.from_dict(now)


def _effects(shown: Shown, block: str) -> None:
    """Have the effects of the block's primitives measured, and say how far that is."""
    effects = laboratory.effects(shown, block)
    if fault := effects.take_fault():
        tell(fault)
    elif not effects.whole:
        _measuring(shown, block)


@fragment(run_every=MEASURED_EVERY_S)
def _measuring(shown: Shown, block: str) -> None:
    """Progress; when all is measured the page runs again and hands it to the canvas."""
    effects = laboratory.effects(shown, block)
    if effects.whole or effects.fault:
        st.rerun()
    count = len(effects.values)
    st.progress(
        effects.done / count,
        f"Switching off each primitive of {block} by itself: {effects.done} of {count}",
    )


def _charts(shown: Shown, probe: Probe) -> None:
    block = shown.trace.blocks[probe.block]
    pinned = view_model.pinned_arrays(block, probe.position, probe.primitive)
    name = f"g<sub>{pinned.primitive}</sub>"
    with st.container(key="charts"):
        st.html(view_model.pinned_sentence(shown.trace, block, probe.position, pinned))
        received, bag, vector = st.columns(3, gap="medium")
        with received:
            with st.container(horizontal=True, horizontal_alignment="distribute"):
                st.html("<h3>Its shares <small>distribution weights ρ</small></h3>", width="content")
                order = st.segmented_control(
                    "Order of the bars",
                    (BY_RANK, BY_INDEX),
                    required=True,
                    key=Key.ORDER,
                    label_visibility="collapsed",
                )
            figure = charts.distribution_bars(pinned.weights, pinned.primitive, by_rank=order == BY_RANK)
            st.plotly_chart(figure, key="rho", config=CHART_CONFIG, alt=f"Bars: {pinned.alt}")
        with bag:
            st.html("<h3>The bag of primitives <small>G, one column each</small></h3>")
            figure = charts.bag_heatmap(pinned.bag, pinned.primitive)
            alt = f"Heat map of {block.n} primitives over {block.m} channels, {pinned.primitive} framed"
            st.plotly_chart(figure, key="bag", config=CHART_CONFIG, alt=alt)
        with vector:
            st.html(f"<h3>One primitive <small>{name}, channel by channel</small></h3>")
            figure = charts.vector_bars(pinned.vector, pinned.primitive)
            alt = f"Bars: primitive {pinned.primitive} over its {block.m} channels"
            st.plotly_chart(figure, key="vector", config=CHART_CONFIG, alt=alt)
        table = st.expander("The sum, number by number", key=Key.SUM, on_change="rerun")
        if table.open:
            with table:
                _sum(block, probe)


def _sum(block: BlockTrace, probe: Probe) -> None:
    """z_p = Σ ρ_i g_i as a table that can be copied, sorted and downloaded."""
    terms = view_model.pinned_sum(block, probe.position)
    st.html(view_model.sum_sentence(block, terms))
    column = st.column_config.NumberColumn
    st.dataframe(
        {
            "rank": range(1, block.n + 1),
            "primitive": terms.primitives,
            "rho": terms.weights,
            "length": terms.lengths,
            "share": 100 * terms.shares,
        },
        hide_index=True,
        width=760,
        height=318,
        column_config={
            "rank": column("rank", width="small"),
            "primitive": column("primitive i", width="small"),
            "rho": column("ρᵢ", format="%.6f"),
            "length": column("|gᵢ|", format="%.4f"),
            "share": column("share of |zₚ|, %", format="%.3f"),
        },
        alt=f"Table: rank, primitive, its distribution weight, its length and its share, {block.n} rows",
    )


def _to_take_away(
    shown: Shown, effects: Mapping[str, np.ndarray], probe: Probe, view: Mapping[str, Any]
) -> None:
    """Downloads of what is on screen; each is made when it is asked for."""
    stem = view_model.file_stem(shown.picture.title)
    pins = [probe.position, *(tuple(pin) for pin in view.get("pins") or () if tuple(pin) != probe.position)]
    view = {name: value for name, value in view.items() if name != "revision"}
    view |= {"block": probe.block, "probe": list(probe.position), "primitive": probe.primitive}
    files: list[tuple[str, str, str, str, Callable[[], str | bytes]]] = [
        (
            "Figure",
            "PNG",
            f"{stem}-{probe.block}.png",
            "image/png",
            lambda: services.figure_file(shown, probe, view),
        ),
        (
            "Page that works offline",
            f"HTML, {clips.page_megabytes(shown):.1f} MB" if clips.plays(shown.picture) else "HTML",
            f"{stem}.html",
            "text/html",
            lambda: standalone_html(
                view_model.with_effects(shown.payload, effects), view=view, title=shown.picture.title
            ),
        ),
        ("All arrays", "NPZ", f"{stem}.npz", "application/octet-stream", lambda: services.npz_file(shown)),
        (
            "ρ at the marked pixels",
            "CSV",
            f"{stem}-{probe.block}-rho.csv",
            "text/csv",
            lambda: services.rho_file(shown, probe.block, pins),
        ),
    ]
    if clips.plays(shown.picture):
        files += clip_panel.movies(shown, probe, stem)
    with st.container(key="take", horizontal=True, vertical_alignment="center", gap="small"):
        st.html("<h3>Take it with you</h3>", width="content")
        for what, kind, name, mime, make in files:
            st.download_button(
                f"{what} :small[{kind}]",
                make,
                file_name=name,
                mime=mime,
                key=f"take-{kind.split(',')[0]}",
                on_click="ignore",
                type="secondary",
            )
