"""The Primitives page and "where else?", over an atlas of the made checkpoint."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

import a2core
from tests.a2core.atlas.made_pictures import make_pictures
from tests.viz_app.explorer import TIMEOUT_S, messages, open_explore, page_html, report, shown
from viz_app.server import atlases
from viz_app.ui.state import Key
from viz_app.views.atlas import content

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_work_in_the_background")]


def primitives() -> None:
    from viz_app.ui.guards import guarded
    from viz_app.views.atlas import page

    guarded(page.render)()


def open_page(**address: str) -> AppTest:
    app = AppTest.from_function(primitives, default_timeout=TIMEOUT_S)
    app.query_params.update(address)
    return app.run()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return make_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def atlas(checkpoints, pictures, tmp_path, monkeypatch) -> a2core.Atlas:
    """An atlas of the made checkpoint, which the app is told of."""
    out = tmp_path.parent / f"{tmp_path.name}-atlas"
    a2core.build_atlas(
        [str(pictures)], out, checkpoint="a2-made", size=96, device="cpu", workers=0, exemplars=4
    )
    monkeypatch.setenv(atlases.ATLASES, f"'{out}'")
    return a2core.Atlas(out)


def test_without_an_atlas_the_page_says_how_to_build_one(checkpoints):
    app = open_page()
    assert messages(app) == []
    assert app.info[0].value == content.NONE


def test_all_primitives_of_the_first_block_are_there(atlas):
    app = open_page()
    assert messages(app) == []
    assert content.about(atlas.told) in app.caption[0].value


def test_one_primitive_shows_its_exemplars_in_every_order(atlas):
    app = open_page(block="blocks.5", primitive="3")
    assert messages(app) == []
    html = page_html(app)
    for order, title in content.ORDERS.items():
        assert title in html
        for one in atlas.exemplars("blocks.5", 3, order):
            assert atlas.photo(one.photo).path in html
    assert html.count("data:image/webp") == 4 + 4 + 4 + 1


@pytest.mark.parametrize(
    "address", [{"block": "blocks.9"}, {"primitive": "16"}, {"primitive": "-1"}, {"primitive": "²"}]
)
def test_an_address_that_means_nothing_shows_all(atlas, address):
    app = open_page(**address)
    assert messages(app) == []
    assert app.caption


def test_a_name_is_kept_and_shown(atlas):
    app = open_page(block="blocks.4", primitive="3")
    name, note = app.text_input
    name.set_value("<b>eyes</b>")
    note.set_value("of animals")
    app.button[-1].click().run()
    assert messages(app) == []
    assert atlas.name("blocks.4", 3) == {"name": "<b>eyes</b>", "note": "of animals"}
    html = page_html(app)
    assert "&lt;b&gt;eyes" in html
    assert "<b>eyes" not in html


def test_an_atlas_that_came_with_the_checkpoints_is_not_named(atlas, checkpoints, monkeypatch):
    atlas.folder.rename(checkpoints / "a2-made-atlas")
    monkeypatch.delenv(atlases.ATLASES)
    app = open_page(block="blocks.4", primitive="3")
    assert messages(app) == []
    assert not app.text_input
    found, _ = atlases.list_atlases()
    with pytest.raises(a2core.AtlasError, match="build one of your own"):
        atlases.name(found[0], "blocks.4", 3, "eye", "")


def test_a_damaged_atlas_is_said_and_takes_nothing_away(atlas):
    (atlas.folder / "atlas.json").write_text("{")
    app = open_page()
    assert any("damaged" in said for said in messages(app))
    assert app.info[0].value == content.NONE


def test_explore_shows_where_else_the_pixels_primitive_is(atlas):
    app = open_explore()
    assert messages(app) == []
    trace, probe = shown(app).trace, app.session_state[Key.PROBE]
    strongest = int(a2core.rank_primitives(trace.blocks[probe.block], probe.position)[0])
    assert f"g{strongest} in other pictures" in app.button("elsewhere-go").label
    paths = [atlas.photo(one.photo).path for one in atlas.exemplars(probe.block, strongest, "peak")]
    assert all(path in page_html(app) for path in paths)
    report(app, replace(probe, primitive=(strongest + 1) % 16))
    assert f"g{(strongest + 1) % 16} in other pictures" in app.button("elsewhere-go").label


def test_random_blocks_have_no_atlas(atlas):
    from viz_app.server import models

    usable, _ = models.list_weights()
    assert {
        weights.label: atlases.of_weights(weights) is not None for weights in usable if weights.trained
    } == {"a2-made": True}
    assert not any(atlases.of_weights(weights) for weights in usable if not weights.trained)


def test_words_find_names_notes_classes_and_folders():
    rows = [
        {"primitive": 0, "name": "", "note": "", "labels": ["tabby"], "purity_group": "animals", "use": 0.1},
        {
            "primitive": 1,
            "name": "Eyes",
            "note": "of cats",
            "labels": [],
            "purity_group": "things",
            "use": 0.3,
        },
        {"primitive": 12, "name": "", "note": "", "labels": None, "use": 0.2},
    ]
    assert content.ordered(rows, "primitive", "eyes CATS") == [1]
    assert content.ordered(rows, "use", "") == [1, 2, 0]
    assert content.ordered(rows, "primitive", "tabby") == [0]
    assert content.ordered(rows, "purity", "g12") == [2]
    assert re.fullmatch("g1 Eyes", content.called(rows[1]))
