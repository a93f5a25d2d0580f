"""The examples that people copy run as written."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "name", ["README.md", "docs/own_network.md", "docs/interventions.md", "docs/atlas.md"]
)
def test_examples_run_as_written(name):
    if not (ROOT / name).is_file():
        pytest.skip(f"there is no {name} yet")
    text = (ROOT / name).read_text(encoding="utf-8").replace("\n```", "\n\n```")
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    result = runner.run(test, out=said.append)
    assert result.failed == 0, "".join(said)
    assert result.attempted or name == "README.md"
