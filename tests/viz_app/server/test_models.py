"""Which weights there are, and that each network is loaded once."""

from __future__ import annotations

import json

import pytest

import a2core
from a2core.networks.insert import inserted_blocks
from a2core.networks.sources import build_network
from viz_app.server import models


@pytest.mark.slow
def test_networks_without_double_attention_are_not_offered(checkpoints):
    """They are rivals to compare with: there is no primitive to point at."""
    blocks = {"blocks.5": {"kind": "non_local", "in_channels": 192, "inner": 8}}
    architecture = {"backbone": "tf_efficientnet_lite0", "blocks": blocks}
    rival = inserted_blocks(build_network(architecture).network)
    a2core.save_checkpoint(checkpoints / "rival.safetensors", rival, architecture=architecture, card={})
    usable, refused = models.list_weights()
    assert {weights.checkpoint for weights in usable} == {"a2-made", models.VIDEO_NETWORK}
    assert refused == []


@pytest.mark.slow
def test_trained_weights_come_first_and_each_has_its_random_twin(weights):
    usable, refused = models.list_weights()
    labels = ["a2-made", "a2-made" + models.RANDOM_SUFFIX, models.VIDEO_NETWORK]
    assert [(each.label, each.trained) for each in usable] == list(
        zip(labels, (True, False, False), strict=True)
    )
    assert refused == []


@pytest.mark.slow
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


@pytest.mark.slow
def test_another_file_under_the_same_name_is_loaded_anew(weights):
    changed = models.Weights(weights.label, weights.checkpoint, "another", trained=True)
    assert models.load_model(weights) is models.load_model(weights)
    assert models.load_model(weights) is not models.load_model(changed)
