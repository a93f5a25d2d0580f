"""docs/results.md says what was measured: its tables come from docs/measures, and `--json` gathers these."""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path

import pytest

from a2core.training.evaluate.evaluate import added_to

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture(scope="module")
def results():
    spec = importlib.util.spec_from_file_location("results", DOCS / "results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_results_are_those_that_were_measured(results):
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    assert len(results.PLACE.findall(text)) == text.count("<!-- measured:") > 0
    assert text == results.written(text), "write them anew: python docs/results.py"


def test_measures_hold_nothing_of_the_machine_they_were_made_on():
    for path in (DOCS / "measures").glob("*.json"):
        measures = json.loads(path.read_text(encoding="utf-8"))
        commands = [
            entry["command"]
            for found in measures.values()
            if isinstance(found, dict)
            for entry in found.values()
        ]
        assert commands
        assert not any(word.startswith("/") for command in commands for word in command.split())
        assert path.stat().st_size < 100_000


def of(middle):
    return {"middle": middle, "low": middle - 0.01, "high": middle + 0.01}


MADE_UP = {
    "sha256": "a",
    "photos": {
        "224": {
            "command": "python -m a2core evaluate made --photos P --half reported",
            "folder": "P",
            "half": "reported",
            "classes": 10,
            "photos": 50,
            "enlarged": [3, 50],
            "parameters": 1234,
            "rows": {
                "with the blocks": {"top-1": 0.914},
                "plain trunk": {"top-1": 0.9, "blocks over it, top-1": of(0.014)},
            },
            "agreement": of(0.95),
            "use": {"here": of(0.1234)},
        }
    },
    "tracks": {
        "352": {
            "command": "python -m a2core evaluate made --tracks T",
            "folder": "T",
            "pictures": 4,
            "what": "scenes",
            "enlarged": [0, 60],
            "blocks": {
                "here": {
                    "J&F": {
                        "by": "scenes",
                        "of": "block",
                        "rows": {"block": of(0.512), "cosine": of(0.5)},
                        "over": {"cosine": of(0.012)},
                    }
                }
            },
        }
    },
}


def test_a_place_in_the_text_gets_its_table_with_conditions_and_command_and_nothing_else_changes(
    results, tmp_path
):
    (tmp_path / "made.json").write_text(json.dumps(MADE_UP))
    text = (
        "Before.\n<!-- measured: made photos -->\nold | numbers\n<!-- end -->\nBetween.\n"
        "<!-- measured: made tracks -->\n<!-- end -->\nAfter.\n"
    )
    found = results.written(text, tmp_path)
    assert found.startswith("Before.\n<!-- measured: made photos -->\n```sh\npython -m a2core evaluate made")
    assert "old | numbers" not in found
    assert "50 photos of P, the reported half, at 224 pixels, all 10 classes" in found
    assert "| plain trunk | 90.0 % | +1.40 [+0.40, +2.40] |" in " ".join(found.split())
    assert "3 of 50 pictures are smaller than 224 pixels and were enlarged." in found
    assert "here, 4 scenes of T at 352 pixels" in found
    assert "0.512 [0.502, 0.522] |" in found
    assert "+0.012 [+0.002, +0.022]" in found
    assert found.endswith("<!-- end -->\nAfter.\n")
    assert results.written(found, tmp_path) == found
    with pytest.raises(SystemExit, match="nothing of regions"):
        results.written("<!-- measured: made regions -->\n<!-- end -->", tmp_path)
    with pytest.raises(SystemExit, match="nothing of photos"):
        results.written("<!-- measured: nobody photos -->\n<!-- end -->", tmp_path)


def test_checkpoints_stand_beside_one_another_and_seeds_as_their_mean_lowest_and_highest(results, tmp_path):
    for name, lead in (("made", 0.014), ("again", 0.004)):
        measures = copy.deepcopy(MADE_UP)
        measures["photos"]["224"]["rows"]["plain trunk"]["blocks over it, top-1"] = of(lead)
        (tmp_path / f"{name}.json").write_text(json.dumps(measures))
    text = "<!-- beside: made made+again -->\n<!-- end -->"
    found = " ".join(results.written(text, tmp_path).split())
    assert "| made | 1,234 | +1.40 [+0.40, +2.40] | 0.950 |" in found
    assert "| made, 2 seeds | 1,234 | +0.90 [+0.40, +1.40] | 0.950 |" in found


def test_a_claim_holds_only_as_far_as_its_figures_say(results):
    """On the shipped measures, and with one of its figures made worse at a time."""
    measures = json.loads((DOCS / "measures" / "a2-lite0.json").read_text(encoding="utf-8"))
    before = {claim.what: claim for claim in results.claims(measures)}
    assert len(before) == 18

    def lost(change):
        worse = copy.deepcopy(measures)
        change(worse)
        return {of.what for of in results.claims(worse) if before[of.what].holds and not of.holds}

    def top_1(of):
        of["photos"]["224"]["rows"]["plain trunk"]["blocks over it, top-1"]["low"] = -0.0101

    def click(of):
        of["regions"]["672"]["blocks"]["blocks.4"]["cosine"]["block over it, click-AUC"]["middle"] = 0.004

    def overlap(of):
        of["regions"]["352"]["blocks"]["blocks.4"]["k-means, data set, by nearness"]["overlap gather"] = 0.4

    def dead(of):
        of["regions"]["352"]["blocks"]["blocks.5"]["block"]["dead"] = 1 / 256

    for change, said in (
        (top_1, "top-1 over the plain trunk"),
        (click, "blocks.4, 672 px: click-AUC"),
        (overlap, "blocks.4, 352 px: best-of-n overlap"),
        (dead, "blocks.5, 352 px: median reach"),
    ):
        (what,) = lost(change)
        assert what.startswith(said)


def test_a_file_gathers_what_was_measured_of_one_checkpoint_and_of_no_other(tmp_path):
    path = tmp_path / "made.json"
    assert added_to(path, MADE_UP) == MADE_UP  # there is none yet
    path.write_text(json.dumps(MADE_UP))
    entry = MADE_UP["tracks"]["352"]
    more = {"sha256": "a", "tracks": {"352": {**entry, "pictures": 5}, "native": entry}}
    joined = added_to(path, more)
    assert joined["photos"] == MADE_UP["photos"]
    assert joined["tracks"] == more["tracks"]
    assert added_to(path, {**more, "sha256": "b"}) == {**more, "sha256": "b"}
    path.write_text("no JSON")
    assert added_to(path, more) == more
