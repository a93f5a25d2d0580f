from __future__ import annotations

import json
import shutil
import types
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn

from a2core import Clip, list_checkpoints, load_model, untrained_model
from a2core.blocks.registry import make_block
from a2core.checkpoints import SHIPPED, save_checkpoint
from a2core.cli import main
from a2core.errors import CheckpointError, TrainingError
from a2core.networks.backbones import load_backbone
from a2core.tracing.record import watching
from a2core.training.evaluate.cards import Tally, amend_card, in_fields, place, primitive_cards, sentence
from a2core.training.evaluate.feature_maps import k_means_maps, nmf_maps
from a2core.training.evaluate.measures import click_aucs, regions_of
from a2core.training.evaluate.on_photos import class_index, imagenet_index, logits_without
from a2core.training.evaluate.on_regions import BASELINES, measure_regions, region_pairs
from a2core.training.evaluate.pictures import Enlarged
from a2core.training.photos.read import Skipped, moved, square
from viz_app.views.about.content import card_facts


@pytest.fixture(scope="module")
def model():
    return load_model("a2-lite0", device="cpu")


@pytest.fixture
def labelled(tmp_path):
    """Three pictures with two annotators' halves and quarters."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    for name in ("coffee", "astronaut", "chelsea"):
        Image.fromarray(getattr(data, name)()).resize((120, 80)).save(folder / f"{name}.jpg")
        rows, cols = np.mgrid[:80, :120]
        halves, quarters = cols // 60, 2 * (rows // 40) + cols // 60
        np.savez(folder / f"{name}.npz", segmentations=np.stack([halves, quarters]).astype(np.uint16))
    return folder


@pytest.fixture
def photos(tmp_path):
    """Folders named for two ImageNet classes, two photos each."""
    for index, folder in enumerate(["n02123045", "n02123045", "espresso", "espresso"]):
        (tmp_path / "photos" / folder).mkdir(parents=True, exist_ok=True)
        picture = np.roll(data.chelsea() if index < 2 else data.coffee(), 30 * index, axis=1)
        Image.fromarray(picture).resize((96, 96)).save(tmp_path / "photos" / folder / f"{index}.jpg")
    return tmp_path / "photos"


@pytest.fixture
def checkpoint(tmp_path):
    """A copy of the shipped checkpoint that may be written to."""
    for suffix in (".safetensors", ".json"):
        shutil.copy(SHIPPED / f"a2-lite0{suffix}", tmp_path / f"mine{suffix}")
    return tmp_path / "mine.safetensors"


# ---------------------------------------------------------------- evaluate


@pytest.mark.slow
def test_one_run_measures_the_block_and_every_baseline_and_can_write_it_into_the_card(
    checkpoint, labelled, photos, tmp_path, capsys
):
    (labelled / "broken.npz").write_bytes(b"no arrays")
    shutil.copy(labelled / "coffee.jpg", labelled / "broken.jpg")
    (tmp_path / "left_out.txt").write_text("# tuned on\nchelsea  # a cat\n")
    out = tmp_path / "measures.json"
    before = json.loads(checkpoint.with_suffix(".json").read_text())
    without = str(tmp_path / "left_out.txt")
    assert main(["evaluate", str(checkpoint), "--regions", str(labelled), "--photos", str(photos), "--sizes",
                 "96", "--without", without, "--json", str(out), "--write", "--limit", "5"]) == 0  # fmt: skip
    said = capsys.readouterr().out
    assert "broken.npz" in said
    assert said.count("smaller than 96 pixels and were enlarged") == 1  # not once a block
    assert "--limit 5 asks for more photos than there are: all 4 are used" in said
    assert "--limit 5 asks for more pictures with regions than there are: all 3 are used" in said

    measures = json.loads(out.read_text())
    assert measures["regions"]["96"]["pictures"] == 3  # coffee, astronaut and the broken one
    assert measures["regions"]["96"]["enlarged"] == [3, 3]  # of 120 × 80 pixels
    for block in ("blocks.4", "blocks.5"):
        table = measures["regions"]["96"]["blocks"][block]
        assert list(table) == ["block", *BASELINES]
        wanted = {"click-AUC", "overlap gather", "overlap rho", "median reach", "redundancy", "dead"}
        assert set(table["block"]) == set(table["random block"]) >= wanted
        over = table["cosine"].pop("block over it, click-AUC")
        difference = table["block"]["click-AUC"] - table["cosine"]["click-AUC"]
        assert over["middle"] == pytest.approx(difference, abs=1e-4)
        assert over["low"] <= over["middle"] <= over["high"]
        assert table["k-means"].pop("k") in (4, 8, 16, 32, 64, 256)
        for row in table.values():
            row.pop("block over it, click-AUC", None), row.pop("block over it, overlap gather", None)
            assert all(0 <= value <= 1 for value in row.values())
        assert set(table["cosine"]) == set(table["target"]) == {"click-AUC"}
        assert set(table["k-means"]) == set(table["NMF"]) == set(table["NMF, data set"]) == {"overlap gather"}
        assert set(table["Grad-CAM"]) == {"click-AUC", "overlap gather"}
    assert main(["evaluate", str(checkpoint), "--regions", str(labelled), "--sizes", "96", "--without",
                 without, "--json", str(out), "--no-baselines"]) == 0  # fmt: skip
    assert (
        json.loads(out.read_text())["photos"] == measures["photos"]
    )  # of the same checkpoint: kept beside it
    alone = json.loads(out.read_text())["regions"]["96"]["blocks"]
    tables = measures["regions"]["96"]["blocks"]
    assert alone == {name: {"block": table["block"]} for name, table in tables.items()}
    seen = measures["photos"]["96"]
    assert (seen["photos"], seen["enlarged"], seen["parameters"]) == (4, [0, 4], 152_624)
    assert list(seen["rows"]) == ["with the blocks", "plain trunk", "bias only", "teacher"]
    assert all(row["top-1"] <= row["top-5"] for row in seen["rows"].values())
    assert min(use["low"] for use in seen["use"].values()) >= 0

    after = json.loads(checkpoint.with_suffix(".json").read_text())
    assert {**after, "metrics": None} == {**before, "metrics": None}
    assert str(tmp_path) not in json.dumps(after)  # no path of this machine
    facts = dict(card_facts(after))
    assert facts["metrics · regions at 96 pixels · measured on"] == (
        "3 pictures of labelled, those of left_out.txt left out"
    )
    auc = measures["regions"]["96"]["blocks"]["blocks.5"]["block"]["click-AUC"]
    assert facts["metrics · regions at 96 pixels · blocks.5 · click-AUC"] == f"{round(auc, 3):.4g}"
    assert facts["metrics · photos at 96 pixels · measured on"].startswith("4 photos")
    load_model(checkpoint, device="cpu")


@pytest.mark.slow
def test_clips_are_measured_by_the_attention_that_a_trace_of_them_shows(labelled):
    model, twin = (load_model("a2-lite0", device="cpu") for _ in range(2))
    expected = []
    pairs = region_pairs(labelled, without=set(), limit=None)
    for photo, path in pairs:
        start = zlib.crc32(photo.stem.encode())
        clip = moved(np.array(Image.open(photo)), 160, 3, np.random.default_rng(start))
        moving = [moved(x, 160, 3, np.random.default_rng(start)) for x in np.load(path)["segmentations"]]
        traced = load_model("a2-lite0", device="cpu").trace(
            Clip(clip, np.arange(3.0), "video", "made", ()), size=160
        )
        block = traced.blocks["blocks.4"]
        gather, distribute = (x.reshape(block.n, -1) for x in (block.gather, block.distribute))
        regions = regions_of(np.stack(moving).reshape(2, 3 * 160, 160), 160, 3)
        expected += click_aucs(lambda cells: distribute[:, cells].T @ gather, regions, (30, 10)).tolist()  # noqa: B023
    tables = measure_regions(model, twin, pairs, 160, Skipped(), frames=3)
    assert list(tables["blocks.4"]) == ["block", "random block", "cosine", "cosine, not centred"]
    assert len(expected) > 30
    assert tables["blocks.4"]["block"]["click-AUC"] == pytest.approx(np.mean(expected), abs=2e-3)
    assert tables["blocks.4"]["block"] == tables["blocks.4"]["random block"]  # of the same weights


@pytest.mark.slow
def test_the_cosine_is_of_exactly_what_the_block_reads_at_the_pictures_native_size(labelled, model):
    pairs = region_pairs(labelled, without=set(), limit=None)
    enlarged = Enlarged()
    twin = untrained_model("a2-lite0", device="cpu")
    tables = measure_regions(model, twin, pairs, "native", Skipped(), enlarged=enlarged)
    assert enlarged.counts == [0, 3]  # 120 × 80 pixels as squares of 64
    block = model.blocks["blocks.4"]
    values = []
    for photo, path in pairs:
        picture = square(np.array(Image.open(photo)), 64)
        with torch.no_grad(), watching(model.blocks) as read:
            model.network(model.preprocess(picture[None]))
        x = read["blocks.4"].flatten(2)[0].double().numpy()
        norm = block.input_norm
        x = (x - norm.running_mean.numpy()[:, None]) / np.sqrt(norm.running_var.numpy() + norm.eps)[:, None]
        x = x - x.mean(axis=1, keepdims=True)
        x = x / np.linalg.norm(x, axis=0)
        regions = regions_of(np.load(path)["segmentations"], 64)
        values += click_aucs(lambda cells: (x.T @ x)[cells], regions, (4, 4)).tolist()  # noqa: B023
    assert tables["blocks.4"]["cosine"]["click-AUC"] == pytest.approx(np.mean(values), abs=2e-3)
    assert tables["blocks.4"]["cosine, not centred"]["click-AUC"] != pytest.approx(np.mean(values), abs=1e-3)


@pytest.mark.slow
def test_a_relative_is_measured_by_its_attention_rows_or_said_to_have_none(labelled, tmp_path):
    tables = {}
    for kind in ("non_local", "squeeze_excitation"):
        settings = {"in_channels": 192, "kind": kind}
        path = save_checkpoint(
            tmp_path / f"{kind}.safetensors",
            {"blocks.5": make_block(settings)},
            architecture={"backbone": "tf_efficientnet_lite0", "blocks": {"blocks.5": settings}},
            card={},
        )
        out = tmp_path / f"{kind}.json5"
        assert main(["evaluate", str(path), "--regions", str(labelled), "--sizes", "96", "--limit", "1",
                     "--json", str(out)]) == 0  # fmt: skip
        tables[kind] = json.loads(out.read_text())["regions"]["96"]["blocks"]["blocks.5"]
    assert set(tables["non_local"]["block"]) == {"click-AUC"}
    assert "block" not in tables["squeeze_excitation"]
    assert "NMF" in tables["squeeze_excitation"]


def test_pictures_are_left_out_by_id_and_chosen_by_seed_not_by_name(labelled):
    ids = [photo.stem for photo, _ in region_pairs(labelled, without={"coffee"}, limit=None)]
    assert ids == ["astronaut", "chelsea"]
    chosen = {photo.stem for photo, _ in region_pairs(labelled, without=set(), limit=2)}
    expected = np.array(["astronaut", "chelsea", "coffee"])[np.random.default_rng(0).permutation(3)[:2]]
    assert chosen == set(expected.tolist())
    with pytest.raises(TrainingError, match="that is not left out"):
        region_pairs(labelled, without={"coffee", "astronaut", "chelsea"}, limit=None)


def test_nothing_to_measure_on_and_a_size_that_does_not_fit_are_each_one_line(labelled, capsys):
    assert main(["evaluate"]) == 2
    assert "--regions, --photos" in capsys.readouterr().err
    assert main(["evaluate", "--regions", str(labelled), "--sizes", "100"]) == 2
    assert "multiple of 32" in capsys.readouterr().err
    assert main(["evaluate", "--regions", str(labelled), "--limit", "0"]) == 2
    assert "--limit 0" in capsys.readouterr().err
    assert main(["evaluate", "--regions", str(labelled), "--frames", "0"]) == 2
    assert "--frames 0" in capsys.readouterr().err


def test_a_folder_is_a_class_by_the_networks_own_labels_before_imagenets(model):
    assert class_index(model, "n02102040") == class_index(model, "english_springer") == 217
    assert class_index(model, "dragon of the hill") is None
    tuned = types.SimpleNamespace(labels=("cups", "espresso"))
    assert class_index(tuned, "espresso") == 1
    assert class_index(tuned, "n02102040") is None


def test_leaving_blocks_out_gives_what_a_network_without_them_gives(model):
    x = model.preprocess(data.astronaut()[None, 100:196, 100:196])
    logits = logits_without(model, x)
    assert set(logits) == {
        frozenset(),
        frozenset({"blocks.4"}),
        frozenset({"blocks.5"}),
        frozenset(model.blocks),
    }
    torch.testing.assert_close(logits[frozenset()], model.network(x))
    plain = load_backbone("tf_efficientnet_lite0").network
    torch.testing.assert_close(logits[frozenset(model.blocks)], plain(x), rtol=1e-4, atol=1e-4)
    expand = model.blocks["blocks.4"].expand
    kept = {key: tensor.clone() for key, tensor in expand.state_dict().items()}
    nn.init.zeros_(expand.weight)
    nn.init.zeros_(expand.bias)
    torch.testing.assert_close(logits[frozenset({"blocks.4"})], model.network(x), rtol=1e-4, atol=1e-4)
    expand.load_state_dict(kept)


def test_maps_of_k_means_cover_every_cell_once_and_those_of_nmf_rebuild_the_features():
    features = torch.rand(8, 6, 6, generator=torch.Generator().manual_seed(0))
    clusters = k_means_maps(features, 5)
    torch.testing.assert_close(clusters.sum(dim=0), torch.ones(6, 6))
    components = nmf_maps(features, 8).flatten(1)
    assert components.min() >= 0
    flat = features.flatten(1)
    weights = torch.linalg.lstsq(components.T, flat.T).solution
    assert (components.T @ weights - flat.T).norm() < 0.2 * flat.norm()
    assert len(k_means_maps(features[:, :2, :2], 64)) == 4


# ---------------------------------------------------------------- cards


def test_fields_hold_the_whole_map_and_share_the_cells_that_a_border_cuts():
    maps = torch.rand(3, 4, 9, generator=torch.Generator().manual_seed(1))
    found = in_fields(maps)
    fine = maps.repeat_interleave(7, dim=1).repeat_interleave(7, dim=2) / 49  # 28 × 63: fields of 4 × 9
    by_hand = fine.unflatten(2, (7, 9)).unflatten(1, (7, 4)).sum(dim=(2, 4))
    torch.testing.assert_close(found, by_hand)
    torch.testing.assert_close(found.sum(dim=(1, 2)), maps.sum(dim=(1, 2)))


@pytest.mark.parametrize(
    ("row", "col", "words"),
    [
        (0, 0, "at the top left"),
        (3, 6, "right of centre"),
        (6, 3, "towards the bottom"),
        (3, 3, "in the centre"),
    ],
)
def test_a_place_in_the_frame_is_put_in_words(row, col, words):
    frame = np.full((7, 7), 1 / 49)
    frame[row, col] += 1
    assert place(frame) == words


def test_a_frame_that_says_nothing_is_said_to_say_nothing():
    assert place(np.full((7, 7), 1 / 49)) == "anywhere in the frame"
    rim = np.ones((7, 7))
    rim[1:-1, 1:-1] = 0
    assert place(rim) == "around the edges"


def test_a_primitive_is_named_for_the_classes_whose_photos_hand_out_most_of_it():
    predicted = np.array([0] * 6 + [1] * 6 + [2] * 2)  # two photos of the third are too few to name it
    use = np.full((14, 3), 0.3)
    use[:6, 0], use[6:12, 1], use[12:, 1], use[:, 2] = 0.6, 0.45, 0.6, 0.001
    tally = Tally(
        use=list(torch.from_numpy(use)),
        reach=list(torch.full((14, 3), 0.06)),
        frame=list(torch.full((14, 3, 7, 7), 1 / 49)),
    )
    cards = primitive_cards(tally, predicted, ["springer", "church", "cup"])
    assert [[name for name, _ in card.classes] for card in cards] == [["springer"], ["church"], []]
    assert cards[0].classes[0][1] == pytest.approx(0.6 / use[:, 0].mean())
    assert sentence(cards[0]) == "Usually gathered anywhere in the frame"  # classes are numbers, not words
    assert sentence(cards[2]) == "Hardly used; usually gathered anywhere in the frame"


def test_a_class_whose_photos_disagree_does_not_name_a_primitive():
    predicted = np.repeat([0, 1, 2], 6)
    use = np.full((18, 2), 0.3)
    use[:6, 0], use[5, 1] = 0.5, 1.5  # every photo of the first class; one photo of it alone, the same mean
    tally = Tally(
        use=list(torch.from_numpy(use)),
        reach=list(torch.full((18, 2), 0.06)),
        frame=list(torch.full((18, 2, 7, 7), 1 / 49)),
    )
    assert use[:6, 0].mean() == pytest.approx(use[:6, 1].mean())
    cards = primitive_cards(tally, predicted, ["springer", "church", "cup"])
    assert [[name for name, _ in card.classes] for card in cards] == [["springer"], []]


@pytest.mark.slow
def test_the_command_writes_a_sentence_for_each_primitive_that_the_app_reads(checkpoint, photos, capsys):
    weights = checkpoint.read_bytes()
    assert main(["cards", str(checkpoint), "--photos", str(photos), "--size", "96"]) == 0
    assert "wrote 320 cards into mine.json" in capsys.readouterr().out
    model = load_model(checkpoint, device="cpu")
    for name, block in model.blocks.items():
        entry = model.card["cards"][name]
        assert len(entry["primitives"]) == len(entry["numbers"]) == block.c_n
        assert np.shape(entry["numbers"][0]["frame"]) == (7, 7)
        assert sum(number["use"] for number in entry["numbers"]) == pytest.approx(block.c_n, rel=0.01)
    assert checkpoint.read_bytes() == weights


def test_a_card_is_amended_whole_or_not_at_all(checkpoint, monkeypatch):
    card = checkpoint.with_suffix(".json")
    before = card.read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(CheckpointError, match="No space left"):
            amend_card(checkpoint, {"metrics": {"a": 1}})
    assert card.read_text() == before
    assert [path.name for path in checkpoint.parent.iterdir() if path.name.startswith(".")] == []
    amend_card(checkpoint, {"metrics": {"a": [1, 2.5, -3e-05]}})
    assert '"a": [ 1, 2.5, -3e-05 ]' in card.read_text()
    assert not list_checkpoints(checkpoint.parent)[0].fault


def test_imagenet_folders_are_known_by_id_and_by_name():
    assert imagenet_index("n02102040") == imagenet_index("english_springer") == 217
    assert imagenet_index("dragon of the hill") is None
