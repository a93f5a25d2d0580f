"""The Explore page: a traced picture, the probe canvas, and charts of the pinned pixel."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from viz_app import charts, services, view_model
from viz_app.probe_canvas import probe_canvas
from viz_app.services import Picture, Shown, Weights, tell
from viz_app.state import Key, Probe, parse_probe, parse_settings
from viz_app.views.page import styled

UPLOADS_KEPT = 6
BY_RANK, BY_INDEX = "Largest first", "By index"
CHART_CONFIG = {"displayModeBar": False}


def render() -> None:
    """Draw the page: one sentence, the controls, the canvas, the charts."""
    styled()
    st.html(
        '<div class="a2-lead"><h1>Point at any spot in the picture.</h1>'
        "<p>It lights up where a neural network gathered the information that it hands to that spot.</p>"
        "</div>"
    )
    controls = st.container(key="controls", horizontal=True, gap="medium", vertical_alignment="bottom")
    notices = st.container(key="notices")  # always there: a notice must not move, and so remount, the canvas
    shown = _chosen(controls, notices)
    if shown is None:
        return
    if not shown.trace.trained:
        notices.html(
            '<div class="a2-untrained" role="status"><strong>Random weights.</strong> '
            "These blocks were never trained: their maps mean nothing. They are here to compare with.</div>"
        )
    _answer(shown)
    _canvas_and_charts(shown)


def _chosen(controls: DeltaGenerator, notices: DeltaGenerator) -> Shown | None:
    """What the controls ask for, traced; or, when that fails, what was on screen, under a message."""
    usable, refused = services.list_weights()
    with controls:
        picture, fault = _picture()
        size_px = st.segmented_control(
            "Detail, px",
            view_model.SIZES_PX,
            default=view_model.DEFAULT_SIZE_PX,
            required=True,
            key=Key.SIZE,
            help="Long side of the picture that the network sees. More pixels, finer maps, more time.",
        )
        weights = _weights(usable)
    fault = st.session_state.pop(Key.FAULT, "") or fault
    shown: Shown | None = None
    if weights is None:
        fault = services.NO_CHECKPOINT
    elif picture is not None:
        shown, trouble = services.attempt(lambda: services.show(picture, weights, int(size_px)))
        fault = fault or trouble
    if shown is None:
        shown = st.session_state.get(Key.SHOWN)
    st.session_state[Key.SHOWN] = shown
    with notices:
        if fault:
            tell(fault)
        if refused:
            _tell_refused([(info.path.name, info.fault) for info in refused])
    return shown


def _picture() -> tuple[Picture | None, str]:
    """The picture chosen in the strip, or None and why it cannot be had."""
    uploads: dict[str, Picture] = st.session_state.setdefault(Key.UPLOADS, {})
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
    with st.container(key="drop", width=250):
        st.file_uploader(
            "Your own picture",
            key=drop,
            on_change=_receive,
            args=(drop,),
            label_visibility="collapsed",
        )
    return strip.get(chosen or ""), ""


def _receive(drop: str) -> None:
    """Read the file that was dropped; choose it when it can be read, else say why not."""
    file = st.session_state.get(drop)
    # A run that is overtaken by the next click calls its callbacks again: each file counts once.
    if file is None or file.file_id == st.session_state.get(Key.RECEIVED):
        return
    st.session_state[Key.RECEIVED] = file.file_id
    picture, fault = services.attempt(lambda: services.read_upload(file.getvalue(), file.name))
    if picture is None:
        st.session_state[Key.FAULT] = fault
    else:
        uploads: dict[str, Picture] = st.session_state.setdefault(Key.UPLOADS, {})
        uploads.pop(picture.id, None)
        newest_first = {picture.id: picture, **uploads}
        st.session_state[Key.UPLOADS] = dict(list(newest_first.items())[:UPLOADS_KEPT])
        st.session_state[Key.SAMPLE] = picture.id
    st.session_state[Key.UPLOADER_ROUND] += 1  # a fresh drop zone: the same file can be dropped again


def _weights(usable: list[Weights]) -> Weights | None:
    by_label = {weights.label: weights for weights in usable}
    if not by_label:
        return None
    if st.session_state.get(Key.CHECKPOINT) not in by_label:
        st.session_state[Key.CHECKPOINT] = next(iter(by_label))
    with st.container(key="weights", width=200):
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
    _, height_px, width_px, _ = trace.model_input.shape
    notes.append(f"{width_px} × {height_px} px in {trace.elapsed_s:.2f} s on {trace.device}")
    st.html(
        f'<div class="a2-answer"><h2>The network guesses</h2><ol>{classes}</ol>'
        f"<p>{' · '.join(html.escape(note) for note in notes if note)}</p></div>"
    )


def _view(shown: Shown) -> dict[str, Any]:
    """How the canvas starts: kept as it is while the trace stays, so that the canvas never remounts.

    A new trace keeps the block that was looked at, and of the same picture also the place.
    """
    kept: tuple[Shown, dict[str, Any]] | None = st.session_state.get(Key.VIEW)
    if kept is not None and kept[0].key == shown.key:
        return dict(kept[1])
    probe = _carried_over(shown)
    view = {
        "opacity": 0.75,
        "scale": "relative",
        **st.session_state.get(Key.SETTINGS, {}),
        "block": probe.block,
        "probe": list(probe.position),
        "primitive": probe.primitive,
    }
    st.session_state[Key.VIEW] = (shown, view)
    st.session_state[Key.PROBE] = probe
    return view


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
        if before.picture.id == shown.picture.id:
            spot = view_model.spot_of(before.trace.blocks[probe.block], probe.position)
            same_weights = before.weights == shown.weights and block.name == probe.block
            primitive = probe.primitive if same_weights else None
    position = view_model.default_position(block, spot)
    return Probe(shown.key, block.name, *position, primitive)


@st.fragment
def _canvas_and_charts(shown: Shown) -> None:
    """The canvas and what depends on its pin; a pin reruns this alone."""
    view = _view(shown)
    raw = probe_canvas(shown.payload, view=view, key="canvas")
    probe = parse_probe(raw, shown.trace, shown.key)
    if probe is not None:
        st.session_state[Key.PROBE] = probe
        st.session_state[Key.SETTINGS] = parse_settings(raw)
    st.session_state[Key.LAST] = (shown, st.session_state[Key.PROBE])
    _, fault = services.attempt(lambda: _charts(shown, st.session_state[Key.PROBE]))
    if fault:
        tell(fault)


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
                    default=BY_RANK,
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
