"""Atlases that the app shows: those beside the checkpoints, and those that A2_ATLAS names."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import streamlit as st

import a2core
from a2core import A2Error, Atlas
from a2core.languages import sentence
from viz_app.server.models import UNREAD, Weights, list_weights

_BESIDE = ("*/atlas.json", "*/*/atlas.json")
ATLASES = "A2_ATLAS"  # names folders of atlases of whoever runs the server


def list_atlases() -> tuple[list[Atlas], list[str]]:
    """The atlases that can be shown, those of A2_ATLAS first, and what is wrong with the others."""
    folder = a2core.checkpoint_folder()
    beside = (
        [path.parent for glob in _BESIDE for path in sorted(folder.glob(glob))] if folder.is_dir() else []
    )
    found: list[Atlas] = []
    faults: list[str] = []
    try:
        named = [Path(text).absolute() for text in shlex.split(os.environ.get(ATLASES, ""))]
    except ValueError as error:
        named, faults = [], [sentence(UNREAD, variable=ATLASES, why=str(error))]
    for path in dict.fromkeys([*named, *beside]):
        try:
            told = path / "atlas.json"
            found.append(_opened(str(path), told.stat().st_mtime_ns if told.is_file() else 0))
        except A2Error as error:
            faults.append(error.args[0])
    return found, faults


@st.cache_resource(max_entries=16, show_spinner=False)
def _opened(path: str, changed_ns: int) -> Atlas:
    """Opened once for the whole server, and anew when it was built again."""
    del changed_ns
    return Atlas(path)


def of_weights(weights: Weights) -> Atlas | None:
    """The first atlas that was built with the checkpoint of `weights`; random blocks have none."""
    if not weights.trained:
        return None
    sha256 = weights.fingerprint
    return next(
        (
            atlas
            for atlas in list_atlases()[0]
            if sha256 and atlas.told["checkpoint"]["sha256"].startswith(sha256)
        ),
        None,
    )


def weights_of(atlas: Atlas) -> Weights | None:
    """The weights here that the atlas was built with; None where there are none, or they have changed."""
    sha256 = atlas.told["checkpoint"]["sha256"]
    trained = [weights for weights in list_weights()[0] if weights.trained and weights.fingerprint]
    return next((weights for weights in trained if sha256.startswith(weights.fingerprint)), None)
