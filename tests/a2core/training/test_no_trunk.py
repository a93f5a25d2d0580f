"""Training knows no network by name: what it must know of one is data of `networks` or of a card."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import a2core
from a2core.networks.backbones import BACKBONES, SHORT_NAME
from a2core.networks.paper import PAPER_NETWORKS

FOLDER = Path(a2core.__file__).parent / "training"
NAMES = (*BACKBONES, *PAPER_NETWORKS, SHORT_NAME)
SITES = {name for trunk in BACKBONES.values() for name in trunk.sites}
ROUND = {256, 512, 1024, 2048}  # numbers that mean other things too
CHANNELS = {site.channels for trunk in BACKBONES.values() for site in trunk.sites.values()} - ROUND
POOLED = {1280}  # what the default trunk's classifier reads


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_no_file_of_training_names_a_trunk_its_modules_or_its_sizes(path):
    text = path.read_text(encoding="utf-8")
    named = [name for name in (*NAMES, "EfficientNet", "ResNet") if name in text]
    assert named == [], "also what is said of it goes for any network"
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Constant):
            continue
        if isinstance(node.value, str):
            assert node.value not in SITES, f"line {node.lineno}: {node.value!r}"
            assert not re.fullmatch(r"(blocks|layer)\.?\d.*", node.value), (
                f"line {node.lineno}: {node.value!r}"
            )
        elif isinstance(node.value, int) and not isinstance(node.value, bool):
            assert node.value not in CHANNELS | POOLED, f"line {node.lineno}: {node.value}"
