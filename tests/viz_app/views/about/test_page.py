"""The About page tells what the model is, from its card, and credits every sample."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from a2core.canvas import percent
from viz_app.server import samples
from viz_app.views.about import content as measures

pytestmark = pytest.mark.slow

SHIPPED = Path(__file__).resolve().parents[4] / "checkpoints"


def about() -> None:
    from viz_app.ui.guards import guarded
    from viz_app.views.about import page as about

    guarded(about.render)()


@pytest.fixture
def page(checkpoints):
    return AppTest.from_function(about, default_timeout=60).run()


def text_of(page: AppTest) -> str:
    assert not page.exception
    assert not page.error
    return "\n".join(element.proto.body for element in page.get("html"))


def test_the_page_says_what_the_checkpoints_card_says(page):
    assert "a2-made" in text_of(page)
    assert "trained on" in text_of(page)
    assert "nothing" in text_of(page)


def test_every_sample_is_credited(page):
    for sample in samples.SAMPLES:
        assert sample.credit in text_of(page)


def test_a_refused_checkpoint_is_told_with_its_reason(checkpoints):
    (checkpoints / "old.pt").write_bytes(b"x")
    page = AppTest.from_function(about, default_timeout=60).run()
    assert "Refused: old.pt" in text_of(page)
    assert "pickle" in text_of(page)


def test_cards_of_wrong_types_are_told_and_the_others_are_still_shown(checkpoints):
    card = json.loads((checkpoints / "a2-made.json").read_text())
    for name, changes in (("worded", {"size_bytes": "10"}), ("hollow", {"architecture": {}})):
        shutil.copy(checkpoints / "a2-made.safetensors", checkpoints / f"{name}.safetensors")
        (checkpoints / f"{name}.json").write_text(json.dumps(card | changes))
    text = text_of(AppTest.from_function(about, default_timeout=60).run())
    assert "The model: a2-made" in text
    assert "Refused: worded.safetensors" in text
    assert "size_bytes is the text &#x27;10&#x27; instead of a whole number" in text
    assert "Refused: hollow.safetensors" in text
    assert "architecture.backbone is missing" in text


def test_a_card_cannot_put_markup_on_the_page(checkpoints, made_checkpoint):
    path = checkpoints / "a2-made.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": "<script>alert(1)</script>"}))
    page = AppTest.from_function(about, default_timeout=60).run()
    assert "<script>alert" not in text_of(page)
    assert "&lt;script&gt;" in text_of(page)


def test_measures_are_a_table_with_what_they_mean_and_the_baselines_beside_them(checkpoints):
    path = checkpoints / "a2-made.json"
    metrics = {
        "regions at 352 pixels": {
            "measured on": "3 pictures",
            "command": "python -m a2core evaluate",
            "blocks.4": {"click-AUC": 0.804, "click-AUC, cosine": 0.79, "dead": 0.0, "of my own": 2},
            "blocks.5": {"click-AUC": 0.9, "click-AUC, cosine": 0.91, "dead": 0.25},
        },
        "photos": {"top-1": 0.7, "top-1 plain trunk": 0.66, "use (KL, nats)": {"blocks.4": 0.0036}},
        "empty": {},
        "odd": 3,
    }
    path.write_text(json.dumps({**json.loads(path.read_text()), "metrics": metrics}))
    regions, photos = measures.tables(json.loads(path.read_text()))
    assert regions.columns == ("ours", "cosine")
    auc, dead, own = regions.measures
    assert [(row.of, row.values, row.best) for row in auc.rows] == [
        ("blocks.4", ("0.804", "0.790"), 0),
        ("blocks.5", ("0.900", "0.910"), 1),
    ]
    assert [row.values for row in dead.rows] == [(percent(0), ""), (percent(0.25), "")]
    assert (own.name, own.meaning) == ("of my own", "")
    assert [row.values for row in photos.measures[0].rows] == [(percent(0.7), percent(0.66))]
    assert [row.of for row in photos.measures[1].rows] == ["blocks.4"]
    page = AppTest.from_function(about, default_timeout=60).run()
    assert measures.MEANINGS["click-AUC"] in text_of(page)
    assert "metrics ·" not in text_of(page)


@pytest.mark.parametrize("card", sorted(SHIPPED.glob("*.json")), ids=lambda card: card.stem)
def test_of_what_is_shipped_every_measure_is_explained_and_no_baseline_passes_for_ours(card):
    for table in measures.tables(json.loads(card.read_text(encoding="utf-8"))):
        assert [measure.name for measure in table.measures if not measure.meaning] == [], table.title


def test_a_cards_facts_are_lines_for_people_without_its_technical_entries():
    card = {
        "format": 1,
        "sha256": "ab" * 32,
        "architecture": {"backbone": "lite0", "blocks": {"blocks.4": {"c_m": 56, "c_n": 64}}},
        "training": {"seed": 3, "photos": 3600, "teacher": "lite2"},
        "metrics": {"cross_entropy": 1.28661234},
        "classes": [str(i) for i in range(100)],
    }
    assert measures.card_facts(card) == [
        ("network", "lite0"),
        ("block after blocks.4", "64 primitives of 56 channels each"),
        ("training · seed", "3"),
        ("training · photos", "3,600"),
        ("training · teacher", "lite2"),
        ("metrics · cross entropy", "1.287"),
    ]


@pytest.mark.parametrize("card", [{}, {"architecture": "?"}, {"architecture": {"blocks": [1]}}], ids=str)
def test_a_card_that_says_little_is_no_fault(card):
    assert all(isinstance(term, str) and isinstance(fact, str) for term, fact in measures.card_facts(card))
