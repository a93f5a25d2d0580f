"""The command that starts the explorer."""

from __future__ import annotations

import sys

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

from viz_app import __main__ as command


@pytest.fixture
def started(monkeypatch) -> dict[str, object]:
    """What Streamlit would be started with."""
    found: dict[str, object] = {}
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    monkeypatch.setattr(sys, "argv", ["a2-explorer", "--server.port", "8502"])
    monkeypatch.setattr(
        cli, "main", lambda: found.update(argv=sys.argv, scripts=PagesManager.uses_pages_directory)
    )
    with pytest.raises(SystemExit):
        command.main()
    return found


def test_arguments_of_the_command_are_streamlits(started):
    assert started["argv"][:2] == ["streamlit", "run"]
    assert started["argv"][2].endswith("app.py")
    assert started["argv"][3:] == ["--server.port", "8502"]


def test_a_link_that_is_the_first_to_be_opened_is_found_though_our_folder_is_called_as_streamlits_is(started):
    assert started["scripts"] is False
