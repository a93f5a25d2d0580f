from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image

from a2core import Clip
from a2core.blocks.registry import KINDS
from a2core.checkpoints import save_checkpoint
from a2core.cli import main
from a2core.errors import NetworkError, TrainingError
from a2core.load import load_model
from a2core.networks.backbones import load_backbone
from a2core.tracing.model_input import standardised
from a2core.training.adapt.answers import Answers, AnswerSettings, native_sizes
from a2core.training.adapt.cache import Cache
from a2core.training.adapt.command import architecture, as_begun
from a2core.training.adapt.losses import as_read
from a2core.training.adapt.run import Adaptation
from a2core.training.adapt.settings import AdaptSettings
from a2core.training.adapt.targets import CacheSettings, walked_affinity
from a2core.training.adapt.trainee import Trainee
from a2core.training.photos.found import find_photos
from a2core.training.subject import subject
from tests.a2core.training.photo_folders import make_photos

SETTINGS = CacheSettings(sizes_px=(96,), rows=4)
ASKED = AnswerSettings(SETTINGS.trunk, SETTINGS.teacher, "blocks.4", sizes_px=(64, 96))


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path)


# ---------------------------------------------------------------- targets


def test_the_walked_affinity_is_a_distribution_that_stays_within_separate_groups():
    units = torch.zeros(1, 2, 6)
    units[0, 0, :3] = 1
    units[0, 1, 3:] = 1
    walk = walked_affinity([units], temperature=0.02, steps=8)
    torch.testing.assert_close(walk.sum(dim=2), torch.ones(1, 6))
    assert walk[0, :3, :3].sum() == pytest.approx(3, abs=1e-4)


# ---------------------------------------------------------------- adapting


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    root = tmp_path_factory.mktemp("adapting")
    cache = Cache(root / "cache", find_photos([str(make_photos(root))]), SETTINGS)
    cache.build(progress=False)
    return cache


@pytest.fixture(scope="module")
def answers(cache, tmp_path_factory):
    answers = Answers(tmp_path_factory.mktemp("answers"), cache.photos, ASKED)
    answers.build(progress=False)
    return answers


def settings(**changes):
    base = AdaptSettings(
        architecture(subject(None, ()), (6, 5)), attention_steps=6, prediction_steps=4, batch_size=4
    )
    return dataclasses.replace(base, **changes)


@pytest.mark.slow
def test_the_cache_holds_target_rows_that_sum_to_one_and_builds_only_once(cache, monkeypatch):
    batch = cache.batch(96, np.arange(8))
    for tap, positions in (("blocks.4", 36), ("blocks.5", 9)):
        assert batch[f"targets@{tap}"].shape == (8, 4, positions)
        torch.testing.assert_close(batch[f"targets@{tap}"].sum(dim=2), torch.ones(8, 4), atol=2e-3, rtol=0)
    monkeypatch.setattr(cache, "compute", None)  # would fail if anything were computed again
    cache.build(progress=False)


@pytest.mark.slow
def test_trunk_and_teacher_are_asked_about_the_same_window_at_their_own_sizes(answers):
    window = answers.window(0, 64)[0]
    assert answers.picture(0, 64).shape == (1, 64, 64, 3)
    assert window.shape[0] == window.shape[1] >= 0.7 * 96  # of a photo of 128 × 96
    kept = answers.batch(64, np.arange(1))

    def prepared(side):
        sized = Image.fromarray(window).resize((side, side), Image.Resampling.BILINEAR)
        return (torch.from_numpy(np.array(sized)).permute(2, 0, 1)[None] / 255 - 0.498) / 0.502

    for name, network, side in (("own", ASKED.trunk, 224), ("teacher", ASKED.teacher, 256)):
        network = load_backbone(network).network.eval()
        with torch.inference_mode():
            known, small = network(prepared(side)), network(prepared(64))
        assert (kept[f"logits {name}"] - known).abs().max() < 0.1 * (known - small).abs().max(), name


@pytest.mark.slow
def test_from_the_kept_features_on_an_untrained_network_answers_as_the_plain_one_does(answers):
    """Of every photo, several being looked at beside one another."""
    trainee = Trainee(architecture(subject(None, ()), (6, 5))).eval()
    plain = load_backbone(ASKED.trunk).network.eval()
    for size in ASKED.sizes_px:
        kept, pictures = answers.batch(size, np.arange(8)), answers.pictures(size, np.arange(8))
        x = (torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255 - 0.498) / 0.502
        with torch.no_grad():
            torch.testing.assert_close(
                trainee.predict(kept["features"], None), plain(x), atol=0.03, rtol=0.03
            )


def test_what_is_answered_to_was_never_enlarged(tmp_path):
    rng = np.random.default_rng(0)
    for name, size in (("large", (200, 150)), ("fits", (96, 120)), ("small", (95, 300))):
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    photos = sorted(tmp_path.glob("*.png"))
    answers = Answers(tmp_path / "kept", photos, dataclasses.replace(ASKED, sizes_px=(96,)))
    fits, large, small = (answers.window(index, 96) for index in range(3))
    assert small is None
    assert 105 <= large.shape[1] <= 150
    whole = np.asarray(Image.open(tmp_path / "fits.png"))  # its own pixels, maybe mirrored
    cuts = [whole[:, left : left + 96] for left in range(25)]
    assert any((fits[0] == cut).all() or (fits[0] == cut[:, ::-1]).all() for cut in cuts)
    answers.build(progress=False)
    assert answers.valid_members(96).tolist() == [0, 1]


def test_sizes_are_those_that_most_photos_fill_from_what_the_network_is_used_to_on(tmp_path):
    usual = load_backbone("tf_efficientnet_lite0").input
    rng = np.random.default_rng(0)

    def photos(*sides):
        folder = tmp_path / "-".join(map(str, sides))
        folder.mkdir()
        for index, side in enumerate(sides):
            picture = rng.integers(0, 256, (side, side + 8, 3), dtype=np.uint8)
            Image.fromarray(picture).save(folder / f"{index}.png")
        return sorted(folder.glob("*.png"))

    assert native_sizes(photos(40, 200, 230), usual) == (160, 192)
    assert native_sizes(photos(256, 256), usual) == (224, 256)
    assert native_sizes(photos(900, 700), usual) == (224, 320, 448)
    assert native_sizes(photos(70, 70), usual) == (64,)
    assert native_sizes(photos(40), dataclasses.replace(usual, fixed_px=(224, 224))) == (224,)
    with pytest.raises(TrainingError, match=r"no larger than 41 pixels.*at least 64 pixels"):
        native_sizes(photos(40, 41), usual)


@pytest.mark.slow
def test_a_run_that_was_killed_ends_exactly_as_one_that_was_not(cache, answers, tmp_path):
    whole = Adaptation(cache, answers, settings(), tmp_path / "whole", save_every=1)
    whole.run(progress=False)

    class KilledError(Exception):
        pass

    for at in (3, 6, 8):
        broken = Adaptation(cache, answers, settings(), tmp_path / "broken", save_every=1)
        one_step = broken._one_step

        def dying(*given, run=broken, stop=at, real=one_step):
            if run.step == stop:
                raise KilledError
            return real(*given)

        broken._one_step = dying
        with pytest.raises(KilledError):
            broken.run(progress=False)
    resumed = Adaptation(cache, answers, settings(), tmp_path / "broken", save_every=1)
    resumed.run(progress=False)
    assert resumed.last["loss"] == pytest.approx(whole.last["loss"], rel=1e-4)
    for key, tensor in whole.trainee.trained_tensors().items():
        torch.testing.assert_close(resumed.trainee.trained_tensors()[key], tensor, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_a_run_is_not_resumed_with_other_settings_and_divergence_says_what_to_change(
    cache, answers, tmp_path
):
    Adaptation(cache, answers, settings(attention_steps=2, prediction_steps=0), tmp_path / "run").run(
        progress=False
    )
    with pytest.raises(TrainingError, match="batch_size"):
        Adaptation(
            cache, answers, settings(attention_steps=2, prediction_steps=0, batch_size=2), tmp_path / "run"
        ).run(progress=False)
    with pytest.raises(TrainingError, match="--learning-rate"):
        Adaptation(cache, answers, settings(learning_rate=float("inf")), tmp_path / "wild").run(
            progress=False
        )


@pytest.mark.slow
def test_while_it_learns_to_answer_attention_stays_as_it_was(answers, tmp_path):
    shipped = load_model("a2-lite0", device="cpu")
    described = shipped.card["architecture"]
    with torch.no_grad():  # any attention at all
        for parameter in (p for block in shipped.blocks.values() for p in block.parameters()):
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    start = save_checkpoint(tmp_path / "start.safetensors", shipped.blocks, architecture=described, card={})
    run = Adaptation(
        None,
        answers,
        settings(architecture=described, attention_steps=0, prediction_steps=4),
        tmp_path / "run",
        init=str(start),
    )
    run.run(progress=False)
    assert {*run.last} == {"predict", "bound", "loss"}
    for name, block in run.trainee.blocks.items():
        before = shipped.blocks[name].state_dict()
        same = {key for key, value in block.state_dict().items() if torch.equal(value, before[key])}
        assert {*before} - same == {"expand.weight", "expand.bias"}, name
    told = run.write_checkpoint(tmp_path / "again.safetensors", {})
    assert load_model(told, device="cpu").card["architecture"] == described
    with pytest.raises(TrainingError, match=r"never learn where to look.*--init"):
        Adaptation(None, answers, settings(attention_steps=0), tmp_path / "other")


def test_blocks_that_go_on_from_a_checkpoint_are_as_large_as_there_whatever_is_usual():
    of, shipped = subject(None, ()), load_model("a2-lite0", device="cpu").card["architecture"]["blocks"]
    assert as_begun(architecture(of, (6, 5)), "a2-lite0")["blocks"] == shipped
    other = architecture(of, (6, 5), "non_local")
    assert as_begun(other, "a2-lite0") == other  # of another kind: to be refused


def test_it_begins_to_answer_as_the_plain_network_whatever_it_started_from(answers, tmp_path):
    described = load_model("a2-lite0", device="cpu").card["architecture"]
    still = {"attention_steps": 0, "prediction_steps": 1, "prediction_learning_rate": 0.0}
    run = Adaptation(
        None, answers, settings(architecture=described, **still), tmp_path / "run", init="a2-lite0"
    )
    run.run(progress=False)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = load_backbone("tf_efficientnet_lite0").network.eval()
    with torch.no_grad():
        torch.testing.assert_close(run.trainee.network.eval()(x), plain(x), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_blocks_that_go_on_are_tied_to_clusters_which_a_killed_run_finds_again(cache, tmp_path):
    given = settings(attention_steps=2, prediction_steps=0)
    fresh = Adaptation(cache, None, given, tmp_path / "fresh")
    fresh.run(progress=False)
    assert "blocks.5/meaning" not in fresh.last  # of nothing yet: it is only learning where to look
    start = str(fresh.write_checkpoint(tmp_path / "fresh.safetensors", {}))
    taught = {"meaning": 1.0, "balance": 0.0}
    more = dataclasses.replace(given, attention_steps=12, learning_rate=0.01, shallow=taught, deep=taught)
    runs = [Adaptation(cache, None, more, tmp_path / "run", init=start) for _ in range(2)]
    runs[0].run(progress=False)
    norm = fresh.trainee.blocks["blocks.5"].input_norm.running_mean
    torch.testing.assert_close(runs[0].trainee.blocks["blocks.5"].input_norm.running_mean, norm)
    assert runs[1].resume()
    for name, count in (("blocks.4", 6), ("blocks.5", 5)):
        assert runs[0].clusters[name].bias.shape == (count,)
        for ours, theirs in zip(runs[0].clusters[name], runs[1].clusters[name], strict=True):
            assert torch.equal(ours, theirs)

    def apart(run):
        features = cache.batch(96, np.arange(8))["features@blocks.5"]
        block = run.trainee.blocks["blocks.5"]
        near, ours = runs[0].clusters["blocks.5"].near(as_read(block, features)[1]), block.attend(features)
        return (near * (near / ours.distribute).log()).sum(dim=1).mean().item()

    assert apart(runs[0]) < 0.9 * apart(fresh)


@pytest.mark.slow
def test_of_what_blocks_were_so_much_is_kept_as_is_asked_for_and_once(cache, tmp_path):
    given = settings(attention_steps=2, prediction_steps=0)
    fresh = Adaptation(cache, None, given, tmp_path / "fresh")
    fresh.run(progress=False)
    start = str(fresh.write_checkpoint(tmp_path / "fresh.safetensors", {}))

    def ends(**changes):
        more = dataclasses.replace(given, attention_steps=3, learning_rate=0.01, **changes)
        for _ in range(2):  # the second finds itself finished
            run = Adaptation(cache, None, more, tmp_path / str(changes), init=start)
            run.run(progress=False)
        return run.trainee.blocks["blocks.5"].rho.weight.detach()

    began, free = fresh.trainee.blocks["blocks.5"].rho.weight.detach(), ends()
    assert not torch.allclose(free, began, atol=1e-3)
    torch.testing.assert_close(ends(keep=0.75), 0.75 * began + 0.25 * free)
    for init, refused in ((None, {"keep": 0.5}), (start, {"keep": 1.5}), (start, {"keep": -0.5})):
        with pytest.raises(TrainingError, match="--keep"):
            Adaptation(cache, None, dataclasses.replace(given, **refused), tmp_path / "refused", init=init)


@pytest.mark.slow
def test_before_training_the_network_answers_as_its_plain_trunk():
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = load_backbone("tf_efficientnet_lite0").network
    for kind in KINDS:
        trainee = Trainee(architecture(subject(None, ()), (6, 5), kind))
        trainee.network.eval()
        # Squeeze-excitation's gates cannot be quite 1.
        tolerance = 0.1 if kind == "squeeze_excitation" else 1e-4
        with torch.no_grad():
            torch.testing.assert_close(trainee.network(x), plain(x), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("place", "goes_on"), [("layer3", True), ("layer3.1.conv2", False)])
def test_a_network_goes_on_from_a_stage_and_is_run_whole_where_the_block_is_inside_of_a_unit(place, goes_on):
    blocks = {place: {"in_channels": 256, "c_m": 4, "c_n": 4}}
    trainee = Trainee({"backbone": "resnet18", "trunk": "own", "blocks": blocks}).eval()
    pictures = 255 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    asked = []

    def picture():
        asked.append(1)
        return pictures

    with torch.no_grad():
        x = standardised(pictures.clone(), trainee.input)
        features = trainee.passage.until(x, f"{place}.host")[f"{place}.host"]
        answer = trainee.predict(features, picture)
        torch.testing.assert_close(answer, trainee.network(x), rtol=0, atol=0)
    assert bool(asked) is not goes_on


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "at", "grids"),
    [
        ("timm/vit_tiny_patch16_224@random", ["blocks.5", "blocks.8"], (10, 10)),
        ("torchvision/swin_t@random", ["features.3", "features.5"], (20, 10)),
        ("timm/resnet10t@random", [], (10, 5)),
        ("torchvision/lraspp_mobilenet_v3_large@random", [], (20, 10)),
    ],
)
def test_blocks_are_adapted_to_any_network_and_its_card_opens_it_again(tmp_path, capsys, network, at, grids):
    arguments = ["train", str(make_photos(tmp_path)), "--network", network, "--sizes", "160", "--limit", "4"]
    arguments += ["--attention-steps", "3", "--prediction-steps", "2", "--batch-size", "2"]
    arguments += [
        "--primitives",
        "6",
        "5",
        "--out",
        str(tmp_path / "run"),
        "--cache",
        str(tmp_path / "cache"),
    ]
    arguments += ["--name", "a2-any", "--device", "cpu", *(["--at", *at] if at else [])]
    assert main(arguments) == 0, capsys.readouterr().err
    model = load_model(tmp_path / "run" / "a2-any.safetensors")
    assert model.trained
    assert list(model.blocks) == at if at else len(model.blocks) == 2
    frames = np.random.default_rng(0).integers(0, 256, (1, 160, 160, 3), dtype=np.uint8)
    trace = model.trace(Clip(frames, np.zeros(1), "image", "", ()), size=160)
    assert tuple(block.grid[1] for block in trace.blocks.values()) == grids
    classes = "lraspp" not in network
    assert bool(trace.top) is classes
    moved = [float(block.expand.weight.detach().abs().max()) for block in model.blocks.values()]
    assert all(weight > 0 for weight in moved) is classes  # without classes the answers stay
    trained = model.card["trained"]
    assert trained["squares"] == "160 px"
    assert len(trained["mean"]) == len(trained["std"]) == 3
    assert trained["teacher"] == "the network itself"
    assert trained["blocks started"].startswith("at zero")
    answering = {"bound"} if classes else set()
    assert {*trained["losses"]} == {*model.blocks, "rebuilding", "predictions", *answering}
    assert all({"reach", "balance"} < {*trained["losses"][name]} for name in model.blocks)
    assert bool(trained["losses"]["predictions"]) is classes


def test_labels_of_another_number_than_the_classes_are_refused_before_anything_is_computed(tmp_path, capsys):
    told = {"source": "timm/resnet10t", "weights": "random", "labels": ["cold", "warm"]}
    (tmp_path / "mine.json").write_text(json.dumps(told))
    arguments = ["train", str(make_photos(tmp_path)), "--network", str(tmp_path / "mine.json")]
    assert main([*arguments, "--out", str(tmp_path / "run")]) == 2
    assert "Got 2 labels for 1000 classes" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_specification_says_where_blocks_stand_unless_the_command_does(tmp_path):
    told = {"source": "timm/resnet10t", "weights": "random", "at": ["layer2"]}
    (tmp_path / "mine.json").write_text(json.dumps(told))
    assert list(subject(str(tmp_path / "mine.json")).sites) == ["layer2"]
    assert list(subject(str(tmp_path / "mine.json"), ["layer4", "layer3"]).sites) == ["layer3", "layer4"]


def at_stages(**channels):
    """An architecture with blocks at any stages, its names with _ for the point."""
    blocks = {name.replace("_", "."): {"in_channels": c, "c_m": 4, "c_n": 4} for name, c in channels.items()}
    return {"backbone": "tf_efficientnet_lite0", "blocks": blocks}


@pytest.mark.slow
def test_how_a_block_is_taught_follows_from_the_size_of_its_cells_not_from_its_name(tmp_path):
    taps = ("blocks.2", "blocks.3", "blocks.6")  # of stride 8, 16 and 32
    photos = find_photos([str(make_photos(tmp_path))])[:4]
    cache = Cache(tmp_path / "cache", photos, dataclasses.replace(SETTINGS, taps=taps, sizes_px=(64,)))
    cache.build(progress=False)
    assert [cache.stride_px(tap) for tap in taps] == [8, 16, 32]
    described = at_stages(blocks_2=40, blocks_3=80, blocks_6=320)
    run = Adaptation(
        cache, None, settings(architecture=described, attention_steps=3, prediction_steps=0), tmp_path / "run"
    )
    run.run(progress=False)
    for name, deep in zip(taps, (False, False, True), strict=True):
        assert (f"{name}/correlation" in run.last) == (f"{name}/similarity" in run.last) == deep
        assert (f"{name}/target" in run.last) == (f"{name}/rank" in run.last) == (not deep)


@pytest.mark.slow
def test_a_block_where_nothing_was_kept_is_refused_by_name(cache, tmp_path):
    with pytest.raises(TrainingError, match=r"no features for a block at 'blocks.3', only at 'blocks.4'"):
        Adaptation(cache, None, settings(architecture=at_stages(blocks_3=80)), tmp_path)
    nowhere = Cache(tmp_path, cache.photos, dataclasses.replace(SETTINGS, taps=("blocks.9",)))
    with pytest.raises(NetworkError, match=r"no module 'blocks.9'. The nearest are"):
        nowhere.build(progress=False)


def test_of_a_grid_with_few_cells_every_row_is_kept(cache, tmp_path):
    all_rows = Cache(tmp_path, cache.photos[:2], dataclasses.replace(SETTINGS, rows=24))
    all_rows.build(progress=False)
    batch = all_rows.batch(96, np.arange(2))
    assert batch["rows@blocks.5"].sort(dim=1).values.tolist() == [list(range(9))] * 2  # of 3 × 3 cells
    assert batch["rows@blocks.4"].shape == (2, 24)


def test_features_are_kept_behind_any_module_also_inside_of_a_stage(cache, tmp_path):
    inside = Cache(tmp_path, cache.photos, dataclasses.replace(SETTINGS, taps=("blocks.3.1",)))
    inside.build(progress=False)
    assert inside.stride_px("blocks.3.1") == 16


RIVALS = [kind for kind in KINDS if kind != "double_attention"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", RIVALS)
def test_a_rival_is_trained_by_the_same_recipe_and_loads_again(cache, answers, tmp_path, kind):
    run = Adaptation(
        cache,
        answers,
        settings(
            architecture=architecture(subject(None, ()), (6, 5), kind), attention_steps=60, prediction_steps=8
        ),
        tmp_path,
    )
    first: dict[str, float] = {}
    watch = run._watch
    run._watch = lambda losses: (
        first.update({k: v for k, v in losses.items() if k not in first}),
        watch(losses),
    )
    run.run(progress=False)
    attends = kind in ("non_local", "self_attention")
    assert (
        "blocks.5/correlation" in run.last
    ) == attends  # drawn to the targets where there is attention to draw
    assert run.last["predict"] < first["predict"]
    assert run.last["blocks.5/rebuild"] < 0.9 * first["blocks.5/rebuild"]
    if attends:
        assert run.last["blocks.4/target"] < first["blocks.4/target"]
        assert run.last["blocks.5/similarity"] < 0.9 * first["blocks.5/similarity"]
    path = run.write_checkpoint(tmp_path / f"{kind}.safetensors", {})
    model = load_model(path, device="cpu")
    assert [type(block) for block in model.blocks.values()] == [KINDS[kind]] * 2
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model.network(x), run.trainee.network.eval()(x), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_command_trains_a_checkpoint_that_loads_and_traces(photos, tmp_path, capsys):
    (photos / "odd" / "broken.jpg").write_bytes(b"no photo")
    arguments = ["train", str(photos), "--out", str(tmp_path / "run"), "--cache", str(tmp_path / "c"),
                 "--sizes", "160", "--attention-steps", "3", "--prediction-steps", "2", "--batch-size", "4",
                 "--primitives", "6", "5", "--name", "mine", "--limit", "20"]  # fmt: skip
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "broken.jpg" in said
    assert "--limit 20 asks for more photos than there are: all 9 are used" in said
    assert said.count("8 of 8 photos looked into are smaller than 160 pixels and enlarged") == 1
    photo = photos / "even" / "0.jpg"
    checkpoint = tmp_path / "run" / "mine.safetensors"
    assert main(["trace", str(photo), "--checkpoint", str(checkpoint), "--size", "96"]) == 0
    assert "blocks.5: n=5" in capsys.readouterr().out
    assert main([*arguments[:2], "--frames", "0"]) == 2
    assert "--frames 0" in capsys.readouterr().err
    again = [*arguments[:2], "--out", str(tmp_path / "none")]
    assert main([*again, "--attention-steps", "0", "--prediction-steps", "0"]) == 2
    assert "leaves a step" in capsys.readouterr().err


@pytest.mark.slow
def test_photos_as_clips_are_attended_to_jointly_and_the_checkpoint_is_an_ordinary_one(photos, tmp_path):
    cache = Cache(
        tmp_path / "clips", find_photos([str(photos)]), dataclasses.replace(SETTINGS, frames=3, seed=1)
    )
    cache.build(progress=False)
    answers = Answers(tmp_path / "clips", cache.photos, dataclasses.replace(ASKED, frames=3, sizes_px=(64,)))
    answers.build(progress=False)
    batch = answers.batch(64, np.arange(2))
    assert batch["features"].shape == (6, 112, 4, 4)
    assert batch["logits own"].shape == batch["logits teacher"].shape == (6, 1000)
    batch = cache.batch(96, np.arange(2))
    assert batch["features@blocks.4"].shape == (6, 112, 6, 6)
    assert batch["targets@blocks.4"].shape == (2, 4, 3 * 36)
    torch.testing.assert_close(batch["targets@blocks.4"].sum(dim=2), torch.ones(2, 4), atol=2e-3, rtol=0)
    run = Adaptation(cache, answers, settings(), tmp_path / "run")
    assert {block.frames_per_clip for block in run.trainee.blocks.values()} == {3}
    run.run(progress=False)
    model = load_model(run.write_checkpoint(tmp_path / "clips.safetensors", {}), device="cpu")
    assert [block.frames_per_clip for block in model.blocks.values()] == [1, 1]
