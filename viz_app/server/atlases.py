"""Atlases that the app shows: those beside the checkpoints, and those that A2_ATLAS names."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import streamlit as st

import a2core
from a2core import A2Error, Atlas, AtlasError
from viz_app.server.models import Weights

ATLASES = "A2_ATLAS"  # names folders of atlases of whoever runs the server


def list_atlases() -> tuple[list[Atlas], list[str]]:
    """The atlases that can be shown, those of A2_ATLAS first, and what is wrong with the others."""
    folder = a2core.checkpoint_folder()
    beside = sorted(path.parent for path in folder.glob("*/atlas.json")) if folder.is_dir() else []
    found: list[Atlas] = []
    faults: list[str] = []
    try:
        named = [Path(text).absolute() for text in shlex.split(os.environ.get(ATLASES, ""))]
    except ValueError as error:
        named, faults = [], [f"{ATLASES} cannot be read ({error})."]
    for path in dict.fromkeys([*named, *beside]):
        try:
            told = path / "atlas.json"
            found.append(_opened(str(path), told.stat().st_mtime_ns if told.is_file() else 0))
        except A2Error as error:
            faults.append(str(error))
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


def may_be_named(atlas: Atlas) -> bool:
    """Whether visitors may name its primitives: not in an atlas that came with the checkpoints."""
    return not atlas.folder.is_relative_to(a2core.checkpoint_folder().absolute())


def name(atlas: Atlas, block: str, primitive: int, text: str, note: str) -> None:
    """Have a primitive called `text`.

    Raises:
        AtlasError: it may not be named, or the name cannot be kept.
    """
    if not may_be_named(atlas):
        raise AtlasError("This atlas came with the checkpoint: build one of your own to name its primitives.")
    atlas.name(block, primitive, text, note=note)
