"""Title, question, legend, table, gallery and painted map of combinations that a person made by hand.

Every combination is walked without a page in `tests/a2core/canvas/screen.test.js`. Here a sample of them is
set with mouse and keys, one after the other on one page, so that nothing may stay of what was shown before.
What the page then says is held against what the model says (`canvas_model.js`), and what it paints against
NumPy.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from a2core.canvas.modules import join
from a2core.canvas.vocabulary import percent
from tests.browser import canvas_harness as harness
from tests.browser.test_canvas import Show, offline, show  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = json.loads((ROOT / "a2core/canvas/vocabulary.json").read_text(encoding="utf-8"))
WORDS = {name: setting.get("words") for name, setting in VOCABULARY["settings"].items()}
MODEL = join(Path(__file__).with_name("canvas_model.js"), name="model")

COMBINATIONS = 12
PRIMITIVE, TILE = 3, 2  # chosen; under the mouse in the gallery
PINS = ((3, 2), (5, 4))
BOX = ((1, 1), (4, 5))
IN_BOX, OUTSIDE = (2, 3), (6, 0)
CHOICES: dict[str, list[Any]] = {
    "block": ["blocks.4", "blocks.5"],
    "layer": WORDS["layer"],
    "direction": WORDS["direction"],
    "scale": WORDS["scale"],
    "sort": WORDS["sort"],
    "tiles": WORDS["tiles"],
    "primitive": [None, PRIMITIVE],
    "pins": [0, 1, 2],
    "box": [None, BOX],
    "look": [None, "mouse in the box", "mouse outside", "keys", "tile"],
    "veiled": [False, True],
}


def sample(count: int, seed: int) -> list[dict[str, Any]]:
    """So many combinations that a hand can make."""
    rng, made = random.Random(seed), []
    while len(made) < count:
        one = {name: rng.choice(values) for name, values in CHOICES.items()}
        if one["layer"] in ("gather", "distribute") and one["primitive"] is None:
            continue  # its map is chosen by choosing it
        if one["veiled"] and one["look"] == "tile":
            continue  # the gallery is hidden from the class, too
        made.append(one)
    return made


def payload_and_maps() -> tuple[dict[str, Any], dict[str, harness.Maps], dict[str, np.ndarray]]:
    """Two blocks of 12 primitives, and of each what it changed, (h, w); nothing of them is flat or alike."""
    rng = np.random.default_rng(4)
    payload, maps = harness.make_payload(n=12, size=(256, 256), seed=2)
    changes = {}
    for raw in payload["blocks"]:
        raw["change"], change = harness.quantise(rng.random((1, *raw["grid"])))
        raw["effect"] = rng.normal(0, 0.1, raw["n"]).tolist()
        changes[raw["name"]] = change[0, 0]
    return payload, maps, changes


def choose(canvas: harness.CanvasPage, control: str, value: str) -> None:
    canvas.page.locator(f"[data-ref={control}] input[value='{value}']").check(force=True)


def press_while_shown(canvas: harness.CanvasPage, ref: str) -> None:
    button = canvas.page.locator(f"[data-ref={ref}]")
    while button.is_visible():
        button.click()
        canvas.settle()


def spot_of(canvas: harness.CanvasPage, cell: tuple[int, int], side: int) -> tuple[float, float]:
    return canvas.spot((cell[1] + 0.5) / side, (cell[0] + 0.5) / side)


def tile(canvas: harness.CanvasPage, i: int) -> Any:
    return canvas.page.locator("[data-ref=grid] .a2c-tile").nth(canvas.settle()["gallery"].index(i))


def put_place(canvas: harness.CanvasPage, one: dict[str, Any], side: int) -> None:
    """Pins, then the box: a pin set after it would take its place."""
    mouse, keyboard = canvas.page.mouse, canvas.page.keyboard
    press_while_shown(canvas, "unbox")
    press_while_shown(canvas, "unpin")
    for number in range(one["pins"]):
        mouse.move(*spot_of(canvas, PINS[number], side))
        if number:
            keyboard.down("Shift")  # one more, not another place for the first
        mouse.down()
        mouse.up()
        keyboard.up("Shift")
        canvas.settle()
    if one["box"]:
        mouse.move(*spot_of(canvas, BOX[0], side))
        mouse.down()
        mouse.move(*spot_of(canvas, BOX[1], side), steps=2)
        mouse.up()


def look(canvas: harness.CanvasPage, one: dict[str, Any], side: int) -> None:
    page = canvas.page
    page.mouse.move(*spot_of(canvas, OUTSIDE, side))
    page.mouse.move(1, 1)  # and away: where keys were before counts no longer
    if one["look"] == "tile":
        tile(canvas, TILE).hover()
    elif one["look"] == "keys":
        page.locator("[data-ref=stage]").focus()
        page.keyboard.press("ArrowRight")
    elif one["look"]:
        page.mouse.move(*spot_of(canvas, IN_BOX if one["look"] == "mouse in the box" else OUTSIDE, side))


def drive(canvas: harness.CanvasPage, one: dict[str, Any], side: int) -> None:
    """From whatever is on the page to `one`, with its own controls."""
    page = canvas.page
    if canvas.settle()["veiled"]:
        page.locator("[data-ref=guess]").click()
    choose(canvas, "blocks", one["block"])
    put_place(canvas, one, side)
    if one["primitive"] is None:
        press_while_shown(canvas, "unchoose")
    elif canvas.settle()["primitive"] != one["primitive"]:
        tile(canvas, one["primitive"]).click()
    choose(canvas, "ask", one["direction"])
    if one["layer"] == "change":
        choose(canvas, "ask", "change")
    elif one["layer"] != "attention":
        page.locator(f"[data-ref=map{one['layer'].capitalize()}]").click()
    for control in ("scale", "sort", "tiles"):
        choose(canvas, control, one[control])
    if one["veiled"]:
        page.locator("[data-ref=guess]").click()
    look(canvas, one, side)
    canvas.settle()


def state_of(one: dict[str, Any], side: int, rest: tuple[int, int]) -> dict[str, Any]:
    """`one` as the model's state has it."""
    point = PINS[one["pins"] - 1] if one["pins"] else rest
    hover = {
        "mouse in the box": IN_BOX,
        "mouse outside": OUTSIDE,
        "keys": (point[0], min(point[1] + 1, side - 1)),
    }.get(one["look"])
    preview = {"i": TILE, "kind": one["tiles"]} if one["look"] == "tile" else None
    settings = {name: one[name] for name in ("block", "layer", "direction", "scale", "sort", "tiles")}
    place = {"point": point, "pinned": one["pins"] > 0, "box": one["box"], "hover": hover}
    others = {"primitive": one["primitive"], "preview": preview, "veiled": one["veiled"]}
    return settings | place | others | {"byKey": one["look"] == "keys"}


SHOWN = """side => {
    const ref = name => document.querySelector(`[data-ref=${name}]`);
    const text = name => ref(name).textContent;
    const best = [".a2c-name", ".a2c-share"].map(part => ref("rows").querySelector(part).textContent);
    const tiles = [...ref("grid").querySelectorAll(".a2c-tilebox:not([hidden]) .a2c-tile")];
    const { width, height } = ref("overlay");
    const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    pen.drawImage(ref("overlay"), 0, 0);
    const cell = width / side;
    const centre = (row, col) => pen.getImageData((col + 0.5) * cell, (row + 0.5) * cell, 1, 1).data;
    const each = Array.from({ length: side }, (_, k) => k);
    return {
        title: text("what"), list: text("rankTitle"), unit: text("legendUnit"), means: text("legendTitle"),
        scale: ref("scale").querySelector("input:checked").value, top: text("top"), best,
        question: ref("ask").querySelector("input:checked")?.value ?? null,
        gallery: tiles.map(tile => ["b", "em"].map(part => tile.querySelector(part).textContent)),
        hidden: getComputedStyle(ref("overlay")).visibility === "hidden",
        painted: each.map(row => each.map(col => [...centre(row, col)])),
    };
}"""


def colours(kind: str) -> np.ndarray:
    """256 RGBA of the overlay at its first opacity, from vocabulary.json."""
    hexes = "".join(VOCABULARY["colours"][VOCABULARY["colour_of"][kind]])
    stops = np.array([int(hexes[k : k + 2], 16) for k in range(0, len(hexes), 2)], float).reshape(-1, 3)
    at = np.linspace(0, 1, 256)
    table = [np.interp(at, np.linspace(0, 1, len(stops)), stops[:, c]) for c in range(3)]
    cover = VOCABULARY["cover"]
    alpha = np.minimum(1, cover["base"] + cover["gain"] * at ** cover["power"])
    return np.stack([*table, 255 * VOCABULARY["settings"]["opacity"]["first"] * alpha], axis=-1)


def map_of(said: dict[str, Any], state: dict[str, Any], maps: harness.Maps, change: np.ndarray) -> np.ndarray:
    """What the large map is to be, (h, w), by NumPy."""
    kind, (_, _, h, w) = said["kind"], maps.gather.shape
    if kind == "change":
        return change
    if kind in ("gather", "distribute"):
        return np.asarray(getattr(maps, kind)[said["i"], 0])
    flat = maps.distribute.reshape(len(maps.distribute), -1).T @ maps.gather.reshape(len(maps.gather), -1)
    cells = [state["hover"] or state["point"]]
    if said["box"]:
        (row0, col0), (row1, col1) = state["box"]
        cells = [(row, col) for row in range(row0, row1 + 1) for col in range(col0, col1 + 1)]
    at = [row * w + col for row, col in cells]
    shown = flat[at].mean(axis=0) if kind == "attention" else flat[:, at].sum(axis=1)
    return np.asarray(shown.reshape(h, w))


def assert_painted(shown: dict[str, Any], said: dict[str, Any], expected: np.ndarray) -> None:
    """The overlay has `expected` in its colours, at the centre of every cell."""
    value = np.minimum(255, 255 * expected / said["top"] + 0.5)
    table = colours(said["kind"])
    # Within one step of the table, and of what a canvas keeps of a pale pixel's colour.
    for channel, slack in ((3, 3.0), (slice(0, 3), 12.0)):
        low, high = (table[np.clip(value + by, 0, 255).astype(int)][..., channel] for by in (-1, 1))
        got = np.array(shown["painted"], float)[..., channel]
        inside = (got >= np.minimum(low, high) - slack) & (got <= np.maximum(low, high) + slack)
        assert inside.all(), (said["kind"], channel, got[~inside][:4], low[~inside][:4])


def assert_gallery(shown: dict[str, Any], said: dict[str, Any], sort: str, raw: dict[str, Any]) -> None:
    received = np.array(said["received"])
    by = {
        "rho": received,
        "reach": np.array(raw["half"]),
        "use": np.array(raw["use"]),
        "effect": np.abs(raw["effect"]),
    }[sort]
    order = np.argsort(-by.astype(np.float32), kind="stable")
    assert [name for name, _ in shown["gallery"]] == [f"g{i}" for i in order]
    if sort == "rho":
        assert shown["gallery"][0][1] == percent(received[order[0]])


def test_what_the_page_shows_of_a_combination_is_what_the_model_says_and_what_is_painted(
    show: Show,  # noqa: F811
) -> None:
    combinations = sample(COMBINATIONS, seed=1)  # one that has every choice
    for name, values in CHOICES.items():
        assert [value for value in values if all(one[name] != value for one in combinations)] == [], name
    payload, maps, changes = payload_and_maps()
    canvas = show(payload, size=(1400, 1700))
    canvas.page.evaluate(f"() => {{ {MODEL}; window.said = model.said; }}")
    middle = payload["blocks"][0]["grid"][1] // 2  # of the first block, where the probe rests
    for number, one in enumerate(combinations):
        raw = next(raw for raw in payload["blocks"] if raw["name"] == one["block"])
        side = raw["grid"][1]
        rest = int((middle + 0.5) * side / payload["blocks"][0]["grid"][1])
        drive(canvas, one, side)
        state = state_of(one, side, (rest, rest))
        said = canvas.page.evaluate("([payload, state]) => said(payload, state)", [payload, state])
        shown = canvas.page.evaluate(SHOWN, side)
        where = f"{number}: {one}"
        expected = {
            "title": said["title"],
            "question": said["question"],
            "list": said["list"],
            "unit": said["legend"]["unit"],
            "means": said["legend"]["colour"],
            "scale": one["scale"],
            "hidden": one["veiled"],
        }
        assert {name: shown[name] for name in expected} == expected, where
        assert shown["top"].endswith(percent(said["top"])), where
        best = said["order"][0]
        assert shown["best"] == [f"g{best}", percent(said["weights"][best])], where
        assert_painted(shown, said, map_of(said, state, maps[one["block"]], changes[one["block"]]))
        assert_gallery(shown, said, one["sort"], raw)
