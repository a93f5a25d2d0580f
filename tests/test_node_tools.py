"""The scripts' tools are pinned, and come from wherever npm is told to look."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))


def test_every_tool_has_one_version_which_the_lockfile_has_too():
    asked = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in asked, "the app needs nothing of Node's"
    for name, version in asked["devDependencies"].items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert LOCK["packages"][f"node_modules/{name}"]["version"] == version


def test_the_lockfile_names_no_host_that_packages_come_from():
    for name, entry in LOCK["packages"].items():
        assert "resolved" not in entry, name
        assert not name or entry["integrity"].startswith("sha512-"), name
