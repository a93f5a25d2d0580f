"""What is on screen lives in the address bar: links, the back button and reloads bring it back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import AppPage, OpenApp
from tests.browser.test_app import photo
from viz_app.server.samples import SAMPLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# All that a link has to bring back, as the canvas shows it.
CANVAS = """root => {
    const { key, block, rest, primitive, pinned, pins, region, direction, presentation, large, rho } =
        root.__canvas.snapshot();
    const { view } = root.__canvas.probe.report();
    return { key, block, rest, primitive, pinned, pins, region, direction, presentation, large, rho, view };
}"""
CONTROLS = """() => {
    const chosen = document.querySelectorAll('[role=radio][aria-checked=true], [role=combobox], .a2-pinned');
    return [...chosen].map(node => node.textContent + (node.value || ''));
}"""


def canvas(app: AppPage) -> Any:
    return app.page.locator("[data-a2-root]")


def on_canvas(app: AppPage) -> dict[str, Any]:
    """What the canvas shows of it, once browser and server have had their say; charts need not be there."""
    app.wait_until_idle()
    app.wait_until(lambda: bool(canvas(app).evaluate("root => root.__canvas.snapshot().ready")))
    return dict(canvas(app).evaluate(CANVAS))


def settled(app: AppPage) -> dict[str, Any]:
    """Everything on screen that an address stands for, charts and controls with it."""
    return {**on_canvas(app), "controls": app.page.evaluate(CONTROLS)}


def query(app: AppPage) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(app.page.url).query).items()}


def path_of(app: AppPage) -> str:
    _, _, path, parameters, _ = urlsplit(app.page.url)
    return f"{path}?{parameters}"


def turn_every_knob(app: AppPage) -> None:
    """Another value for everything that an address holds."""
    app.choose("Coffee")
    app.wait_until(lambda: query(app).get("picture") == "coffee")
    app.choose("224")
    app.wait_until(lambda: query(app).get("size") == "224")
    app.wait_until_idle()
    app.page.locator("[data-ref=blocks] label").last.click()
    app.wait_until(lambda: query(app).get("block") == "blocks.5")
    app.pin(0.3, 0.6)
    app.page.keyboard.press("ArrowRight")
    app.page.keyboard.press("p")
    app.wait_until(lambda: query(app).get("pins", "").count("_") == 1)
    app.page.keyboard.press("]")
    app.page.keyboard.press("]")
    app.page.locator("[data-ref=mapDistribute]").click()
    for name, word in [("scale", "Absolute"), ("sort", "half from"), ("tiles", "ρ handed out")]:
        app.page.locator(f"[data-ref={name}] label").filter(has_text=word).click()
    app.page.locator("[data-ref=opacity]").fill("0.4")
    app.wait_until(lambda: query(app).get("opacity") == "0.40")
    app.page.get_by_role("radio", name="By index").click()
    app.wait_until(lambda: query(app).get("bars") == "index")


def test_a_copied_link_opens_in_another_browser_with_every_field_as_it_was(open_app: OpenApp) -> None:
    first = open_app()
    turn_every_knob(first)
    seen = settled(first)
    asked = {name: seen["view"][name] for name in ("scale", "sort", "tiles", "layer", "opacity")}
    assert asked == {
        "scale": "absolute", "sort": "reach", "tiles": "distribute", "layer": "distribute", "opacity": 0.4
    }  # fmt: skip
    assert len(seen["pins"]) == 2
    assert seen["primitive"] is not None
    second = open_app(path_of(first))
    assert settled(second) == seen
    assert second.page.locator(".a2-note").count() == 0
    second.page.get_by_role("link", name="About").click()
    second.page.get_by_role("heading", name="About this explorer").wait_for()
    second.page.get_by_role("link", name="Explore").click()
    second.wait_until_traced()
    assert settled(second) == seen
    second.wait_until(lambda: query(second) == query(first))

    # The other direction and a box: what cannot stand beside the above.
    first.page.locator("[data-ref=ask] label").nth(1).click()
    first.stage.focus()
    for key in ("ArrowLeft", "Shift+ArrowDown", "Shift+ArrowRight"):
        first.page.keyboard.press(key)
    first.wait_until(lambda: "box" in query(first) and query(first).get("direction") == "to")
    seen = on_canvas(first)
    assert seen["region"] is not None
    assert on_canvas(open_app(path_of(first), charts=False)) == seen


def test_the_back_button_goes_through_pins_and_pictures_and_forward_again(open_app: OpenApp) -> None:
    app = open_app(charts=False)
    steps = [(app.page.url, on_canvas(app))]

    def note() -> None:
        app.wait_until(lambda: app.page.url != steps[-1][0])
        steps.append((app.page.url, on_canvas(app)))

    for act in (lambda: app.pin(0.1, 0.1), lambda: app.pin(0.8, 0.7), lambda: app.choose("Rocket")):
        act()
        note()
    app.stage.evaluate("stage => { stage.dataset.markedByTest = 'yes' }")
    places = [*range(len(steps) - 2, -1, -1), *range(1, len(steps))]
    for before, place in zip([len(steps) - 1, *places], places, strict=False):
        (app.page.go_back if place < before else app.page.go_forward)()
        wanted = steps[place][1]
        app.wait_until(lambda wanted=wanted: on_canvas(app) == wanted)  # type: ignore[misc]
    app.pin(0.5, 0.5)  # what is done after going back counts again
    app.wait_until(lambda: app.page.url not in [url for url, _ in steps])
    assert app.stage.get_attribute("data-marked-by-test") == "yes", "the canvas was remounted"


def test_a_link_with_faults_says_what_was_done_instead_and_leaves_the_page_whole(open_app: OpenApp) -> None:
    link = (
        "?picture=nessie&weights=gpt&size=500&block=blocks.9&at=x9000y3&pins=zebra&primitive=12"
        "&direction=sideways&scale=absolute&from=a+friend"
    )
    app = open_app(link)
    note = app.page.locator(".a2-note")
    note.wait_for()
    told = note.inner_text()
    for word in ("nessie", "gpt", "500", "blocks.9", "sideways"):
        assert word in told
    assert app.message.count() == 0
    assert app.picture_spread() > 20
    seen = settled(app)
    assert (seen["block"], seen["view"]["scale"], seen["pins"]) == ("blocks.4", "absolute", [])
    app.choose("Coffee")
    note.wait_for(state="detached")

    app = open_app("?picture=coffee&size=224&at=x100y300")
    app.page.locator(".a2-note").wait_for()
    assert "224 × 160" in app.page.locator(".a2-note").inner_text()
    assert settled(app)["key"] == app.trace_key()


def test_a_link_to_an_upload_waits_for_the_same_file(open_app: OpenApp) -> None:
    file = photo(640, 480, seed=9)
    first = open_app()
    first.drop("mine.jpg", file, "image/jpeg")
    first.page.get_by_role("radio", name="mine.jpg", exact=True, checked=True).wait_for()
    first.wait_until_traced()
    first.pin(0.9, 0.9)
    first.wait_until(lambda: "pins" in query(first))
    seen = settled(first)
    second = open_app(path_of(first))
    note = second.page.locator(".a2-note")
    note.wait_for()
    assert SAMPLES[0].title in note.inner_text()
    second.drop("renamed.jpg", file, "image/jpeg")
    second.wait_until(lambda: second.trace_key() == seen["key"])
    note.wait_for(state="detached")
    again = settled(second)
    assert {**again, "controls": 0} == {**seen, "controls": 0}
