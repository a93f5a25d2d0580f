"""What an experiment says of itself: words, numbers, tables and maps, by NumPy alone."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from a2core import Attribution, ClassShift, Outcome
from tests.conftest import made_up_block
from viz_app.views.experiment import content as experiment
from viz_app.views.experiment import maps
from viz_app.views.experiment.setup import Setup, parse_factors

LABELS = ("cat", "dog", "<b>fox</b>")


def outcome(before: list[float], after: list[float]) -> Outcome:
    return Outcome(LABELS, np.array(before), np.array(after), np.zeros((1, 2, 3)), {}, 0.01)


def without(*off: int, n: int = 6) -> Setup:
    return Setup(tuple(0.0 if i in off else 1.0 for i in range(n)))


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1]))).convert("RGB"), float)


def plain_text(markup: str) -> str:
    return re.sub(r"<[^>]*>", "", markup).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (without(3), "Without g3"),
        (without(0, 1), "Without g0 and g1"),
        (without(0, 1, 2), "Without g0, g1 and g2"),
        (without(0, 1, 2, 5, n=9), "Without g0, g1 and 2 more"),
        (without(0, 1, 3, 5), "With only g2 and g4"),
        (without(0, 1, 2, 3, 5), "With g4 alone"),
        (Setup((0, 0, 1.5)), "With g2 × 1.5 alone"),
        (without(*range(6)), "Without this block (all 6 primitives off)"),
        (Setup((1, 2, 1, 1)), "With g1 × 2"),
        (Setup((0, 1.5, 1, 1)), "Without g0, g1 × 1.5"),
        (Setup((1, 1), donor="x"), "With the bag of Coffee & cake"),
        (Setup((1, 1, 1, 0), donor="x"), "With the bag of Coffee & cake, without g3"),
    ],
)
def test_an_experiment_is_described_by_what_is_different(setup, said):
    assert plain_text(experiment.described(setup, "Coffee & cake")).replace("&amp;", "&") == said


def test_the_headline_gives_both_probabilities_and_their_difference_in_points():
    said = plain_text(experiment.headline(without(3), outcome([0.5, 0.3, 0.2], [0.4873, 0.31, 0.2027])))
    assert (
        said
        == "Without g3 the network says cat with 48.73 % in place of 50.00 %: 1.27 percentage points less."
    )


def test_the_headline_says_when_the_answer_is_another_and_when_nothing_moves():
    said = experiment.headline(without(3), outcome([0.5, 0.1, 0.4], [0.3, 0.1, 0.6]))
    assert "says <b>&lt;b&gt;fox&lt;/b&gt;</b>, 60.00\xa0%, in place of <b>cat</b>, which falls" in said
    same = outcome([0.5, 0.3, 0.2], [0.5, 0.3, 0.2])
    assert "not a digit moves" in experiment.headline(without(3), same)
    assert "With all its primitives the network says" in experiment.headline(without(), same)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0135, "1.35 pts"),
        (0.00135, "0.135 pts"),
        (0.00009, "0.0090 pts"),
        (1e-8, "≈ 0 pts"),
        (0.0, "0 pts"),
        (1.0, "100.0 pts"),
    ],
)
def test_changes_are_printed_in_points_with_the_digits_that_they_have(value, said):
    assert experiment.points(value).replace("\xa0", " ") == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-0.0612, "−0.061"),
        (2.345, "+2.35"),
        (0.00123, "+0.0012"),
        (-2e-7, "≈ 0"),
        (0.0, "0"),
        (-12.0, "−12.00"),
    ],
)
def test_log_odds_are_printed_with_their_sign(value, said):
    assert experiment.log_odds(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0.33169, "33.17 %"), (0.00715, "0.715 %"), (3e-9, "< 0.0001 %"), (0.0, "0 %")]
)
def test_probabilities_have_the_digits_that_a_small_change_needs(value, said):
    assert experiment.share(value).replace("\xa0", " ") == said


def test_the_table_draws_each_bar_to_the_scale_that_it_names():
    shifts = [ClassShift("cat", 0.5, 0.48), ClassShift("dog", 0.25, 0.252)]
    table = experiment.shift_table(shifts)
    assert experiment.odds_scale(shifts) == 0.1
    assert "bar ends at ± 0.1" in table
    assert re.findall(r'<i style="width:([\d.]+)%"></i><b style="width:([\d.]+)%"></b>', table) == [
        ("100.00", "96.00"),
        ("50.00", "50.40"),
    ]
    (down,) = re.findall(r'a2-down" style="left:([\d.]+)%;width:([\d.]+)%', table)
    wide = 50 * abs(shifts[0].log_odds) / 0.1
    assert [float(v) for v in down] == pytest.approx([50 - wide, wide], abs=0.01)


def test_a_result_where_everything_moved_still_has_a_table():
    table = experiment.shift_table([ClassShift("cat", 0.0, 1.0), ClassShift("dog", 1.0, 0.0)])
    assert "100.00\xa0%" in table
    assert "nan" not in table
    assert "inf" not in table


GOOD = {"factors": [0, 1, 2.5]}


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "off",
        {},
        {**GOOD, "factors": [0, 1]},
        {**GOOD, "factors": "011"},
        {**GOOD, "factors": [0, 1, True]},
        {**GOOD, "factors": [0, 1, "1"]},
        {**GOOD, "factors": [0, 1, -0.5]},
        {**GOOD, "factors": [0, 1, 1e9]},
        {**GOOD, "factors": [0, 1, float("nan")]},
        {**GOOD, "factors": [0, 1, None]},
    ],
)
def test_a_malformed_report_is_dropped_whole(raw):
    assert parse_factors(raw, count=3) is None
    assert parse_factors(GOOD, count=3) == (0.0, 1.0, 2.5)


def test_each_tile_shows_its_own_primitives_map_over_the_picture():
    block = made_up_block("b", m=4, n=10, rows=3, cols=5, seed=0)
    gather = np.full_like(block.gather, 1e-6)
    for i in range(10):
        gather[i, 0, i % 3, i % 5] = 1
    block = type(block)("b", block.primitives, gather, block.distribute, block.output, block.change)
    frames = np.full((1, 96, 160, 3), 40, np.uint8)
    sheet = pixels(maps.tile_sheet(block, frames))
    width, height = maps.tile_size(frames)
    assert (width, height) == (120, 72)
    assert sheet.shape[:2] == (2 * height, 8 * width)
    for i in range(10):
        top, left = height * (i // 8), width * (i % 8)
        cells = sheet[top : top + height, left : left + width].sum(axis=2)
        cells = cells.reshape(3, 24, 5, 24).mean(axis=(1, 3))
        assert np.unravel_index(cells.argmax(), cells.shape) == (i % 3, i % 5)


def test_of_a_clip_each_tile_shows_the_frame_that_is_gathered_from():
    block = made_up_block("b", m=4, n=2, rows=2, cols=2, seed=0)
    gather = np.zeros((2, 3, 2, 2), np.float32)
    gather[0, 2], gather[1, 1] = 0.25, 0.25
    block = type(block)("b", block.primitives, gather, block.distribute, block.output, block.change)
    frames = np.zeros((3, 64, 64, 3), np.uint8)
    frames[2] = 255
    bare = maps.tile_sheet(
        type(block)("b", block.primitives, gather * 0, block.distribute, block.output, block.change), frames
    )
    sheet = pixels(maps.tile_sheet(block, frames))
    assert sheet[:120, :120].mean() > sheet[:120, 120:240].mean()
    assert pixels(bare).shape == sheet.shape


def test_the_map_says_how_much_changed_and_where_and_that_nothing_did():
    moved = np.full((1, 6, 9), 0.001)
    moved[0, 0, 8] = 0.014
    figure = experiment.changed_figure(moved, ["data:x"], [0.0], "A cat & a dog").replace("\u202f", " ")
    assert (
        "A cat &amp; a dog: the block’s output changed by up to 1.4 %, most where at the top right" in figure
    )
    assert "half of the 54 positions changed by less than 0.10 %" in figure
    assert "Nowhere" in experiment.changed_figure(moved * 0, ["data:x"], [0.0], "A cat")


def test_every_frame_of_a_clip_has_its_map_on_one_scale():
    moved = np.stack([np.full((2, 2), v) for v in (0.0, 0.5, 1.0)])
    figure = experiment.changed_figure(moved, ["data:a", "data:b", "data:c"], [0.0, 0.04, 0.08], "A clip")
    veils = [pixels(url).mean() for url in re.findall(r'src="(data:image[^"]+)"', figure)]
    assert veils == sorted(veils)
    assert len(set(veils)) == 3
    assert "0.04 s" in figure


def test_trust_is_put_in_words_with_the_correlation():
    found = Attribution("cat", np.array([0.3, 0.1, 0.0]), np.array([0.2, 0.4, 0.0]), 0.5)
    said, alt = experiment.trust_sentence(found)
    assert "<b>0.500</b>" in said
    assert "is not g<sub>0</sub>, which has the largest first-order term" in said
    assert "3 primitives for cat" in alt
    flat = Attribution("cat", np.zeros(2), np.zeros(2), float("nan"))
    assert "not defined" in experiment.trust_sentence(flat)[0]
