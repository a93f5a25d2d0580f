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
from viz_app.server import clips, services
from viz_app.ui import view_model

pytestmark = pytest.mark.slow


@pytest.fixture
def weights(checkpoints):
    return services.list_weights()[0][0]


def plain_picture(shade: int) -> services.Picture:
    frame = np.full((1, 64, 96, 3), shade, np.uint8)
    clip = a2core.Clip(frame, np.zeros(1), "image", "", ())
    return services.picture_of(clip, id=f"shade-{shade}", thumbnail="")


def test_networks_without_double_attention_are_not_offered(checkpoints):
    """They are rivals to compare with: there is no primitive to point at."""
    blocks = {"blocks.5": {"kind": "non_local", "in_channels": 192, "inner": 8}}
    architecture = {"backbone": "tf_efficientnet_lite0", "blocks": blocks}
    rival = inserted_blocks(build_network(architecture).network)
    a2core.save_checkpoint(checkpoints / "rival.safetensors", rival, architecture=architecture, card={})
    usable, refused = services.list_weights()
    assert {weights.checkpoint for weights in usable} == {"a2-made", services.VIDEO_NETWORK}
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
        shown = list(visitors.map(lambda shade: services.show(plain_picture(shade), weights, 64), shades))
    assert [int(each.trace.model_input.mean()) for each in shown] == shades
    assert len(traced) == 5
    assert len({each.key for each in shown}) == 5


def test_trained_weights_come_first_and_each_has_its_random_twin(weights):
    usable, refused = services.list_weights()
    labels = ["a2-made", "a2-made" + services.RANDOM_SUFFIX, services.VIDEO_NETWORK]
    assert [(each.label, each.trained) for each in usable] == list(
        zip(labels, (True, False, False), strict=True)
    )
    assert refused == []


def test_blocks_that_were_saved_as_random_are_shown_as_random_and_as_they_are(checkpoints):
    card = json.loads((checkpoints / "a2-made.json").read_text())
    (checkpoints / "a2-made.json").write_text(json.dumps(card | {"untrained": True}))
    usable, _ = services.list_weights()
    assert [(each.label, each.trained) for each in usable] == [
        ("a2-made", False),
        (services.VIDEO_NETWORK, False),
    ]
    model = services.load_model(usable[0])
    assert (model.name, model.trained) == ("a2-made", False)


def test_of_a_clip_is_said_what_the_blocks_learned_on_and_where_others_learned_on_clips(checkpoints):
    photos = services.list_weights()[0][0]
    assert services.taught_by(photos) == "blocks trained on photos"
    card = json.loads((checkpoints / "a2-made.json").read_text())
    card |= {"name": "a2-made-too", "trained": {"frames": 4}}
    (checkpoints / "a2-made-too.json").write_text(json.dumps(card))
    shutil.copy(checkpoints / "a2-made.safetensors", checkpoints / "a2-made-too.safetensors")
    labels = [each.label for each in services.list_weights()[0]]
    assert labels == ["a2-made", "a2-made-too", "a2-made" + services.RANDOM_SUFFIX, services.VIDEO_NETWORK]
    photos, on_clips = services.list_weights()[0][:2]
    assert services.taught_by(photos) == "blocks trained on photos; those of a2-made-too on clips"
    assert services.taught_by(on_clips) == "blocks trained on clips"


def test_another_file_under_the_same_name_is_loaded_anew(weights):
    changed = services.Weights(weights.label, weights.checkpoint, "another", trained=True)
    assert services.load_model(weights) is services.load_model(weights)
    assert services.load_model(weights) is not services.load_model(changed)


def test_an_upload_is_known_by_its_content_and_not_by_its_name(checkpoints):
    data = view_model.sample_path(view_model.SAMPLES[0]).read_bytes()
    one, other = (clips.read_upload(data, name)[0] for name in ("a.png", "b.png"))
    assert one.id == other.id
    assert one.held is other.held
    assert [(each.title, each.clip.name) for each in (one, other)] == [("a.png", "a.png"), ("b.png", "b.png")]


def test_a_large_upload_is_decoded_no_larger_than_the_page_can_use(checkpoints):
    data = view_model.sample_path(next(s for s in view_model.SAMPLES if s.name == "hubble")).read_bytes()
    assert max(clips.read_upload(data, "sky.jpg")[0].clip.frames.shape[1:3]) <= view_model.UPLOAD_MAX_SIDE_PX


def test_a_fault_speaks_for_itself_and_a_bug_does_not_speak_at_all(caplog):
    def refuse() -> None:
        raise MediaError("“x.png” is empty. Choose another file.")

    def break_down() -> None:
        raise KeyError("inner workings")

    assert services.attempt(refuse) == (None, "“x.png” is empty. Choose another file.")
    assert services.attempt(break_down) == (None, services.UNEXPECTED)
    assert "inner workings" in caplog.text
    assert services.attempt(lambda: 3) == (3, "")


def test_the_samples_are_traced_in_the_background_once_for_everybody(weights, monkeypatch):
    traced = []
    real = a2core.Model.trace
    monkeypatch.setattr(
        a2core.Model, "trace", lambda self, clip, size=448, **how: traced.append(size) or real(self, clip, 64)
    )
    first, second = services.prepare_samples(weights), services.prepare_samples(weights)
    assert first is second
    assert first.wait(60)
    assert len(traced) == len(view_model.SAMPLES)
    services.show(services.load_sample(view_model.SAMPLES[1]), weights, view_model.DEFAULT_SIZE_PX)
    assert len(traced) == len(view_model.SAMPLES)
