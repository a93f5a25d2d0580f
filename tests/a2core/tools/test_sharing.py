"""Checkpoints go to a folder or to the Hub and come back; what does not fit is refused."""

from __future__ import annotations

import re
import shutil

import huggingface_hub
import numpy as np
import pytest
import yaml

import a2core
from a2core.card import parse_card
from a2core.checkpoints import find_checkpoint, read_card
from a2core.tools.model_card import model_card


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return a2core.save_pretrained("a2-lite0", tmp_path_factory.mktemp("shared") / "a2-lite0")


def test_what_was_saved_loads_and_is_the_same_network(folder):
    assert {path.name for path in folder.iterdir()} == {"a2-lite0.safetensors", "a2-lite0.json", "README.md"}
    there, here = a2core.from_pretrained(folder, "cpu"), a2core.load_model("a2-lite0", "cpu")
    pairs = zip(there.network.parameters(), here.network.parameters(), strict=True)
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
    assert there.card["sha256"] == here.card["sha256"]


def test_a_folder_with_a_damaged_file_is_refused(folder, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    data = bytearray((damaged / "a2-lite0.safetensors").read_bytes())
    data[-1] ^= 1
    (damaged / "a2-lite0.safetensors").write_bytes(data)
    with pytest.raises(a2core.CheckpointError, match="sha256"):
        a2core.from_pretrained(damaged)


def test_a_folder_without_one_checkpoint_says_so(tmp_path):
    with pytest.raises(a2core.CheckpointError, match="there is: none"):
        a2core.from_pretrained(tmp_path)


def test_the_hub_gets_the_folder_and_its_refusal_is_a_sentence(monkeypatch):
    """The Hub itself is not asked: what our side hands to its client, and what becomes of its errors."""
    sent = {}

    def upload(self, *, repo_id, folder_path, commit_message):
        sent[repo_id] = {path.name for path in folder_path.iterdir()}
        return "https://hub/commit/1"

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", lambda *_, **__: None)
    monkeypatch.setattr(huggingface_hub.HfApi, "upload_folder", upload)
    assert a2core.push_to_hub("a2-lite0", "me/a2") == "https://hub/commit/1"
    assert sent == {"me/a2": {"a2-lite0.safetensors", "a2-lite0.json", "README.md"}}

    def refuse(*_, **__):
        raise OSError("401 Unauthorized\nwith much more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(a2core.NetworkError, match="401 Unauthorized") as found:
        a2core.from_pretrained("nobody/nothing")
    assert "\n" not in str(found.value)


def test_the_model_card_says_what_the_json_card_says():
    card = read_card(find_checkpoint("a2-lite0"))
    text = model_card(card)
    front = yaml.safe_load(text.split("---")[1])
    assert front["license"] == "apache-2.0"
    assert front["library_name"] == "a2nets"
    assert "| blocks.5 | 192 | 64 | 256 | centred |" in text
    measures = card.entries["metrics"]["photos at 224 pixels"]
    assert f"- top-1: {measures['top-1']}" in text
    assert card.entries["limits"] in text
    assert re.search(r"## Training\n[\s\S]*photos: 2400", text)


def test_what_a_card_says_is_text_and_never_markup():
    data = find_checkpoint("a2-lite0").with_suffix(".json").read_text(encoding="utf-8")
    wild = data.replace('"name": "a2-lite0"', '"name": "<script>x</script> [a](b) | `c`"', 1)
    title = model_card(parse_card(wild.encode(), "wild.json")).split("\n# ")[1].split("\n")[0]
    assert title == r"\<script\>x\</script\> \[a\](b) \| \`c\`"


def test_between_backticks_nothing_is_escaped_and_nothing_ends_them():
    data = find_checkpoint("a2-lite0").with_suffix(".json").read_text(encoding="utf-8")
    card = parse_card(data.encode(), "a2-lite0.json")
    assert f"in `{card.backbone}`." in model_card(card)
    assert "\\_" in model_card(
        parse_card(data.replace('"limits": "', '"limits": "_so_ ', 1).encode(), "b.json")
    )
