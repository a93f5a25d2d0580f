"""Arrays and words for the charts are right; samples are free and there."""

from __future__ import annotations

import numpy as np
import pytest

from viz_app.ui import view_model


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
