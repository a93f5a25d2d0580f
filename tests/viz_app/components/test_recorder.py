"""A recorded clip is a file like any other, measured before it is decoded."""

from __future__ import annotations

import base64

import pytest

import a2core
from viz_app.components import clip_recorder


def test_a_recorded_clip_comes_back_as_its_bytes_and_what_is_malformed_is_dropped(monkeypatch):
    data = bytes(range(256))
    whole = base64.b64encode(data).decode()
    assert clip_recorder.parse_clip({"data": whole}) == data
    for raw in (None, 3, "clip", [whole], {}, {"data": None}, {"data": ""}, {"data": 5}, {"data": [1, 2]}):
        assert clip_recorder.parse_clip(raw) is None
    for text in (whole[:-1], whole + "!", "data:video/webm;base64," + whole, "ü" * 8, "\x00\ud800"):
        assert clip_recorder.parse_clip({"data": text}) is None
    monkeypatch.setattr(clip_recorder, "MOST_BYTES", 256)
    assert clip_recorder.parse_clip({"data": whole}) == data


def test_a_recorded_clip_that_is_too_large_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(clip_recorder, "MOST_BYTES", 3 * 10**6)
    monkeypatch.setattr(base64, "b64decode", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(a2core.MediaError, match=r"more than 3 MB\. Record it again, shorter\."):
        clip_recorder.parse_clip({"data": "A" * (4 * 10**6 + 4)})


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"\x1a\x45\xdf\xa3", "camera clip.webm"), (b"\0\0\0\x1cftypiso5", "camera clip.mp4")],
)
def test_a_recorded_clip_is_named_by_what_it_is(head, name):
    assert clip_recorder.name_of(head) == name
