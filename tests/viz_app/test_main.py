"""The command that starts the explorer."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from pathlib import Path

import pytest
from streamlit.web import cli

from viz_app import __main__ as command


@pytest.fixture
def started(monkeypatch):
    """Runs the command; what Streamlit was given, which is not started."""

    def start(*arguments: str) -> list[str]:
        found: list[str] = []
        monkeypatch.setattr(cli, "main", lambda: found.extend(sys.argv))
        with pytest.raises(SystemExit):
            command.main(arguments)
        return found

    monkeypatch.setattr(sys, "argv", list(sys.argv))
    return start


@pytest.fixture
def taken():
    """A port at which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


def test_arguments_of_the_command_are_streamlits(started):
    found = started("--server.maxUploadSize", "50")
    assert found[:2] == ["streamlit", "run"]
    assert Path(found[2]).is_file()
    assert found[2].endswith("app.py")
    assert found[3:] == ["--server.maxUploadSize", "50"]


def test_networks_and_checkpoints_are_handed_to_the_app_as_it_reads_them(started, monkeypatch, tmp_path):
    monkeypatch.setenv("A2_NETWORKS", "")
    monkeypatch.setenv("A2_CHECKPOINTS", "")
    folder = tmp_path / "my networks"
    folder.mkdir()
    started("--networks", "timm/vit_tiny_patch16_224", str(folder), "--checkpoints", str(folder))
    assert shlex.split(os.environ["A2_NETWORKS"]) == ["timm/vit_tiny_patch16_224", str(folder)]
    assert os.environ["A2_CHECKPOINTS"] == str(folder)


@pytest.mark.parametrize("flag", ["--port", "--server.port"])
def test_a_port_in_use_is_said_before_anything_is_started(flag, started, taken, capsys):
    assert started(flag, taken, "--address", "127.0.0.1") == []
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"Nothing can listen at port {taken}" in said
    assert f"--port {int(taken) + 1}." in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "70000"), "There is no port 70000."),
        (("--checkpoints", "nowhere"), "There is no folder nowhere."),
    ],
)
def test_what_cannot_be_used_is_one_sentence(arguments, said, started, capsys):
    assert started(*arguments) == []
    assert said in capsys.readouterr().err


def test_without_streamlit_the_extra_is_named(started, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    assert started() == []
    assert "pip install 'a2nets[app]'" in capsys.readouterr().err


def test_no_folder_is_called_as_the_one_in_which_streamlit_looks_for_scripts_of_its_own():
    # Until st.navigation has run once, Streamlit takes `pages` beside app.py for that: whoever came first
    # with a link to a page was told that there is none.
    assert not Path(command.__file__).with_name("pages").exists()
