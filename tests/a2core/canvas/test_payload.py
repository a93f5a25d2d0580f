"""The canvas payload keeps contract 2 of docs/architecture.md."""

from __future__ import annotations

import base64
import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

import a2core
from a2core import canvas


@pytest.fixture
def payload(tiny_trace):
    return canvas.canvas_payload(tiny_trace, {}, key="k", alt="made-up")


def unpacked(packed: dict, shape: tuple[int, ...]) -> np.ndarray:
    """The decoding that contract 2 prescribes for the browser."""
    data = np.frombuffer(base64.b64decode(packed["data"]), "<u2").reshape(len(packed["scale"]), -1)
    return (data * np.array(packed["scale"])[:, None] / 65535).reshape(shape)


def test_the_payload_survives_json_unchanged(payload):
    assert json.loads(json.dumps(payload)) == payload


def test_the_payload_names_each_block_with_its_grid_in_network_order(payload):
    assert [(b["name"], b["n"], b["grid"]) for b in payload["blocks"]] == [
        ("blocks.4", 6, [1, 6, 10]),
        ("blocks.5", 8, [1, 3, 5]),
    ]
    assert payload["blocks"][0]["label"] == "parts (blocks.4, 6 × 10 cells)"
    assert payload["blocks"][1]["label"] == "objects (blocks.5, 3 × 5 cells)"


@pytest.mark.parametrize("field", ["gather", "distribute"])
def test_the_browser_gets_every_map_back_within_half_a_level_of_its_peak(payload, tiny_trace, field):
    for sent, block in zip(payload["blocks"], tiny_trace.blocks.values(), strict=True):
        maps = getattr(block, field)
        error = np.abs(unpacked(sent[field], maps.shape) - maps).reshape(block.n, -1).max(axis=1)
        peak = maps.reshape(block.n, -1).max(axis=1)
        assert (error <= peak / 65535 / 2 * 1.001).all()
        assert sent[field]["scale"] == pytest.approx(peak.tolist())


def test_attention_computed_from_the_sent_maps_is_the_effective_attention(payload, tiny_trace):
    sent, block = payload["blocks"][0], tiny_trace.blocks["blocks.4"]
    gather, rho = (unpacked(sent[f], (block.n, *block.grid)) for f in ("gather", "distribute"))
    computed = np.einsum("n,nthw->thw", rho[:, 0, 2, 7], gather)
    np.testing.assert_allclose(computed, a2core.effective_attention(block, (0, 2, 7)), atol=1e-5)


def test_a_map_of_zeros_is_sent_as_zeros_and_not_as_nan():
    packed = canvas.quantise(np.zeros((2, 1, 3, 3), np.float32))
    assert packed["scale"] == [0.0, 0.0]
    assert not unpacked(packed, (2, 9)).any()


def test_the_frame_is_what_the_network_saw_at_its_size_and_colours(tiny_trace):
    smooth = np.zeros((1, 96, 160, 3), np.uint8)
    smooth[..., 0] = np.linspace(0, 255, 160).astype(np.uint8)
    smooth[..., 2] = 90
    trace = dataclasses.replace(tiny_trace, model_input=smooth)
    payload = canvas.canvas_payload(trace, {}, key="k", alt="a ramp")
    assert (payload["width_px"], payload["height_px"]) == (160, 96)
    head, data = payload["frames"][0].split(",")
    assert head == "data:image/webp;base64"
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), int)
    assert np.abs(seen - smooth[0]).mean() < 3


def test_reach_counts_cells_and_use_adds_up_to_one(payload, tiny_trace):
    for sent, block in zip(payload["blocks"], tiny_trace.blocks.values(), strict=True):
        cells = block.gather[0].size
        assert all(1 <= reach <= cells for reach in sent["reach"])
        assert sent["half"] == a2core.half_area(block.gather).tolist()
        assert sum(sent["use"]) == pytest.approx(1, abs=1e-5)


def test_a_450_pixel_picture_stays_below_a_megabyte_and_a_half():
    def block(name, rows):
        maps = np.full((64, 1, rows, rows), 1 / 64, np.float32)
        return a2core.BlockTrace(name, np.ones((56, 64), np.float32), maps, maps, maps, maps[0])

    noise = np.random.default_rng(0).integers(0, 256, (1, 448, 448, 3), dtype=np.uint8)
    trace = a2core.Trace(
        a2core.Clip(noise, np.zeros(1), "image", "", ()),
        noise,
        {"blocks.4": block("blocks.4", 28), "blocks.5": block("blocks.5", 14)},
        [],
        "",
        True,
        "cpu",
        0.0,
    )
    assert len(json.dumps(canvas.canvas_payload(trace, {}, key="k", alt=""))) < 1.5e6


def test_a_cards_sentences_are_used_only_when_there_is_one_for_every_primitive(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    sentences = [f"sentence {i}" for i in range(block.n)]
    assert canvas.primitive_cards(block, {"cards": {"blocks.4": {"primitives": sentences}}}) == sentences
    assert canvas.primitive_cards(block, {"cards": {"blocks.4": {"primitives": sentences[1:]}}}) == [""] * 6
    assert canvas.primitive_cards(block, {"cards": "nonsense"}) == [""] * 6


def test_a_primitives_scores_stand_behind_its_sentence_as_far_as_they_were_measured(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    numbers = [
        {"class purity": 0.256, "part purity": 0.5, "MonoScore": -0.02, "reach": 0.1, "top class": "cup"},
        {"MonoScore": 0},
        {},
        {"class purity": "high", "part purity": None, "MonoScore": True},
        "nothing",
        None,
    ]
    entry = {"primitives": ["Here"] * 6, "numbers": numbers}
    assert canvas.primitive_cards(block, {"cards": {"blocks.4": entry}}) == [
        "Here · purity 0.26, of parts 0.50, MonoScore -0.02",
        "Here · MonoScore 0.00",
        *["Here"] * 4,
    ]
    alone = canvas.primitive_cards(block, {"cards": {"blocks.4": {"numbers": numbers}}})
    assert alone[:3] == ["purity 0.26, of parts 0.50, MonoScore -0.02", "MonoScore 0.00", ""]
    assert canvas.primitive_cards(block, {"cards": {"blocks.4": {"numbers": numbers[1:]}}}) == [""] * 6
