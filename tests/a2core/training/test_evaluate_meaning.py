"""`evaluate` on classes, parts and tracks: what it prints, keeps and writes, and what it refuses."""

from __future__ import annotations

import itertools
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from a2core import load_model, read_media
from a2core.checkpoints import SHIPPED
from a2core.cli import main
from a2core.tracing.intervene import Replay
from a2core.training.evaluate.on_classes import deletion_areas, other_network, pooled_features
from a2core.training.evaluate.on_photos import logits_without

METHODS = ["block", "random block", "k-means, data set", "NMF, data set", "chance"]


@pytest.fixture(scope="module")
def model():
    return load_model("a2-lite0", device="cpu")


@pytest.fixture
def checkpoint(tmp_path):
    """A copy of the shipped checkpoint that may be written to."""
    for suffix in (".safetensors", ".json"):
        shutil.copy(SHIPPED / f"a2-lite0{suffix}", tmp_path / f"mine{suffix}")
    return tmp_path / "mine.safetensors"


@pytest.fixture
def classes(tmp_path):
    """Two folders of ten photos each, of a cat and of a cup."""
    for name, picture in (("cat", data.chelsea()), ("cup", data.coffee())):
        (tmp_path / "things" / name).mkdir(parents=True)
        for index in range(11):
            turned = np.roll(picture, 25 * index, axis=1)
            Image.fromarray(turned).resize((96, 80)).save(tmp_path / "things" / name / f"{index}.jpg")
    return tmp_path / "things"


@pytest.fixture
def masks(tmp_path):
    """Two scenes of three frames whose masks are a disk that moves; a label each."""
    folder = tmp_path / "masks"
    folder.mkdir()
    rows, cols = np.mgrid[:96, :128]
    for label, (scene, picture) in enumerate((("cat", data.chelsea()), ("cup", data.coffee())), 1):
        for frame in range(3):
            inside = (rows - 48) ** 2 + (cols - 40 - 12 * frame) ** 2 < 30**2
            Image.fromarray(picture).resize((128, 96)).save(folder / f"{scene}_{frame}.jpg")
            Image.fromarray((inside * label).astype(np.uint8)).save(folder / f"{scene}_{frame}.png")
    (folder / "labels.json").write_text('["nothing", "fur", "china"]')
    return folder


@pytest.mark.slow
def test_one_run_measures_what_primitives_mean_and_writes_each_ones_scores_into_the_card(
    checkpoint, classes, masks, tmp_path, capsys
):
    Image.new("RGB", (128, 96)).save(masks / "coloured_0.png")
    shutil.copy(masks / "cat_0.jpg", masks / "coloured_0.jpg")
    before = json.loads(checkpoint.with_suffix(".json").read_text())
    out = tmp_path / "measures.json"
    asked = ["evaluate", str(checkpoint), "--classes", str(classes), "--second", "a2-lite0-clips", "--parts",
             str(masks), "--tracks", str(masks), "--sizes", "96", "--json", str(out), "--write"]  # fmt: skip
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert "coloured_0.png (it has colours" in printed
    assert "| block over k-means, data set |" in printed

    measures = json.loads(out.read_text())
    on_classes, on_parts, on_tracks = (measures[section]["96"] for section in ("classes", "parts", "tracks"))
    assert (on_classes["pictures"], on_classes["second"], on_classes["folder"].split("/")[-1]) == (
        22, ["a2-lite0-clips"], "things",
    )  # fmt: skip
    assert (on_parts["pictures"], on_tracks["pictures"]) == (6, 2)
    for block, n in (("blocks.4", 64), ("blocks.5", 256)):
        found = on_classes["blocks"][block]
        assert set(found) == {"stability", "class purity", "MonoScore", "deletion"}
        assert all(
            list(found[name]["rows"]) == METHODS for name in ("stability", "class purity", "MonoScore")
        )
        assert set(found["deletion"]["rows"]) == {"by ρ", "by first order", "by chance"}
        assert found["stability"]["rows"]["block"]["middle"] > found["stability"]["rows"]["chance"]["middle"]
        assert set(on_parts["blocks"][block]) >= {"mIoU", "mass-Jaccard"}
        carried = on_tracks["blocks"][block]["J&F"]
        assert (carried["by"], len(carried["rows"])) == ("scenes", 5)
        for measured in (*found.values(), *on_parts["blocks"][block].values(), carried):
            for of in measured["rows"].values():
                assert of["low"] <= of["middle"] <= of["high"]

        numbers = json.loads(checkpoint.with_suffix(".json").read_text())["cards"][block]["numbers"]
        assert len(numbers) == n
        assert {of["top class"] for of in numbers} <= {"cat", "cup"}
        shares = [of["class purity"] for of in numbers]
        middle = found["class purity"]["rows"]["block"]["middle"]
        assert np.mean(shares) == pytest.approx(middle, abs=1e-3)
        assert [of["use"] for of in numbers] == [of["use"] for of in before["cards"][block]["numbers"]]
    told = load_model(checkpoint, device="cpu").card
    assert "primitives on classes at 96 pixels" in told["metrics"]
    assert str(tmp_path) not in json.dumps(told)
    assert main(["cards", str(checkpoint), "--photos", str(classes), "--size", "64"]) == 0
    again = load_model(checkpoint, device="cpu").card["cards"]["blocks.5"]["numbers"]
    assert [of["class purity"] for of in again] == shares  # what was measured of each stays


@pytest.mark.slow
def test_what_primitives_mean_cannot_be_measured_on_is_one_line(classes, masks, tmp_path, capsys):
    def refused(*asked, checkpoint="a2-lite0"):
        assert main(["evaluate", checkpoint, "--sizes", "64", *map(str, asked)]) == 2
        return capsys.readouterr().err

    assert "Give --classes too" in refused("--parts", masks, "--second", "a2-lite0-clips")
    assert "4 photos with classes could be read" in refused("--classes", classes, "--limit", 4)
    for asked in (("--parts", masks), ("--tracks", masks), ("--classes", classes)):
        said = refused(*asked, checkpoint="non-local-lite0")
        assert "non-local-lite0 has no double attention block, so no primitives" in said
    assert "no ID.jpg with ID.png" in refused("--parts", classes)
    said = refused("--classes", classes, "--second", "non-local-lite0")
    assert "--second non-local-lite0 has no double attention at blocks.4, blocks.5" in said
    (masks / "labels.json").write_text('{"1": "fur"}')
    assert "is no list of names" in refused("--parts", masks)
    for path in masks.glob("*_[12].*"):
        path.unlink()
    assert "no two frames of one scene" in refused("--tracks", masks)


def test_deletion_is_the_area_under_the_answers_of_the_network_with_primitives_taken_out(model, tmp_path):
    Image.fromarray(data.chelsea()[40:136, 120:216]).save(tmp_path / "cat.png")
    clip = read_media(tmp_path / "cat.png")
    replay = Replay(model, clip, size=96)
    name = "blocks.5"
    block = model.blocks[name]
    found = deletion_areas(replay, name, np.random.default_rng(0))

    def probability(off):
        """The whole network, the block handing out X + Σ ĝ_i V_i over those that are not off, by hand."""

        def instead(_, args, __):
            attended = block.attend(args[0])
            kept = [i for i in range(block.c_n) if i not in set(off)]
            each = block.expand.weight.flatten(1) @ attended.primitives[0] + block.expand.bias[:, None]
            added = each[:, kept] @ attended.distribute[0][kept]
            return args[0] + added.unflatten(1, args[0].shape[2:])[None]

        with block.register_forward_hook(instead), torch.no_grad():
            return model.network(model.preprocess(clip.frames)).softmax(dim=1)[0].double().numpy()

    best = probability([]).argmax()
    use = replay.trace.blocks[name].distribute.reshape(block.c_n, -1).mean(axis=1)
    orders = {
        "by ρ": np.argsort(-use, kind="stable"),
        "by chance": np.random.default_rng(0).permutation(block.c_n),
    }
    for order, first in orders.items():
        curve = [probability(first[: 32 * step].tolist())[best] for step in range(9)]
        by_hand = sum((a + b) / 2 / 8 for a, b in itertools.pairwise(curve))
        assert found[order] == pytest.approx(by_hand, rel=1e-3), order
    without = logits_without(model, model.preprocess(clip.frames))[frozenset({name})].softmax(dim=1)
    assert curve[-1] == pytest.approx(float(without[0, best]), rel=1e-3)
    assert found["by first order"] <= found["by ρ"] + 0.02


def test_pooled_features_are_what_the_classifier_reads_and_never_of_the_trunk_itself(model):
    name, other = other_network(model)
    assert name == "tf_efficientnet_lite2"
    pictures = np.stack([data.astronaut()[:64, 200:264], data.coffee()[100:164, 300:364]])
    pooled = pooled_features(name, other, pictures)
    with torch.no_grad():
        logits = other.network(model.preprocess(pictures))
        found = other.network.classifier(torch.from_numpy(pooled))
    torch.testing.assert_close(found, logits, rtol=1e-4, atol=1e-4)
    assert other_network(load_model("a2-lite2", device="cpu"))[0] == "tf_efficientnet_lite0"
