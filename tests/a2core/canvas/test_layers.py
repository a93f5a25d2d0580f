"""Layers of softmax attention in the payload: what is sent, what is sent later, what comes back."""

from __future__ import annotations

import base64
import dataclasses
import json

import numpy as np
import pytest

from a2core import AttentionTrace, BlockError, PairsTrace, rollout
from a2core.canvas import canvas_payload, layer_payload, names_of, rollout_payload, with_fitting_layers
from a2core.canvas import layers as module
from a2core.canvas.packed import quantise_signed
from a2core.tracing.pairs import Compared, rollout_rows

HEADS, D, CELLS = 2, 4, (3, 5)
RNG = np.random.default_rng(0)


def layer(name: str, prefix: int = 1, cells: tuple[int, int] = CELLS) -> PairsTrace:
    tokens = prefix + cells[0] * cells[1]
    queries, keys = RNG.normal(size=(2, HEADS, D, tokens)).astype(np.float32)
    return PairsTrace(name, queries, keys, 0.5, prefix, cells)


def traced(trace, *layers):
    return dataclasses.replace(trace, attention={each.name: each for each in layers})


def back(packed, shape):
    data = np.frombuffer(base64.b64decode(packed["data"]), "<i2").reshape(len(packed["scale"]), -1)
    values = np.where(data == -32768, -np.inf, data / 32767 * np.array(packed["scale"])[:, None])
    return values.reshape(shape)


def test_what_is_signed_comes_back_within_half_a_level_and_what_is_masked_as_minus_infinity():
    rows = RNG.normal(size=(3, 20)) * [[1e-3], [1], [1e3]]
    masked = RNG.random((3, 20)) < 0.2
    seen = back(quantise_signed(rows, masked=masked), rows.shape)
    assert (np.isinf(seen) == masked).all()
    wanted = np.where(masked, 0, rows)
    error = np.abs(np.where(masked, 0, seen) - wanted).max(axis=1)
    assert (error <= np.abs(wanted).max(axis=1) / 65534 * 1.001).all()
    assert not back(quantise_signed(np.zeros((2, 3))), (2, 3)).any()


def test_rows_that_a_browser_works_out_of_a_layer_are_its_own():
    one = layer("a")
    sent = layer_payload(one)
    tokens = one.queries.shape[2]
    queries, keys = (back(sent[name], (HEADS, D, tokens)) for name in ("queries", "keys"))
    scores = np.einsum("hdp,hdj->hpj", queries, keys) * sent["scale"]
    divided = np.frombuffer(base64.b64decode(sent["lse"]), "<f4").reshape(HEADS, tokens)
    weights = np.exp(scores - divided[..., None])
    for position, token in (((0, 1, 2), 1 + 1 * 5 + 2), (0, 0)):
        np.testing.assert_allclose(weights[:, token].mean(axis=0), one.row(position), atol=1e-4)
    assert sent["before"] == ["token 0"], "nobody said what it is"
    assert json.loads(json.dumps(sent)) == sent


def test_the_payload_holds_the_last_layer_whole_and_the_others_by_name(tiny_trace):
    trace = traced(tiny_trace, layer("a"), layer("b"), layer("c"))
    own = [block for block in canvas_payload(trace, {}, key="k", alt="")["blocks"] if block.get("own")]
    assert [(block["name"], block["order"]) for block in own[:3]] == [("a", 0), ("b", 1), ("c", 2)]
    assert [block["name"] for block in own if "queries" in block] == ["c"]
    assert own[3]["kind"] == "rows"
    assert "rows" not in own[3], "worked out when somebody looks"
    assert names_of(trace.attention) == ["a", "b", "c", "rollout"]


def test_a_page_that_fetches_nothing_has_the_last_layers_that_fit_under_their_own_numbers(
    tiny_trace, monkeypatch
):
    trace = traced(tiny_trace, layer("a"), layer("b"), layer("c"))
    payload = canvas_payload(trace, {}, key="k", alt="", layers=())
    one = sum(len(layer_payload(trace.attention["c"])[name]["data"]) for name in ("queries", "keys"))
    rolled = len(rollout_payload(trace.attention)["rows"]["data"])
    monkeypatch.setattr(module, "PAGE_BYTES", rolled + 2 * one)
    fitted = with_fitting_layers(payload, trace)["blocks"]
    assert [block["name"] for block in fitted] == ["blocks.4", "blocks.5", "b", "c", "rollout"]
    assert [block["order"] for block in fitted[2:]] == [1, 2, 3]
    monkeypatch.setattr(module, "PAGE_BYTES", 0)
    assert with_fitting_layers(payload, trace)["blocks"][2:], "at least one"


def test_rollout_of_all_tokens_is_that_of_each():
    layers = {name: layer(name) for name in "abc"}
    rows = rollout_rows(list(layers.values()))
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
    for position, token in (((0, 2, 4), 15), (0, 0)):
        over = rows[token, 1:] / rows[token, 1:].sum()
        np.testing.assert_allclose(over.reshape(1, *CELLS), rollout(layers, position), atol=1e-6)


@pytest.mark.parametrize(
    "layers", [[layer("a")], [layer("a"), layer("b", cells=(2, 5))], [layer("a"), layer("b", prefix=2)]]
)
def test_rollout_is_not_offered_where_it_means_nothing(layers):
    assert "rollout" not in names_of({each.name: each for each in layers})
    if len(layers) > 1:
        with pytest.raises(BlockError, match="one grid"):
            rollout_rows(layers)


def test_rollout_is_not_offered_where_it_would_be_too_large(monkeypatch):
    layers = {name: layer(name) for name in "ab"}
    monkeypatch.setattr(module, "ROLLOUT_TOKENS", 15)
    assert names_of(layers) == ["a", "b"]


def test_windows_and_coarser_keys_say_which_token_is_in_which_slot():
    members = np.array([[0, 1], [2, 3]], np.int32)
    keys = np.array([[0, -1], [0, -1]], np.int32)
    q, k = RNG.normal(size=(2, 2, HEADS, D, 2)).astype(np.float32)
    bias = np.where(RNG.random((1, HEADS, 2, 2)) < 0.3, -np.inf, 1.5).astype(np.float32)
    sent = layer_payload(AttentionTrace("w", 0, (2, 2), (1, 1), members, keys, Compared(q, k, 1.0, bias)))
    groups = sent["groups"]
    assert np.frombuffer(base64.b64decode(groups["asks"]), "<i4").tolist() == [0, 1, 2, 3]
    assert np.frombuffer(base64.b64decode(groups["asked"]), "<i4").tolist() == [0, -1, 0, -1]
    assert (groups["count"], groups["cells"], groups["key_cells"]) == (2, [2, 2], [1, 1])
    assert sent["grid"] == [1, 2, 2]
    np.testing.assert_allclose(back(sent["bias"], bias.shape), bias, rtol=1e-4)
    assert "in windows" not in sent["label"], "each asks all that is asked"
