"""A card may come from anywhere: whatever is wrong with one, it is told, and the others are listed."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
import streamlit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import a2core
from a2core.card import parse_card
from a2core.cli import main
from a2core.training.evaluate.cards import amend_card
from viz_app.server import models
from viz_app.views.about import content as measures

CONTENT = b"tensors, for all that a listing knows"
CARD: dict[str, Any] = {
    "format": 1,
    "name": "odd",
    "architecture": {
        "backbone": "tf_efficientnet_lite0",
        "trunk": "own",
        "labels": ["cups", "cats"],
        "blocks": {
            "blocks.4": {
                "in_channels": 112,
                "c_m": 8,
                "c_n": 6,
                "position_norm": "centred",
                "input_norm": True,
            },
            "blocks.5": {"in_channels": 192, "kind": "self_attention", "inner": 8, "heads": 4},
        },
    },
    "trained": {"what": "the blocks", "photos": 12, "frames": 4, "sources": ["a", "b"], "loss": 1.5},
    "metrics": {
        "regions": {
            "measured on": "3 pictures",
            "command": "python -m a2core evaluate",
            "blocks.4": {"click-AUC": 0.8, "click-AUC, cosine": 0.7, "dead": 0.0},
        },
        "photos": {
            "top-1": 0.7,
            "top-1 difference, 95 % interval": [0.1, 0.2],
            "use (KL, nats)": {"blocks.4": 1},
        },
    },
    "cards": {
        "blocks.4": {
            "label": "parts",
            "seen": "4 photos",
            "primitives": ["Usually gathered at the top"] * 6,
            "numbers": [{"classes": {"cups": 1.25}, "use": 1.0, "frame": [[0.5, 0.25], [0.25, 0]]}],
        }
    },
    "limits": "Knows two classes.",
    "size_bytes": len(CONTENT),
    "sha256": "0123456789abcdef" * 4,
}
WRONG = [None, True, 0, -1, 3.5, "", "10", [], {}, ["x"], {"x": 1}, [[1]], float("nan"), float("inf"),
         10**30, "\ud83d", {"\ud83d": 1}]  # fmt: skip


def places(value: Any, way: tuple = ()) -> list[tuple]:
    """The way to every entry of a card, at any depth."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [step for key, inner in inside for step in ((*way, key), *places(inner, (*way, key)))]


def changed(way: tuple, value: Any) -> dict[str, Any]:
    card = copy.deepcopy(CARD)
    inner: Any = card
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = value
    return card


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A usable checkpoint, as far as a listing looks, and an odd one."""
    folder = tmp_path_factory.mktemp("cards")
    for name in ("fine", "odd"):
        (folder / f"{name}.safetensors").write_bytes(CONTENT)
    (folder / "fine.json").write_text(json.dumps({**CARD, "name": "fine"}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A2_CHECKPOINTS", str(folder))
        yield folder


def listed(folder: Path, data: bytes) -> a2core.CheckpointInfo:
    """The odd checkpoint, in a listing in which nothing else suffers from its card."""
    (folder / "odd.json").write_bytes(data)
    infos = {info.name: info for info in a2core.list_checkpoints()}
    assert set(infos) == {"fine", "odd"}
    assert infos["fine"].fault == ""
    streamlit.cache_resource.clear()
    usable, refused = models.list_weights()
    assert "fine" in {weights.checkpoint for weights in usable}
    assert ["odd"] * bool(infos["odd"].fault) == [info.name for info in refused]
    assert {rival.like for rival in a2core.find_rivals("fine")} == {"fine"}
    return infos["odd"]


def test_a_card_in_order_is_both_a_plain_dictionary_and_typed(folder):
    info = listed(folder, json.dumps(CARD).encode())
    assert info.fault == ""
    assert type(info.card) is dict
    assert info.card == CARD
    assert info.contents.blocks["blocks.4"]["c_n"] == 6
    assert (info.contents.backbone, info.contents.trunk) == ("tf_efficientnet_lite0", "own")
    assert info.contents.labels == ("cups", "cats")
    assert info.contents.kinds == {"double_attention", "self_attention"}
    with pytest.raises(AttributeError):
        info.contents.size_bytes = 3


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(("size_bytes",), "10")
@example(("architecture",), {})
@example(("architecture", "blocks"), ["x"])
@example(("architecture", "blocks", "blocks.4"), [])
@example(("cards", "blocks.4"), [])
@example(("metrics",), [[1]])
@example(("trained",), "10")
@example(("trained", "frames"), "10")
@example(("sha256",), 3.5)
@example(("format",), True)
@given(st.sampled_from(places(CARD)), st.sampled_from(WRONG))
def test_a_wrong_value_anywhere_is_harmless_or_named_and_stops_nobody(folder, way, value):
    info = listed(folder, json.dumps(changed(way, value)).encode())
    if info.fault:
        assert info.card == {}
        assert info.contents is None
        # The entry itself; or, of one that is a whole number but not the file's size, what the card says.
        named = [key for key in way if isinstance(key, str)][-1]
        assert named in info.fault or (named == "size_bytes" and "its card says" in info.fault)
        assert "odd" in info.fault
        return
    for table in measures.tables(info.card):
        assert table.measures
    assert all(isinstance(fact, str) for _, fact in measures.card_facts(info.card))
    json.dumps(info.card, allow_nan=False, ensure_ascii=False).encode()


BUILT_FROM = [way for way in places(CARD) if way[0] in ("architecture", "format", "sha256", "size_bytes")]


@pytest.mark.parametrize("way", BUILT_FROM)
def test_what_a_network_is_built_from_is_never_of_another_type(way):
    value = CARD
    for key in way:
        value = value[key]
    wrong = [[], "x"] if isinstance(value, dict) else [{}, 1] if isinstance(value, list) else [[], {}]
    for other in wrong:
        with pytest.raises(a2core.CheckpointError) as caught:
            parse_card(json.dumps(changed(way, other)).encode(), "odd.json")
        assert next(key for key in reversed(way) if isinstance(key, str)) in str(caught.value)


@pytest.mark.parametrize("key", ["format", "architecture", "sha256", "size_bytes"])
def test_a_missing_entry_is_named(folder, key):
    card = {name: value for name, value in CARD.items() if name != key}
    assert key in listed(folder, json.dumps(card).encode()).fault


DEEP = json.dumps({**CARD, "limits": "HERE"})
STRANGE = {
    "no JSON": (b"{", "cannot be read"),
    "nothing": (b"", "cannot be read"),
    "no object": (b"[]", "an empty list instead of an object"),
    "a number": (b"7", "instead of an object"),
    "not UTF-8": (DEEP.replace("HERE", "é").encode("latin-1"), "cannot be read"),
    "an endless number": (DEEP.replace('"HERE"', "9" * 5000).encode(), "cannot be read"),
    "a number that is infinite": (DEEP.replace('"HERE"', "1e999").encode(), "limits is inf"),
    "nested": (DEEP.replace('"HERE"', "[" * 40 + "]" * 40).encode(), "limits[0][0] is nested too deeply"),
    "nested for ever": (DEEP.replace('"HERE"', "[" * 100_000 + "]" * 100_000).encode(), "nested too deeply"),
    "endless": (b'"' + b"x" * 17 * 2**20 + b'"', "more than"),
}  # fmt: skip


@pytest.mark.parametrize("what", STRANGE)
def test_a_file_that_is_no_card_is_listed_with_its_fault(folder, what):
    data, words = STRANGE[what]
    assert words in listed(folder, data).fault


def test_the_command_line_lists_a_bad_card_with_its_fault(folder, capsys):
    listed(folder, json.dumps(changed(("architecture",), {})).encode())
    assert main(["checkpoints"]) == 0
    fine, odd = capsys.readouterr().out.splitlines()
    assert fine.startswith("fine: tf_efficientnet_lite0, blocks.4 (m=8, n=6), blocks.5 (self attention)")
    assert odd.startswith("odd.safetensors: refused. ")
    assert "architecture.backbone is missing" in odd


def test_a_folder_a_broken_link_and_a_name_that_is_no_text_stop_no_listing_either(tmp_path):
    (tmp_path / "gone.safetensors").symlink_to(tmp_path / "nowhere")
    (tmp_path / "gone.json").write_text(json.dumps(CARD))
    (tmp_path / "whole.safetensors").write_bytes(CONTENT)
    (tmp_path / "whole.json").mkdir()
    (tmp_path / "._whole.safetensors").write_bytes(b"what macOS puts beside a file")
    found = {info.name: info.fault for info in a2core.list_checkpoints(tmp_path)}
    assert set(found) == {"gone", "whole"}
    assert all(found.values())


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="file names are texts there")
def test_a_file_name_that_is_not_utf_8_is_told(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.safetensors")).write_bytes(CONTENT)
    (info,) = a2core.list_checkpoints(tmp_path)
    assert "Rename it" in info.fault
    str(info.path).encode()
    info.fault.encode()


def test_what_could_not_be_read_again_is_not_written(folder, tmp_path):
    path = tmp_path / "new.safetensors"
    with pytest.raises(a2core.CheckpointError, match="loss is nan"):
        a2core.save_checkpoint(
            path, {}, architecture=CARD["architecture"], card={"trained": {"loss": float("nan")}}
        )
    assert list(tmp_path.iterdir()) == []
    before = (folder / "fine.json").read_bytes()
    with pytest.raises(a2core.CheckpointError, match="metrics"):
        amend_card(folder / "fine.safetensors", {"metrics": [1]})
    assert (folder / "fine.json").read_bytes() == before


@pytest.mark.parametrize(
    ("layouts", "words"),
    [
        ([], "architecture.layouts is an empty list"),
        ({"blocks.4": 3}, 'architecture.layouts["blocks.4"]'),
        ({"blocks.4": {"axes": ["tokens"]}}, "axes"),
        ({"blocks.4": {"axes": "NCWH"}}, "'NCHW' or 'NHWC' or 'tokens'"),
        ({"blocks.4": {"axes": "tokens", "prefix": "a"}}, "prefix"),
        ({"blocks.4": {"axes": "tokens", "prefix": -1}}, "prefix"),
        ({"blocks.4": {"axes": "tokens", "first": 1}}, "only axes and prefix"),
    ],
)
def test_layouts_are_what_a_block_can_be_given_or_are_refused_by_name(layouts, words):
    card = changed(("architecture",), {**CARD["architecture"], "layouts": layouts})
    with pytest.raises(a2core.CheckpointError) as caught:
        parse_card(json.dumps(card).encode(), "o")
    assert words in str(caught.value)


def test_a_card_may_say_how_a_module_puts_its_positions():
    layouts = {"blocks.4": {"axes": "tokens", "prefix": 1}}
    card = changed(("architecture",), {**CARD["architecture"], "layouts": layouts})
    assert parse_card(json.dumps(card).encode(), "o").architecture["layouts"] == layouts
