"""Networks of whoever runs the server: listed, opened, kept within bytes, on every page."""

from __future__ import annotations

import json
import re

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import a2core
from tests.viz_app.explorer import TIMEOUT_S, messages, open_explore, page_html, shown
from viz_app.server import models, traces
from viz_app.server.models import Shelf, Weights
from viz_app.ui.state import Key
from viz_app.views.explore import page as explore


@pytest.fixture
def named(checkpoints, tmp_path_factory, monkeypatch):
    """Sets what A2_NETWORKS names; the folder for files."""
    folder = tmp_path_factory.mktemp("networks")
    monkeypatch.chdir(folder)

    def name(text: str) -> None:
        monkeypatch.setenv(models.NETWORKS, text)

    name.folder = folder
    return name


def spec(folder, file: str, **told: object) -> None:
    (folder / file).write_text(json.dumps(told))


def test_networks_are_listed_behind_what_was_trained_and_bad_ones_are_told_by_name(named):
    spec(named.folder, "flowers.json", source="timm/resnet10t", weights="random")
    spec(named.folder, "broken.json", sorce="timm/resnet10t")
    named("timm/resnet18@random flowers.json broken.json gone.json")
    usable, refused = models.list_weights()
    assert [(weights.label, weights.yours) for weights in usable[1:3]] == [
        ("timm/resnet18, random weights", True),
        ("flowers", True),
    ]
    assert usable[0].trained
    assert not any(weights.yours for weights in usable[3:])
    assert {info.name: info.fault for info in refused} == {
        "broken.json": 'The specification broken.json names no source. Begin with {"source": "timm/…"}.',
        "gone.json": "The specification gone.json cannot be read (No such file or directory).",
    }


def test_a_folder_names_all_specifications_in_it_and_a_changed_one_is_another_network(named):
    sub = named.folder / "all of them"
    sub.mkdir()
    spec(sub, "a.json", source="timm/resnet10t", weights="random")
    spec(sub, "b.json", source="timm/resnet18", weights="random")
    spec(sub, "card.json", format=1, architecture={})
    named(f"'{sub}'")
    first = [weights for weights in models.list_weights()[0] if weights.yours]
    assert [weights.label for weights in first] == ["a", "b"]
    spec(sub, "b.json", source="timm/resnet18", weights="random", name="b")
    second = [weights for weights in models.list_weights()[0] if weights.yours]
    assert second[0] == first[0]
    assert second[1] != first[1]
    named("'no end")
    assert "cannot be read" in models.list_weights()[1][0].fault


class Model:
    """Of so many megabytes."""

    def __init__(self, size_mb: int) -> None:
        import torch

        self.network = torch.nn.ParameterList([torch.empty(size_mb * 250_000, device="meta")])


def test_networks_in_memory_are_bounded_in_bytes_and_the_last_asked_for_stays():
    loads = []

    def load(weights: Weights) -> Model:
        loads.append(weights.label)
        return Model(int(weights.label))

    shelf = Shelf(100 * 10**6)
    small, other, large = (Weights(label, "", "", trained=False) for label in ("40", "50", "300"))
    one, number = shelf.get(small, load)
    shelf.get(other, load)
    assert shelf.get(small, load) == (one, number)  # used last now
    shelf.get(Weights("60", "", "", trained=False), load)  # so the other goes
    assert shelf.get(small, load)[0] is one
    shelf.get(other, load)
    assert loads == ["40", "50", "60", "50"]
    huge, _ = shelf.get(large, load)
    assert shelf.get(large, load)[0] is huge
    assert shelf.get(small, load)[1] != number
    st.cache_resource.clear()


def test_a_transformer_named_by_the_owner_is_looked_into_on_explore(named, monkeypatch):
    monkeypatch.setattr(explore, "CHARTS_LATER_S", 0)
    named("timm/vit_tiny_patch16_224@random")
    app = open_explore()
    box = app.selectbox(key=Key.CHECKPOINT)
    assert "yours: vit_tiny_patch16_224, random weights" in box.options
    box.set_value("timm/vit_tiny_patch16_224, random weights").run()
    assert messages(app) == []
    trace = shown(app).trace
    assert list(trace.blocks) == ["blocks.5", "blocks.8"]
    height, width = trace.model_input.shape[1:3]
    assert trace.blocks["blocks.8"].grid == (1, height // 16, width // 16)
    assert "came without double attention" in page_html(app)
    sent = shown(app).payload["blocks"]
    labels = [block["label"].partition(" (")[0] for block in sent if not block.get("own")]
    assert labels == ["blocks.5", "blocks.8"]  # and not "parts" twice
    own = [block for block in sent if block.get("own")]
    assert [block["name"] for block in own] == [*(f"blocks.{k}.attn" for k in range(12)), "rollout"]
    assert [block["name"] for block in own if "queries" in block] == ["blocks.11.attn"], "the others later"
    assert app.session_state[Key.PROBE].block == "blocks.11.attn", "nothing else of it was trained"
    assert traces.layer(shown(app), "blocks.3.attn")["name"] == "blocks.3.attn"
    assert traces.layer(shown(app), "blocks.5") is None


def a_page(page: str, source: str) -> None:
    import importlib

    import streamlit as st

    from viz_app.server import models, samples, traces
    from viz_app.ui.guards import guarded
    from viz_app.ui.state import Key

    if Key.SHOWN not in st.session_state:
        weights = next(each for each in models.list_weights()[0] if each.checkpoint == source)
        sample = samples.load_sample(samples.SAMPLES[0])
        st.session_state[Key.SHOWN] = traces.show(sample, weights, 224)
    guarded(importlib.import_module(f"viz_app.views.{page}.page").render)()


@pytest.mark.parametrize(
    ("source", "page", "said"),
    [
        ("timm/vit_tiny_patch16_224@random", "learn", []),
        ("timm/vit_tiny_patch16_224@random", "experiment", []),
        ("timm/vit_tiny_patch16_224@random", "compare", []),
        ("timm/vit_tiny_patch16_224@random", "about", []),
        ("torchvision/lraspp_mobilenet_v3_large@random", "learn", []),
        (
            "torchvision/lraspp_mobilenet_v3_large@random",
            "experiment",
            ["answers with maps.*not with classes"],
        ),
        ("torchvision/lraspp_mobilenet_v3_large@random", "compare", []),
        ("torchvision/lraspp_mobilenet_v3_large@random", "about", []),
    ],
)
def test_every_page_goes_on_with_a_network_of_the_owners_or_says_why_not(named, source, page, said):
    named(source)
    app = AppTest.from_function(a_page, args=(page, source), default_timeout=TIMEOUT_S).run()
    told = messages(app)
    assert len(told) == len(said)
    assert all(re.search(pattern, message) for pattern, message in zip(said, told, strict=True)), told


def test_its_kinds_of_block_are_not_compared_and_it_says_why(named):
    source = "torchvision/lraspp_mobilenet_v3_large@random"
    named(source)
    app = AppTest.from_function(a_page, args=("compare", source), default_timeout=TIMEOUT_S).run()
    app.get_by_key("compare-what").set_value("Kinds of block").run()
    assert [message for message in messages(app) if "has no rivals here" in message]


def test_a_network_that_cannot_be_had_is_a_message_and_what_was_on_screen_stays(named):
    spec(named.folder, "lost.json", source="timm/resnet10t", weights="gone.pth")
    named("lost.json")
    app = open_explore()
    before = shown(app)
    app.selectbox(key=Key.CHECKPOINT).set_value("lost").run()
    assert [message for message in messages(app) if "There is no file" in message]
    assert shown(app) is before


def test_the_core_offers_what_the_app_needs_of_a_specification():
    assert a2core.read_spec("timm/resnet18@random").title == "timm/resnet18, random weights"
