"""The canvas payload keeps contract 2; arrays and words for the charts are right."""

from __future__ import annotations

import base64
import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

import a2core
from viz_app import view_model


@pytest.fixture
def payload(tiny_trace):
    return view_model.canvas_payload(tiny_trace, {}, key="k", alt="made-up")


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
    assert payload["blocks"][0]["label"] == "parts (blocks.4, 10×6 cells)"
    assert payload["blocks"][1]["label"] == "objects (blocks.5, 5×3 cells)"


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
    packed = view_model.quantise(np.zeros((2, 1, 3, 3), np.float32))
    assert packed["scale"] == [0.0, 0.0]
    assert not unpacked(packed, (2, 9)).any()


def test_the_frame_is_what_the_network_saw_at_its_size_and_colours(tiny_trace):
    smooth = np.zeros((1, 96, 160, 3), np.uint8)
    smooth[..., 0] = np.linspace(0, 255, 160).astype(np.uint8)
    smooth[..., 2] = 90
    trace = dataclasses.replace(tiny_trace, model_input=smooth)
    payload = view_model.canvas_payload(trace, {}, key="k", alt="a ramp")
    assert (payload["width_px"], payload["height_px"]) == (160, 96)
    head, data = payload["frames"][0].split(",")
    assert head == "data:image/webp;base64"
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), int)
    assert np.abs(seen - smooth[0]).mean() < 3


def test_reach_counts_cells_and_use_adds_up_to_one(payload, tiny_trace):
    for sent, block in zip(payload["blocks"], tiny_trace.blocks.values(), strict=True):
        cells = block.gather[0].size
        assert all(1 <= reach <= cells for reach in sent["reach"])
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
    assert len(json.dumps(view_model.canvas_payload(trace, {}, key="k", alt=""))) < 1.5e6


def test_a_cards_sentences_are_used_only_when_there_is_one_for_every_primitive(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    sentences = [f"sentence {i}" for i in range(block.n)]
    assert view_model.primitive_cards(block, {"cards": {"blocks.4": {"primitives": sentences}}}) == sentences
    assert (
        view_model.primitive_cards(block, {"cards": {"blocks.4": {"primitives": sentences[1:]}}}) == [""] * 6
    )
    assert view_model.primitive_cards(block, {"cards": "nonsense"}) == [""] * 6


def test_the_key_changes_with_the_picture_the_weights_and_the_size():
    keys = {view_model.trace_key(p, w, s) for p in "ab" for w in "cd" for s in (224, 448)}
    assert len(keys) == 8
    assert view_model.trace_key("a", "c", 224) in keys


def test_every_sample_is_a_file_inside_the_wheel():
    for sample in view_model.SAMPLES:
        assert view_model.sample_path(sample).is_file(), sample.name


def test_every_sample_says_in_its_own_documentation_that_it_is_free():
    import skimage.data

    documented = {"hubble": "hubble_deep_field"}
    for sample in view_model.SAMPLES:
        text = getattr(skimage.data, documented.get(sample.name, sample.name)).__doc__
        text = " ".join(text.split())
        assert "CC0" in text or "public domain" in text, sample.name
        assert "CC0" in sample.credit or "public domain" in sample.credit


def test_the_first_probe_stands_where_the_sample_says_or_where_the_block_changed_most(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    assert view_model.default_position(block, (0.999, 0.0)) == (0, 0, 9)
    assert view_model.default_position(block, (1.0, 1.0)) == (0, 5, 9)
    t, row, col = view_model.default_position(block, None)
    assert block.change[t, row, col] == block.change.max()


def test_a_cells_spot_leads_back_to_the_cell_and_to_the_same_place_of_another_grid(tiny_trace):
    fine, coarse = tiny_trace.blocks.values()
    for row in range(6):
        for col in range(10):
            assert view_model.cell_at(fine, view_model.spot_of(fine, (0, row, col))) == (row, col)
            assert view_model.cell_at(coarse, view_model.spot_of(fine, (0, row, col))) == (row // 2, col // 2)


def test_pinned_arrays_are_those_of_the_pixel_and_rank_its_primitives(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    rho = block.distribute[:, 0, 5, 9]
    pinned = view_model.pinned_arrays(block, (0, 5, 9), None)
    assert pinned.primitive == int(rho.argmax())
    assert pinned.rank == 1
    weakest = int(rho.argmin())
    chosen = view_model.pinned_arrays(block, (0, 5, 9), weakest)
    assert (chosen.rank, chosen.share) == (6, pytest.approx(float(rho[weakest])))
    np.testing.assert_array_equal(chosen.vector, block.primitives[:, weakest])
    assert 1 <= chosen.effective <= 6


@pytest.mark.parametrize(
    ("fraction", "words"),
    [(1.0, "100 %"), (0.424, "42 %"), (0.0314, "3.1 %"), (0.0004, "0.04 %"), (0.0, "0 %")],
)
def test_shares_read_well_at_any_size(fraction, words):
    assert view_model.percent(fraction) == words


def test_a_long_file_name_is_shortened_and_control_characters_are_shown_harmless():
    assert view_model.short_name("IMG_20240312_142233_a_long_one.jpeg").endswith("ne.jpeg")
    assert len(view_model.short_name("x" * 400)) <= 18
    assert "\n" not in view_model.short_name("a\nb.png")


def test_a_cards_facts_are_lines_for_people_without_its_technical_entries():
    card = {
        "format": 1,
        "sha256": "ab" * 32,
        "architecture": {"backbone": "lite0", "blocks": {"blocks.4": {"c_m": 56, "c_n": 64}}},
        "training": {"seed": 3, "photos": 3600, "teacher": "lite2"},
        "metrics": {"cross_entropy": 1.28661234},
        "classes": [str(i) for i in range(100)],
    }
    assert view_model.card_facts(card) == [
        ("network", "lite0"),
        ("block after blocks.4", "64 primitives of 56 channels each"),
        ("training · seed", "3"),
        ("training · photos", "3,600"),
        ("training · teacher", "lite2"),
        ("metrics · cross entropy", "1.287"),
    ]


@pytest.mark.parametrize("card", [{}, {"architecture": "?"}, {"architecture": {"blocks": [1]}}], ids=str)
def test_a_card_that_says_little_is_no_fault(card):
    assert all(isinstance(term, str) and isinstance(fact, str) for term, fact in view_model.card_facts(card))


def test_the_sum_of_a_pixel_is_made_of_shares_that_add_up_to_one(tiny_trace):
    block = tiny_trace.blocks["blocks.4"]
    z = block.output[:, 0, 2, 3].astype(np.float64)
    terms = view_model.pinned_sum(block, (0, 2, 3))
    assert terms.length == pytest.approx(np.linalg.norm(z), rel=1e-5)
    assert terms.shares.sum() == pytest.approx(1)
    assert list(terms.weights) == sorted(terms.weights, reverse=True)
    for i, weight, length, share in zip(
        terms.primitives, terms.weights, terms.lengths, terms.shares, strict=True
    ):
        g = block.primitives[:, i].astype(np.float64)
        assert weight == block.distribute[i, 0, 2, 3]
        assert length == pytest.approx(np.sqrt((g * g).sum()))
        assert share == pytest.approx(weight * (g @ z) / (z @ z), abs=1e-6)


def test_entropy_is_in_bits_and_a_share_of_nothing_counts_nothing():
    assert view_model.entropy_bits(np.full(8, 1 / 8)) == pytest.approx(3)
    assert view_model.entropy_bits(np.array([1.0, 0.0])) == 0
    assert view_model.entropy_bits(np.array([0.5, 0.25, 0.25])) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("title", "stem"),
    [("Deep sky", "deep-sky"), ("*$x$_[1].png", "x-1"), ("写真.jpg", "picture"), ("", "picture")],
)
def test_a_files_name_is_one_that_every_system_takes(title, stem):
    assert view_model.file_stem(title) == stem
