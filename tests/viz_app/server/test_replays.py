"""Effects of primitives, measured behind the visitors' backs: right, only while somebody waits, once."""

from __future__ import annotations

import numpy as np
import pytest

from a2core import canvas
from viz_app.server import models, replays, samples, traces
from viz_app.ui import text

BLOCK = "blocks.5"


@pytest.fixture
def shown(checkpoints) -> traces.Shown:
    weights = models.list_weights()[0][0]
    return traces.show(samples.load_sample(samples.SAMPLES[0]), weights, 224)


def finished(shown: traces.Shown) -> replays.Effects:
    effects = replays.effects(shown, BLOCK)
    assert effects.job is not None
    assert effects.job.wait(60)
    return effects


def test_an_effect_is_what_the_best_class_gains_when_the_primitive_is_off(shown):
    assert replays.measured_effects(shown) == {}
    effects = finished(shown)
    replay = replays.subject(shown.picture, shown.weights, shown.size_px).replay
    for i in (0, 7, 15):
        outcome = replay.run(BLOCK, off=[i])
        best = int(outcome.before.argmax())
        assert effects.values[i] == pytest.approx(outcome.after[best] - outcome.before[best], abs=1e-6)
    known = replays.measured_effects(shown)
    payload = canvas.with_effects(shown.payload, known)
    assert [block.get("effect") for block in payload["blocks"]] == [None, [float(v) for v in effects.values]]
    assert "effect" not in shown.payload["blocks"][1], "what everybody shares stays as it is"


def test_it_rests_when_nobody_waits_and_goes_on_when_asked_again(shown, monkeypatch):
    monkeypatch.setattr(replays, "NOBODY_WAITS_S", -1.0)
    assert finished(shown).done == 0
    monkeypatch.setattr(replays, "NOBODY_WAITS_S", 60.0)
    effects = finished(shown)
    assert effects.whole
    assert np.isfinite(effects.values).all()
    job = effects.job
    assert replays.effects(shown, BLOCK).job is job, "measured once"


def test_a_fault_is_kept_until_it_is_told_and_then_it_is_tried_again(shown, monkeypatch):
    def refuses(*_: object, **__: object) -> None:
        raise RuntimeError("no memory")

    with monkeypatch.context() as broken:
        broken.setattr(replays, "subject", refuses)
        assert finished(shown).fault == text.UNEXPECTED
    job = finished(shown).job
    assert replays.effects(shown, BLOCK).job is job, "not tried again before anybody knows"
    assert replays.effects(shown, BLOCK).take_fault() == text.UNEXPECTED
    effects = finished(shown)
    assert effects.whole
    assert not effects.fault
