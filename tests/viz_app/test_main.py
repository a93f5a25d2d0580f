"""The command that starts the explorer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from streamlit.web import cli

from viz_app import __main__ as command


def test_arguments_of_the_command_are_streamlits(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["a2-explorer", "--server.port", "8502"])
    found: list[str] = []
    monkeypatch.setattr(cli, "main", lambda: found.extend(sys.argv))
    with pytest.raises(SystemExit):
        command.main()
    assert found[:2] == ["streamlit", "run"]
    assert Path(found[2]).is_file()
    assert found[2].endswith("app.py")
    assert found[3:] == ["--server.port", "8502"]


def test_no_folder_is_called_as_the_one_in_which_streamlit_looks_for_scripts_of_its_own():
    # Until st.navigation has run once, Streamlit takes `pages` beside app.py for that: whoever came first
    # with a link to a page was told that there is none.
    assert not Path(command.__file__).with_name("pages").exists()
