"""The Primitives page and "where else?", over an atlas of the made checkpoint."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import a2core
from a2core.atlas.crops import crops_of
from a2core.canvas import percent
from tests.a2core.atlas.made_pictures import make_pictures
from tests.viz_app.explorer import TIMEOUT_S, messages, open_explore, page_html, report, shown
from viz_app.server import atlases, cards, names
from viz_app.ui.state import Key
from viz_app.views.atlas import content, service, words

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
    assert app.info[0].value == words.NONE


def test_all_primitives_of_the_first_block_are_there(atlas):
    app = open_page()
    assert messages(app) == []
    assert any(words.about(atlas.told) in caption.value for caption in app.caption)


def test_one_primitive_shows_its_exemplars_in_every_order(atlas):
    app = open_page(block="blocks.5", primitive="3")
    assert messages(app) == []
    html = page_html(app)
    for order, title in words.ORDERS.items():
        assert title in html
        found, tiles = service.exemplars(atlas, "blocks.5", 3, order)
        assert len(found) == (1 if order == "idle" else 4)
        assert [tile["title"] for tile in tiles] == [
            atlas.photo(one.photo).path.rpartition("/")[2] for one in found
        ]
        assert all(tile["picture"].startswith("data:image/webp") for tile in tiles)


def test_one_picture_is_traced_again_and_shows_what_is_like_it(atlas, pictures):
    number = atlas.exemplars("blocks.5", 3, "peak")[0].photo
    app = open_page(block="blocks.5", primitive="3", photo=str(number))
    assert messages(app) == []
    html = page_html(app)
    assert html.count("a2-again") >= 1
    assert words.GATHERED in html
    assert any(words.how_traced(whole=True, px=96) in caption.value for caption in app.caption)
    near, tiles = service.nearest(atlas, number, "blocks.5", 3, 5)
    assert near == [other for other, _ in atlas.nearest(number, 5)]
    assert all(tile["picture"] for tile in tiles)


def test_a_picture_that_is_gone_is_said_and_its_crop_stays(atlas, pictures):
    best = atlas.exemplars("blocks.5", 3, "peak")[0]
    number = best.photo
    file = atlas.picture(number)
    before = service.glance(atlas, "blocks.5", 3, best, 2)
    assert (before["index"], len(before["figures"])) == (2, 2)
    assert before["said"] == words.how_traced(whole=True, px=96)
    data = file.read_bytes()
    file.unlink()
    service._picture.clear()
    try:
        app = open_page(block="blocks.5", primitive="3", photo=str(number))
        assert any("is gone; its crop is kept" in said for said in messages(app))
        assert words.ORDERS["peak"] in page_html(app)
        after = service.glance(atlas, "blocks.5", 3, best, 2)
        assert "is gone; its crop is kept" in after["said"]
        (only,) = after["figures"]
        assert only["picture"] == content.data_url(best.crop)
        assert only["mark"] is not None
    finally:
        file.write_bytes(data)


@pytest.mark.parametrize(("row", "col"), [(0, 0), (3, 7), (2, 3), (0, 5)])
def test_the_mark_on_a_crop_is_where_the_cell_is(row, col):
    picture = Image.new("RGB", (256, 128))
    best = a2core.Exemplar(0, "peak", 0, 0.5, row, col, 4, 8, b"")
    x, y = round(best.place[0] * 256), round(best.place[1] * 128)
    picture.paste((255, 255, 255), (x - 3, y - 3, x + 3, y + 3))
    file = io.BytesIO()
    picture.save(file, "WEBP", lossless=True)
    crop = crops_of(file.getvalue(), [best.place])[0]
    photo = a2core.Photo(0, "1" * 64, "photos", "a.png", "", 0, 0.0, 1024, 512, None, [])
    (figure,) = service.marked(replace(best, crop=crop), photo)
    light = np.argwhere(np.asarray(Image.open(io.BytesIO(crop)).convert("L")) > 128).mean(axis=0) + 0.5
    assert np.abs(np.array(figure["mark"])[::-1] * 96 - light).max() < 1.5


def test_the_map_shows_every_primitive_where_the_measures_put_it(atlas):
    app = open_page(block="blocks.4", view="map")
    assert messages(app) == []
    assert [box.label for box in app.selectbox] == []  # nothing that would change nothing
    rows = atlas.primitives("blocks.4")
    figure = service.map_of(rows, [3, 1])
    assert list(figure.data[0].x) == [rows[3]["x"], rows[1]["x"]]


@pytest.mark.parametrize(
    "address", [{"block": "blocks.9"}, {"primitive": "16"}, {"primitive": "-1"}, {"primitive": "²"}]
)
def test_an_address_that_means_nothing_shows_all(atlas, address):
    app = open_page(**address)
    assert messages(app) == []
    assert app.caption


def give_name(app: AppTest, name: str, note: str = "") -> None:
    inputs = {each.label: each for each in app.text_input}
    inputs[words.NAME].set_value(name)
    inputs[words.NOTE].set_value(note)
    next(button for button in app.button if button.label == words.KEEP).click().run()


def test_a_name_is_the_visitors_own_and_no_other_sees_it(atlas):
    app = open_page(block="blocks.4", primitive="3")
    give_name(app, "<b>eyes</b>", "of animals")
    assert messages(app) == []
    html = page_html(app)
    assert "&lt;b&gt;eyes" in html
    assert "<b>eyes" not in html
    assert any(words.YOURS in caption.value for caption in app.caption)
    assert "eyes" not in page_html(open_page(block="blocks.4", primitive="3"))
    assert not (atlas.folder / "names.json").exists()


def test_where_the_owner_says_so_names_are_kept_beside_the_atlas(atlas, monkeypatch):
    monkeypatch.setenv(names.SHARED, "shared")
    app = open_page(block="blocks.4", primitive="3")
    give_name(app, "eyes", "of animals")
    assert atlas.name("blocks.4", 3) == {"name": "eyes", "note": "of animals"}
    other = open_page(block="blocks.4", primitive="3")
    assert "eyes" in page_html(other)
    assert any(words.SHARED in caption.value for caption in other.caption)


def test_names_beside_an_atlas_that_came_with_the_checkpoints_are_never_written(
    atlas, checkpoints, monkeypatch
):
    monkeypatch.setenv(names.SHARED, "shared")
    atlas.folder.rename(checkpoints / "a2-made-atlas")
    monkeypatch.delenv(atlases.ATLASES)
    app = open_page(block="blocks.4", primitive="3")
    give_name(app, "eyes")
    assert messages(app) == []
    assert "eyes" in page_html(app)
    assert not (checkpoints / "a2-made-atlas" / "names.json").exists()


def names_taken(folder: str, data: str) -> None:
    """A page that takes a file of names in and shows what it has then."""
    import streamlit as st

    import a2core
    from viz_app.server import names
    from viz_app.ui.guards import callback

    atlas = a2core.Atlas(folder)
    callback(lambda: names.take_in(atlas, data.encode()))()
    st.text(names.exported(atlas).decode())


def test_names_leave_as_a_file_and_come_back(atlas):
    told = '{"blocks.4": {"3": {"name": "eyes", "note": "of cats"}}}'
    app = AppTest.from_function(names_taken, args=(str(atlas.folder), told), default_timeout=TIMEOUT_S).run()
    assert json.loads(app.text[0].value) == json.loads(told)
    for wrong in ("{", "[1]", '{"blocks.9": {"1": {"name": "x"}}}', '{"blocks.4": {"16": {"name": "x"}}}'):
        app = AppTest.from_function(
            names_taken, args=(str(atlas.folder), wrong), default_timeout=TIMEOUT_S
        ).run()
        assert app.text[0].value.strip() == "{}"


def test_a_damaged_atlas_is_said_and_takes_nothing_away(atlas):
    (atlas.folder / "atlas.json").write_text("{")
    app = open_page()
    assert any("damaged" in said for said in messages(app))
    assert app.info[0].value == words.NONE


def test_explore_shows_where_else_the_pixels_primitive_is(atlas):
    app = open_explore()
    assert messages(app) == []
    trace, probe = shown(app).trace, app.session_state[Key.PROBE]
    strongest = int(a2core.rank_primitives(trace.blocks[probe.block], probe.position)[0])
    assert f"g{strongest} in other pictures" in app.get("page_link")[0].proto.label
    paths = [atlas.photo(one.photo).path for one in atlas.exemplars(probe.block, strongest, "peak")]
    assert all(path in page_html(app) for path in paths)
    report(app, replace(probe, primitive=(strongest + 1) % 16))
    assert f"g{(strongest + 1) % 16} in other pictures" in app.get("page_link")[0].proto.label


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


def test_wherever_a_primitive_is_shown_its_name_comes_first_and_its_measures_are_the_atlass(atlas, weights):
    atlas.name("blocks.5", 3, "round things", note="On tables.")
    count = atlas.blocks["blocks.5"]
    said = cards.cards(weights, {"blocks.5": ["A card"] * count, "elsewhere": ["Another card"]})
    assert list(said) == ["blocks.5"]
    use = percent(atlas.primitives("blocks.5")[3]["use"])
    assert said["blocks.5"][3].startswith(f"round things · A card · over 12 pictures use {use}, reach ")
    assert said["blocks.5"][3].endswith(" · On tables.")
    assert said["blocks.5"][4].startswith("A card · over 12 pictures use ")
    assert cards.cards(replace(weights, trained=False), {"blocks.5": ["A card"] * count}) == {}


def test_measures_sort_by_what_they_are_also_below_zero_and_at_it():
    values = [0.0, None, -0.5, 0.5]
    rows = [{"primitive": i, "name": "", "stability": value} for i, value in enumerate(values)]
    assert content.ordered(rows, "stability", "") == [3, 0, 2, 1]


def test_a_small_effect_is_not_told_as_none():
    row = {"use": 0.1, "reach": 0.5, "effect": -0.00013, "labels": None}
    assert "−0.00013" in content.measures_html(row)


def test_whatever_a_primitive_is_called_stands_as_text_on_the_map():
    """The chart takes some HTML for what it means, links for example."""
    row = {
        "primitive": 0,
        "name": '<a href="https://b.example">g1</a>',
        "use": 0.1,
        "reach": 0.5,
        "x": 0,
        "y": 0,
    }
    figure = service.map_of([row], [0])
    assert "<a" not in figure.data[0].text[0]
    assert "<a" not in figure.data[0].hovertext[0]


def test_a_picture_that_is_another_one_now_is_shown_nowhere(atlas, pictures):
    """Where its file lies is what the atlas says, and the atlas may be somebody else's."""
    photo = atlas.photo(0)
    file = atlas.picture(0)
    data = file.read_bytes()
    assert service._small(atlas, photo)
    service._shrunk.clear()
    try:
        file.write_bytes(data + b" ")
        assert service._small(atlas, photo) == b""
    finally:
        file.write_bytes(data)


def test_a_frame_of_a_clip_is_shown_from_its_small_version():
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 99, 199)).save(file, "WEBP")

    class Gone:
        """An atlas whose files are gone."""

        def picture(self, number: int) -> None:
            raise a2core.AtlasError("gone")

        def small(self, number: int) -> bytes:
            return file.getvalue()

    photo = a2core.Photo(0, "1" * 64, "clips", "a.webm", "", 3, 0.3, 40, 30, None, [])
    picture = service._picture(Gone(), "key", photo)
    assert picture.held.value.frames.shape == (1, 30, 40, 3)


def names_changed(folder: str, name: str, note: str) -> None:
    """A page on which a visitor names a primitive, and that shows what it is called everywhere."""
    import streamlit as st

    import a2core
    from viz_app.server import names

    atlas = a2core.Atlas(folder)
    names.give(atlas, "blocks.4", 3, name, note)
    row = names.named(atlas, "blocks.4")[3]
    st.text(repr((names.name_of(atlas, "blocks.4", 3), row["name"], row["note"])))


@pytest.mark.parametrize(("name", "note"), [("", "of animals"), ("", ""), ("ears", "")])
def test_a_visitor_takes_the_owners_name_away_on_every_page(atlas, name, note):
    atlas.name("blocks.4", 3, "eyes", note="of animals")
    app = AppTest.from_function(
        names_changed, args=(str(atlas.folder), name, note), default_timeout=TIMEOUT_S
    ).run()
    assert app.text[0].value == repr((name, name, note))
