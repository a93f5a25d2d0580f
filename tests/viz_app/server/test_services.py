"""One server for a whole class: what is computed is shared, and nobody gets another's picture."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import a2core
from a2core import MediaError
from a2core.networks.backbones import build_network
from a2core.networks.insert import inserted_blocks
from viz_app.pages.explore import service
from viz_app.server import faults, models, pictures, samples, traces, uploads
from viz_app.ui import text

pytestmark = pytest.mark.slow


@pytest.fixture
def weights(checkpoints):
    return models.list_weights()[0][0]


def plain_picture(shade: int) -> pictures.Picture:
    frame = np.full((1, 64, 96, 3), shade, np.uint8)
    clip = a2core.Clip(frame, np.zeros(1), "image", "", ())
    return pictures.picture_of(clip, id=f"shade-{shade}", thumbnail="")


def test_networks_without_double_attention_are_not_offered(checkpoints):
    """They are rivals to compare with: there is no primitive to point at."""
    blocks = {"blocks.5": {"kind": "non_local", "in_channels": 192, "inner": 8}}
    architecture = {"backbone": "tf_efficientnet_lite0", "blocks": blocks}
    rival = inserted_blocks(build_network(architecture).network)
    a2core.save_checkpoint(checkpoints / "rival.safetensors", rival, architecture=architecture, card={})
    usable, refused = models.list_weights()
    assert {weights.checkpoint for weights in usable} == {"a2-made", models.VIDEO_NETWORK}
    assert refused == []


def test_thirty_visitors_at_once_each_get_their_own_picture_traced_once(weights, monkeypatch):
    traced = []
    real = a2core.Model.trace
    monkeypatch.setattr(
        a2core.Model,
        "trace",
        lambda self, clip, size=448, **_: traced.append(size) or real(self, clip, size),
    )
    shades = [10 * (visitor % 5) for visitor in range(30)]
    with ThreadPoolExecutor(30) as visitors:
        shown = list(visitors.map(lambda shade: traces.show(plain_picture(shade), weights, 64), shades))
    assert [int(each.trace.model_input.mean()) for each in shown] == shades
    assert len(traced) == 5
    assert len({each.key for each in shown}) == 5


def test_trained_weights_come_first_and_each_has_its_random_twin(weights):
    usable, refused = models.list_weights()
    labels = ["a2-made", "a2-made" + models.RANDOM_SUFFIX, models.VIDEO_NETWORK]
    assert [(each.label, each.trained) for each in usable] == list(
        zip(labels, (True, False, False), strict=True)
    )
    assert refused == []


def test_blocks_that_were_saved_as_random_are_shown_as_random_and_as_they_are(checkpoints):
    card = json.loads((checkpoints / "a2-made.json").read_text())
    (checkpoints / "a2-made.json").write_text(json.dumps(card | {"untrained": True}))
    usable, _ = models.list_weights()
    assert [(each.label, each.trained) for each in usable] == [
        ("a2-made", False),
        (models.VIDEO_NETWORK, False),
    ]
    model = models.load_model(usable[0])
    assert (model.name, model.trained) == ("a2-made", False)


def test_of_a_clip_is_said_what_the_blocks_learned_on_and_where_others_learned_on_clips(checkpoints):
    photos = models.list_weights()[0][0]
    assert service.taught_by(photos) == "blocks trained on photos"
    card = json.loads((checkpoints / "a2-made.json").read_text())
    card |= {"name": "a2-made-too", "trained": {"frames": 4}}
    (checkpoints / "a2-made-too.json").write_text(json.dumps(card))
    shutil.copy(checkpoints / "a2-made.safetensors", checkpoints / "a2-made-too.safetensors")
    labels = [each.label for each in models.list_weights()[0]]
    assert labels == ["a2-made", "a2-made-too", "a2-made" + models.RANDOM_SUFFIX, models.VIDEO_NETWORK]
    photos, on_clips = models.list_weights()[0][:2]
    assert service.taught_by(photos) == "blocks trained on photos; those of a2-made-too on clips"
    assert service.taught_by(on_clips) == "blocks trained on clips"


def test_another_file_under_the_same_name_is_loaded_anew(weights):
    changed = models.Weights(weights.label, weights.checkpoint, "another", trained=True)
    assert models.load_model(weights) is models.load_model(weights)
    assert models.load_model(weights) is not models.load_model(changed)


def test_an_upload_is_known_by_its_content_and_not_by_its_name(checkpoints):
    data = samples.sample_path(samples.SAMPLES[0]).read_bytes()
    one, other = (uploads.read_upload(data, name)[0] for name in ("a.png", "b.png"))
    assert one.id == other.id
    assert one.held is other.held
    assert [(each.title, each.clip.name) for each in (one, other)] == [("a.png", "a.png"), ("b.png", "b.png")]


def test_a_large_upload_is_decoded_no_larger_than_the_page_can_use(checkpoints):
    data = samples.sample_path(next(s for s in samples.SAMPLES if s.name == "hubble")).read_bytes()
    assert max(uploads.read_upload(data, "sky.jpg")[0].clip.frames.shape[1:3]) <= pictures.DECODED_SIDE_PX


def test_a_fault_speaks_for_itself_and_a_bug_does_not_speak_at_all(caplog):
    def refuse() -> None:
        raise MediaError("“x.png” is empty. Choose another file.")

    def break_down() -> None:
        raise KeyError("inner workings")

    assert faults.attempt(refuse) == (None, "“x.png” is empty. Choose another file.")
    assert faults.attempt(break_down) == (None, text.UNEXPECTED)
    assert "inner workings" in caplog.text
    assert faults.attempt(lambda: 3) == (3, "")


def test_the_samples_are_traced_in_the_background_once_for_everybody(weights, monkeypatch):
    traced = []
    real = a2core.Model.trace
    monkeypatch.setattr(
        a2core.Model, "trace", lambda self, clip, size=448, **how: traced.append(size) or real(self, clip, 64)
    )
    first, second = traces.prepare_samples(weights), traces.prepare_samples(weights)
    assert first is second
    assert first.wait(60)
    assert len(traced) == len(samples.SAMPLES)
    traces.show(samples.load_sample(samples.SAMPLES[1]), weights, traces.DEFAULT_SIZE_PX)
    assert len(traced) == len(samples.SAMPLES)


def test_the_key_changes_with_the_picture_the_weights_and_the_size():
    keys = {traces.trace_key(p, w, s) for p in "ab" for w in "cd" for s in (224, 448)}
    assert len(keys) == 8
    assert traces.trace_key("a", "c", 224) in keys
