from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from a2core.cli import main
from a2core.errors import TrainingError
from a2core.networks.backbones import DEFAULT_TRUNK, load_backbone
from a2core.training.finetune.study_photos import Features, Photos, fused_trunk, labelled_photos, some_of
from a2core.training.finetune.study_variants import VARIANTS, identity_block


@pytest.fixture
def folder(tmp_path):
    """cats/{train,val}/{face,cup}/: six photos to train on and two to validate, of each class."""
    for part, count in (("train", 6), ("val", 2)):
        for name, picture in (("face", data.chelsea()), ("cup", data.coffee())):
            target = tmp_path / "cats" / part / name
            target.mkdir(parents=True)
            for index in range(count):
                shifted = np.roll(picture, 25 * index + (part == "val"), axis=1)
                Image.fromarray(shifted).resize((80, 80)).save(target / f"{index}.jpg")
    return tmp_path / "cats"


def arguments(folder, out, *more):
    return ["study", "--photos", str(folder), "--out", str(out), "--size", "64", "--epochs", "1", "--seeds",
            "2", *more]  # fmt: skip


@pytest.mark.slow
def test_the_study_goes_on_behind_its_last_run_and_ends_as_if_never_stopped(
    folder, tmp_path, capsys, monkeypatch
):
    few = {name: VARIANTS[name] for name in ("no block", "squeeze-excitation", "A²")}
    for name in VARIANTS.keys() - few.keys():
        monkeypatch.delitem(VARIANTS, name)
    assert main(arguments(folder, tmp_path / "whole")) == 0
    table = capsys.readouterr().out
    lines = (tmp_path / "whole" / "runs.jsonl").read_text().splitlines(keepends=True)
    assert len(lines) == 1 + 3 * len(few) + 2 * len(few)
    assert "| A² |" in table

    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "runs.jsonl").write_text("".join(lines[:13]) + lines[13][:20])  # killed in the midst of a line
    assert main(arguments(folder, broken)) == 0
    ended = [json.loads(line) for line in (broken / "runs.jsonl").read_text().splitlines()]
    whole = [json.loads(line) for line in lines]
    assert [{**run, "wall_s": 0} for run in ended] == [{**run, "wall_s": 0} for run in whole]
    rows = json.loads((tmp_path / "whole" / "study.json").read_text())
    assert [row["variant"] for row in rows] == list(few)
    finals = {(run["variant"], run["seed"]): run["accuracy"] for run in whole if run.get("phase") == "final"}
    for row in rows:
        mine, plain = ([finals[name, seed] for seed in (0, 1)] for name in (row["variant"], "no block"))
        assert row["mean"] == pytest.approx(np.mean(mine))
        assert row["gain"] == pytest.approx(np.mean(np.subtract(mine, plain)))
    assert (tmp_path / "whole" / "study.svg").read_text().count("<circle") == 2 * len(few)

    assert main(arguments(folder, tmp_path / "whole", "--limit", "10")) == 2
    assert "other settings" in capsys.readouterr().err
    assert main(arguments(folder, tmp_path / "few", "--limit", "5")) == 2
    assert "too few" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "no block"])
def test_every_block_has_about_as_many_parameters_and_starts_near_the_identity(name):
    block = identity_block(name)
    assert sum(p.numel() for p in block.parameters()) == pytest.approx(37_000, rel=0.06)
    x = torch.randn(2, 192, 3, 3, generator=torch.Generator().manual_seed(0))
    assert (block(x) - x).norm() < 0.06 * x.norm()


def test_the_fused_trunk_answers_as_the_trunk():
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = load_backbone(DEFAULT_TRUNK).network
    with torch.no_grad():
        torch.testing.assert_close(fused_trunk()(x), plain(x), rtol=1e-3, atol=1e-3)


def test_photos_come_with_their_folder_in_the_class_and_half_of_them_are_always_the_same(folder):
    train, val, classes = labelled_photos([str(folder)])
    assert classes == ["cats/cup", "cats/face"]
    assert (len(train.paths), len(val.paths)) == (12, 4)
    for part in (train, val):
        assert [classes[k].split("/")[1] for k in part.labels] == [path.parent.name for path in part.paths]
    half = some_of(train, 6)
    assert half.paths == some_of(train, 6).paths
    assert [train.labels[train.paths.index(path)] for path in half.paths] == half.labels.tolist()
    assert some_of(train, None) is train


def test_folders_that_do_not_fit_are_each_said(folder, tmp_path):
    with pytest.raises(TrainingError, match="no folder train"):
        labelled_photos([str(tmp_path)])
    (folder / "val" / "cup").rename(folder / "val" / "dog")
    with pytest.raises(TrainingError, match="only one of train and val"):
        labelled_photos([str(folder)])


def test_an_unreadable_photo_is_left_out_of_the_features(folder, tmp_path):
    train, _, _ = labelled_photos([str(folder)])
    train.paths[2].write_bytes(b"no photo")
    (tmp_path / "out").mkdir()
    features = Features(
        tmp_path / "out", "train", Photos(train.paths[:4], train.labels[:4], train.sources[:4]), 64
    )
    features.build()
    x, y, _ = features.load()
    assert len(x) == len(y) == 3
