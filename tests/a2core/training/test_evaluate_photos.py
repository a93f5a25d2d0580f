"""Predictions on labelled photos: lists and halves, undistorted crops, fair controls, intervals."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from a2core import load_model
from a2core.cli import main
from a2core.errors import TrainingError
from a2core.networks.backbones import load_backbone
from a2core.networks.spec import InputSpec
from a2core.training.evaluate.intervals import apart, interval
from a2core.training.evaluate.on_photos import (
    fitted_bias,
    measure_photos,
    rows_of,
    taught_by,
    teacher_for,
    with_fitted_bias,
)
from a2core.training.evaluate.pictures import (
    Enlarged,
    centre_crop,
    chosen_sizes,
    crops,
    enlarged_words,
    side_of,
    size_word,
)
from a2core.training.photos.labelled import find_listed, half_of
from a2core.training.photos.read import Skipped


@pytest.fixture
def listed(tmp_path):
    """Five photos of a cat and of a cup, with a list of them."""
    folder = tmp_path / "listed"
    folder.mkdir()
    lines = ["file,imagenet_index,author"]
    for index in range(5):
        picture = np.roll(data.chelsea() if index % 2 else data.coffee(), 20 * index, axis=1)
        Image.fromarray(picture).resize((150, 100)).save(folder / f"{index}.jpg")
        lines.append(f"{index}.jpg,{281 if index % 2 else 967},somebody")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


# ---------------------------------------------------------------- what is measured on


def test_a_list_gives_each_photo_its_imagenet_class(listed):
    found = find_listed(listed)
    assert [path.name for path in found.photos] == [f"{index}.jpg" for index in range(5)]
    assert [found.classes[label] for label in found.labels] == [
        "n02123045" if index % 2 else "n07920052" for index in range(5)
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("file,class\n0.jpg,3\n", "no column 'imagenet_index'"),
        ("file,imagenet_index\n0.jpg,1000\n", "line 2: '1000' is no ImageNet class"),
        ("file,imagenet_index\n0.jpg,-1\n", "'-1' is no ImageNet class"),
        ("file,imagenet_index\n0.jpg\n", "'' is no ImageNet class"),
        ("file,imagenet_index\n0.jpg,3\n0.jpg,4\n", "line 3: '0.jpg' is named twice"),
        ("file,imagenet_index\n9.jpg,3\n", "'9.jpg' is not there"),
        ("file,imagenet_index\n", "names no photo"),
        ("", "no column 'file'"),
    ],
)
def test_a_list_that_is_none_is_refused_by_its_line(listed, text, fault, capsys):
    (listed / "labels.csv").write_text(text)
    with pytest.raises(TrainingError, match="labels"):
        find_listed(listed)
    assert main(["evaluate", "--photos", str(listed)]) == 2
    assert fault in capsys.readouterr().err


def test_the_halves_are_the_same_whatever_the_order_and_hold_every_photo_once(listed):
    found = find_listed(listed)
    chosen, reported = half_of(found, "chosen"), half_of(found, "reported")
    assert (len(chosen.photos), len(reported.photos)) == (3, 2)
    assert {*chosen.photos, *reported.photos} == set(found.photos)
    order = np.random.default_rng(0).permutation(5)
    assert {path.name for path in chosen.photos} == {f"{index}.jpg" for index in order[:3]}
    turned = type(found)(found.photos[::-1], found.labels[::-1], found.classes)
    again = half_of(turned, "chosen")
    assert set(again.photos) == set(chosen.photos)
    labels = dict(zip(found.photos, found.labels, strict=True))
    assert [labels[path] for path in again.photos] == again.labels.tolist()


def circle(height, width):
    """A disk of 40 pixels in the middle of a photo."""
    rows, cols = np.mgrid[:height, :width]
    inside = (rows - height / 2) ** 2 + (cols - width / 2) ** 2 < 20**2
    return np.repeat((inside * 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("shape", "side", "scale"),
    [
        ((512, 700), 224, 256 / 512),  # as classifiers are tested
        ((240, 300), 224, 1),  # its short side is below 256: taken as it is
        ((300, 240), 224, 1),
        ((256, 256), 256, 1),
        ((100, 150), 224, 2.24),  # too small even for the crop
    ],
)
def test_a_crop_is_undistorted_and_never_larger_than_the_photo_unless_it_must(shape, side, scale):
    crop = centre_crop(circle(*shape), side)
    assert crop.shape == (side, side, 3)
    across, down = (crop[..., 0].max(axis=axis) > 127 for axis in (0, 1))
    assert abs(int(across.sum()) - 40 * scale) <= 2
    assert abs(int(down.sum()) - 40 * scale) <= 2
    assert abs(np.flatnonzero(across).mean() - (side - 1) / 2) <= 1


def test_native_is_the_networks_multiple_below_the_photo_and_small_photos_are_counted(tmp_path):
    takes = InputSpec()
    assert side_of(np.zeros((200, 170, 3)), "native", takes) == 160
    assert side_of(np.zeros((40, 170, 3)), "native", takes) == 64
    assert side_of(np.zeros((200, 170, 3)), 224, takes) == 224
    paths = []
    for index, size in enumerate([(100, 70), (70, 140), (130, 130), (100, 80)]):
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(np.full((*size, 3), index, np.uint8)).save(paths[-1])
    enlarged = Enlarged()
    found = list(crops(paths, 96, takes, Skipped(), enlarged))
    assert [indices for indices, _ in found] == [[0, 1, 2, 3]]
    assert (
        enlarged_words(enlarged.counts, 96) == "3 of 4 pictures are smaller than 96 pixels and were enlarged."
    )
    native = {
        index: x.shape[1] for at, x in crops(paths, "native", takes, Skipped(), Enlarged()) for index in at
    }
    assert native == {0: 64, 1: 64, 2: 128, 3: 64}
    assert enlarged_words(Enlarged().counts, 96) == ""


def test_sizes_are_words_or_numbers_that_the_network_takes():
    assert size_word("native") == "native"
    with pytest.raises(TrainingError, match="'big' is no size"):
        size_word("big")
    takes = InputSpec()
    assert chosen_sizes(takes, ["native", 224], (352,)) == ("native", 224)
    assert chosen_sizes(takes, None, ("native", 352)) == ("native", 352)
    assert chosen_sizes(InputSpec(multiple_px=48), None, ("native", 352)) == ("native", 336)
    assert chosen_sizes(InputSpec(fixed_px=(224, 224)), None, ("native", 352)) == (224,)
    assert chosen_sizes(InputSpec(fixed_px=(224, 224)), ["native"], (352,)) == (224,)
    with pytest.raises(TrainingError, match="multiple of 32"):
        chosen_sizes(takes, [100], (352,))


# ---------------------------------------------------------------- what stands beside the blocks


def test_a_fitted_bias_gives_back_a_bias_that_was_there_and_nothing_where_there_was_none():
    rng = torch.Generator().manual_seed(0)
    plain = 2 * torch.randn(4000, 4, generator=rng)
    bias = torch.tensor([0.8, 0.0, -0.3, -0.5])
    found = fitted_bias(plain, plain + bias)
    torch.testing.assert_close(found.float(), bias, atol=0.02, rtol=0)
    assert fitted_bias(plain, plain).abs().max() < 1e-3
    few = fitted_bias(plain[:2], plain[:2] + 5 * bias)  # two photos say little
    assert few.abs().max() < 1.5


def test_a_photo_gets_a_bias_that_was_fitted_without_it():
    rng = torch.Generator().manual_seed(1)
    plain, ours = torch.randn(9, 3, generator=rng), torch.randn(9, 3, generator=rng)
    before = with_fitted_bias(plain, ours)
    for photo in range(9):
        other = ours.clone()
        other[photo] += torch.tensor([9.0, 0, 0])
        torch.testing.assert_close(with_fitted_bias(plain, other)[photo], before[photo])
    added = before - plain
    assert len({tuple(round(float(v), 5) for v in row) for row in added}) == 2  # one for each half


def test_rows_say_how_often_each_is_right_and_how_far_the_blocks_are_ahead():
    truth = np.array([0, 1, 2, 0])
    ours = torch.eye(7)[torch.tensor([0, 1, 2, 1])]
    plain = torch.eye(7)[torch.tensor([0, 2, 1, 1])]
    rows = rows_of({"with the blocks": ours, "plain trunk": plain}, truth)
    assert rows["with the blocks"]["top-1"] == 0.75
    assert rows["plain trunk"]["top-1"] == 0.25
    over = rows["plain trunk"]["blocks over it, top-1"]
    assert over["middle"] == 0.5
    assert over["low"] == 0
    assert over["high"] == 1


@pytest.mark.slow
def test_the_trunk_and_the_teacher_answer_as_they_do_alone(listed):
    model = load_model("a2-lite0", device="cpu")
    labelled = find_listed(listed)
    teacher, name = teacher_for(model)
    assert name == "tf_efficientnet_lite2"
    taught = taught_by(teacher, labelled.photos, Skipped())
    measured = measure_photos(model, labelled, "native", Skipped(), taught=taught)
    plain = load_backbone("tf_efficientnet_lite0").network
    pictures = np.stack([centre_crop(np.array(Image.open(path)), 96) for path in labelled.photos])
    large = np.stack([centre_crop(np.array(Image.open(path)), 256) for path in labelled.photos])
    truth = np.array([281 if index % 2 else 967 for index in range(5)])
    with torch.no_grad():
        x = model.preprocess(pictures)
        for row, logits in (
            ("with the blocks", model.network(x)),
            ("plain trunk", plain(x)),
            ("teacher", teacher.network(model.preprocess(large))),
        ):
            right = (logits.argmax(dim=1).numpy() == truth).mean()
            assert measured["rows"][row]["top-1"] == pytest.approx(right), row
    assert measured["enlarged"] == [0, 5]


# ---------------------------------------------------------------- intervals


def test_the_interval_of_equal_networks_is_nothing_and_of_a_sure_gain_holds_it():
    assert interval(np.zeros(50)) == {"middle": 0, "low": 0, "high": 0}
    found = interval(np.r_[np.ones(30), np.zeros(70)])
    assert 0.15 < found["low"] < found["middle"] == 0.3 < found["high"] < 0.45


def test_an_interval_is_as_wide_as_its_standard_error_says():
    values = np.random.default_rng(3).normal(2, 1, 400)
    found = interval(values)
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 / 20, rel=0.12)
    other = np.random.default_rng(4).normal(1, 1, 100)
    between = apart(values, other)
    assert between["middle"] == pytest.approx(values.mean() - other.mean(), abs=1e-4)
    assert between["high"] - between["low"] == pytest.approx(2 * 1.96 * np.hypot(1 / 20, 1 / 10), rel=0.15)


def test_values_of_one_picture_are_drawn_together():
    """Twenty pictures whose ten values are all alike say no more than twenty values."""
    once = np.random.default_rng(5).normal(0, 1, 20)
    alone = interval(once)
    together = interval(np.repeat(once, 10), np.repeat(np.arange(20), 10))
    assert together == alone
    apart_from_each_other = interval(np.repeat(once, 10))
    assert apart_from_each_other["high"] - apart_from_each_other["low"] < 0.5 * (alone["high"] - alone["low"])
