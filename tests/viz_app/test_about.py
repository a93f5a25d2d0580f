"""The About page tells what the model is, from its card, and credits every sample."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from viz_app import view_model

APP = Path(__file__).resolve().parents[2] / "viz_app" / "app.py"

pytestmark = pytest.mark.slow


def about() -> None:
    from viz_app import services
    from viz_app.views import about

    services.guarded(about.render)()


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
    for sample in view_model.SAMPLES:
        assert sample.credit in text_of(page)


def test_a_refused_checkpoint_is_told_with_its_reason(checkpoints):
    (checkpoints / "old.pt").write_bytes(b"x")
    page = AppTest.from_function(about, default_timeout=60).run()
    assert "Refused: old.pt" in text_of(page)
    assert "pickle" in text_of(page)


def test_a_card_cannot_put_markup_on_the_page(checkpoints, made_checkpoint):
    import json

    path = checkpoints / "a2-made.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "note": "<script>alert(1)</script>"}))
    page = AppTest.from_function(about, default_timeout=60).run()
    assert "<script>" not in text_of(page)
    assert "&lt;script&gt;" in text_of(page)
