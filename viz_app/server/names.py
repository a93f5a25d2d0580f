"""What primitives are called, and by whom: a visitor's names are the visitor's own.

They stay in the session, as whatever else a visitor brings, and leave it as a file. Only where whoever runs
the server says so (A2_ATLAS_NAMES=shared) are they written beside the atlas, for all. Names that lie there
already, its owner's, are shown to everybody either way.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import streamlit as st

import a2core
from a2core import Atlas, AtlasError
from viz_app.ui import shipped
from viz_app.ui.state import Key

SHARED = "A2_ATLAS_NAMES"  # "shared": visitors' names are written beside the atlas
LARGEST_FILE = 4 * 2**20

Told = dict[str, dict[str, dict[str, str]]]


def shared(atlas: Atlas) -> bool:
    """Whether a name is written beside the atlas: never beside one that came with the checkpoints."""
    return os.environ.get(SHARED, "").strip().lower() == "shared" and not _came_with_checkpoints(atlas)


def own(atlas: Atlas) -> Told:
    """The visitor's own names of this atlas's checkpoint, by block and primitive."""
    by_checkpoint: dict[str, Told] = st.session_state.get(Key.NAMES, {})
    return by_checkpoint.get(atlas.told["checkpoint"]["sha256"], {})


def named(atlas: Atlas, block: str) -> list[dict[str, Any]]:
    """The primitives of a block with their measures, under the visitor's names where there are any."""
    beside = {one: _told(atlas, entry) for one, entry in atlas.names.all().get(block, {}).items()}
    mine = beside | ({} if shared(atlas) else own(atlas).get(block, {}))
    nameless = {"name": "", "note": ""}
    key = str(atlas.told["parts"]["primitives.parquet"]["sha256"])
    return [{**row, **mine.get(str(row["primitive"]), nameless)} for row in _measured(atlas, key, block)]


@st.cache_resource(max_entries=32, show_spinner=False)
def _measured(_atlas: Atlas, key: str, block: str) -> list[dict[str, Any]]:
    """The measures, which stay as they are; Explore asks for them with every picture."""
    del key
    return _atlas.primitives(block)


def name_of(atlas: Atlas, block: str, primitive: int) -> str:
    """What a primitive is called, "" where it has no name."""
    mine: Mapping[str, str] = {} if shared(atlas) else own(atlas).get(block, {}).get(str(primitive), {})
    return mine["name"] if mine else _told(atlas, atlas.name(block, primitive))["name"]


def _told(atlas: Atlas, entry: dict[str, str]) -> dict[str, str]:
    """A name beside the atlas with its note, in the visitor's language where it came with the checkpoints."""
    if not _came_with_checkpoints(atlas):
        return entry
    return {"name": shipped.name(entry["name"]), "note": shipped.note(entry["note"])}


def _came_with_checkpoints(atlas: Atlas) -> bool:
    return atlas.folder.is_relative_to(a2core.checkpoint_folder().absolute())


def give(atlas: Atlas, block: str, primitive: int, name: str, note: str) -> None:
    """Have a primitive called `name`: by this visitor, or by all where names are shared.

    Raises:
        AtlasError: no such primitive, a text that is too long, or it cannot be written.
    """
    before = atlas.name(block, primitive)
    if shared(atlas):
        atlas.name(block, primitive, name, note=note)
        return
    told = _own_to_change(atlas)
    entry = a2core.give_name(told, block, primitive, name, note)
    told[block].pop(str(primitive), None)
    # One without a name or note takes the owner's away, for this visitor.
    if entry not in (before, _told(atlas, before)):
        told[block][str(primitive)] = entry


def exported(atlas: Atlas) -> bytes:
    """All names that the visitor sees, as the file `names.json` that may lie beside an atlas."""
    told: Told = {block: dict(entries) for block, entries in atlas.names.all().items()}
    if not shared(atlas):
        for block, entries in own(atlas).items():
            told.setdefault(block, {}).update(entries)
    return a2core.written_names(told)


def take_in(atlas: Atlas, data: bytes) -> int:
    """Have the names of a file in the visitor's own, over those that are there; how many.

    Raises:
        AtlasError: it is no file of names, or of other primitives.
    """
    if len(data) > LARGEST_FILE:
        raise AtlasError("This file of names is larger than 4 MB. Take one that was exported here.")
    found = a2core.parse_names(data)
    for block, entries in found.items():
        if block not in atlas.blocks or any(int(one) not in range(atlas.blocks[block]) for one in entries):
            raise AtlasError("These are names of other primitives. Take a file exported for this network.")
    count = 0
    for block, entries in found.items():
        for primitive, entry in entries.items():
            give(atlas, block, int(primitive), entry["name"], entry["note"])
            count += 1
    return count


def _own_to_change(atlas: Atlas) -> Told:
    by_checkpoint: dict[str, Told] = st.session_state.setdefault(Key.NAMES, {})
    return by_checkpoint.setdefault(atlas.told["checkpoint"]["sha256"], {})
