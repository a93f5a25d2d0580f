"""What the site's scripts are held against (agreed.json) is what Python says today."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def made_case():
    spec = importlib.util.spec_from_file_location("made_case", HERE / "made_case.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_alike(ours, theirs, where=""):
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key, value in theirs.items():
            assert_alike(ours[key], value, f"{where}/{key}")
    elif isinstance(theirs, list) and theirs and isinstance(theirs[0], int | float):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7, err_msg=where)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for k, value in enumerate(theirs):
            assert_alike(ours[k], value, f"{where}/{k}")
    else:
        assert ours == theirs, where


def test_what_the_scripts_are_held_against_is_of_today(made_case):
    kept = json.loads((HERE / "agreed.json").read_text(encoding="utf-8"))
    assert_alike(json.loads(json.dumps(made_case.worked_out())), kept)
