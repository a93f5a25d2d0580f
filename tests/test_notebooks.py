"""The notebooks as they are kept: run to their end, small, and nothing of the machine that ran them in it.

They are run by `make notebooks`, in .ci/run; here is what a reader of the saved files sees.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_the_three():
    assert [path.name[:2] for path in NOTEBOOKS] == ["1_", "2_", "3_"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_was_run_from_its_first_cell_to_its_last_and_is_small(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert path.stat().st_size < 150_000
    assert "widgets" not in notebook["metadata"]
    for cell in code:
        ast.parse("".join(cell["source"]))
        for output in cell["outputs"]:
            assert output["output_type"] in ("execute_result", "display_data"), output  # no error, no warning
            told = "".join(output["data"].get("text/plain", ""))
            assert "0x7f" not in told
            assert "/home/" not in told
            assert "/tmp/" not in told


def test_one_of_them_shows_a_trace_where_it_is_only_read():
    text = (FOLDER / "1_look_into_a_photo.ipynb").read_text(encoding="utf-8")
    assert "data:image/webp;base64," in text
