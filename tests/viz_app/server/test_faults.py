"""A fault speaks for itself, and a bug does not speak at all."""

from __future__ import annotations

import pytest

from a2core import MediaError
from viz_app.server import faults
from viz_app.ui import text


@pytest.mark.slow
def test_a_fault_speaks_for_itself_and_a_bug_does_not_speak_at_all(caplog):
    def refuse() -> None:
        raise MediaError("“x.png” is empty. Choose another file.")

    def break_down() -> None:
        raise KeyError("inner workings")

    assert faults.attempt(refuse) == (None, "“x.png” is empty. Choose another file.")
    assert faults.attempt(break_down) == (None, text.UNEXPECTED)
    assert "inner workings" in caplog.text
    assert faults.attempt(lambda: 3) == (3, "")
