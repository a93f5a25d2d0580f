"""What Explore says of the weights."""

from __future__ import annotations

import json
import shutil

import pytest

import a2core
from viz_app.server import models
from viz_app.views.explore import service


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_the_blocks_learned_on_is_known_without_reading_the_cards_again(checkpoints, monkeypatch):
    """It is said in each run of a page with a clip, and cards are long."""
    photos = models.list_weights()[0][0]
    monkeypatch.setattr(a2core, "list_checkpoints", lambda: pytest.fail("the cards were read again"))
    assert service.taught_by(photos) == "blocks trained on photos"
