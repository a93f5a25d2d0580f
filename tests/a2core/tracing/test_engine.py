"""ONNX Runtime instead of torch: the same traces, only where nobody can tell, and never without a check."""

from __future__ import annotations

import os
import shutil
import stat
import sys

import numpy as np
import onnx
import pytest
import torch

import a2core
from a2core import Clip, DoubleAttention, Model, NetworkError, Replay, Stopped
from a2core.networks.spec import InputSpec
from a2core.tracing import graphs
from a2core.tracing.model_input import standardised, standardised_array
from tests.a2core.conftest import make_tiny_model

MAPS = ("primitives", "gather", "distribute", "output", "change")
SIZES = {"picture": (1, 96, 160), "upright": (1, 160, 64), "clip": (5, 64, 96)}


def made(count: int, height: int, width: int, seed: int = 0) -> Clip:
    """Frames of smooth colours with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] * 1.5
    smooth = np.stack([x, y, 255 - (x + y) / 2], axis=-1)
    frames = smooth + rng.normal(0, 40, (count, height, width, 3))
    kind = "image" if count == 1 else "video"
    return Clip(frames.clip(0, 255).astype(np.uint8), np.arange(count) / 8, kind, "made", ())


def assert_same(ours: a2core.Trace, theirs: a2core.Trace) -> None:
    assert list(ours.blocks) == list(theirs.blocks)
    for name, block in theirs.blocks.items():
        for key in MAPS:
            a, b = getattr(ours.blocks[name], key), getattr(block, key)
            assert a.shape == b.shape
            assert a.dtype == np.float32
            assert not a.flags.writeable
            assert np.abs(a - b).max() <= 1e-4 * np.abs(b).max(), (name, key)
    assert [label for label, _ in ours.top] == [label for label, _ in theirs.top]
    np.testing.assert_allclose([p for _, p in ours.top], [p for _, p in theirs.top], rtol=1e-3)


@pytest.fixture(scope="module")
def by_torch() -> Model:
    return a2core.load_model("a2-lite0", device="cpu", engine="torch")


@pytest.fixture
def fast() -> Model:
    return a2core.load_model("a2-lite0", device="cpu", engine="onnxruntime")


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A user's cache of this test's own, on every system."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    monkeypatch.setattr(graphs, "cache_folder", lambda: tmp_path / "cache" / "graphs")
    return tmp_path / "cache" / "graphs"


def tiny(engine: str, **options) -> Model:
    return make_tiny_model(may_attend=False, engine=engine, **options)


@pytest.mark.parametrize("name", ["a2-lite0", "a2-lite0-clips", "a2-lite2"])
def test_the_graphs_of_what_is_shipped_are_there_and_of_today(name):
    model = a2core.load_model(name, device="cpu", engine="torch")
    parts = graphs.parts_of(model.passage.chain, model.blocks)
    shipped = graphs.SHIPPED / f"{graphs.digest(parts)}.zip"
    assert shipped.is_file(), "a block or a trunk has changed. Draw them anew: python docs/graphs.py"


@pytest.mark.parametrize("frames", ["joint", "each"])
@pytest.mark.parametrize("size", SIZES)
def test_both_trace_the_same(by_torch, fast, size, frames):
    clip = made(*SIZES[size])
    ours, theirs = (model.trace(clip, size=160, frames=frames) for model in (fast, by_torch))
    assert (ours.engine, theirs.engine) == ("onnxruntime", "torch")
    assert_same(ours, theirs)
    for block in ours.blocks.values():
        over = (1, 2, 3) if frames == "joint" else (2, 3)
        np.testing.assert_allclose(block.gather.sum(axis=over), 1, atol=1e-5)
        np.testing.assert_allclose(block.distribute.sum(axis=0), 1, atol=1e-5)


def test_by_itself_it_takes_over_at_the_third_trace(by_torch):
    model = a2core.load_model("a2-lite0", device="cpu", engine="auto")
    clips = [made(1, 64, 96, seed) for seed in range(4)]
    traces = [model.trace(clip, size=96) for clip in clips]
    assert [trace.engine for trace in traces] == ["torch", "torch", "onnxruntime", "onnxruntime"]
    for clip, trace in zip(clips, traces, strict=True):
        assert_same(trace, by_torch.trace(clip, size=96))


def test_the_environment_can_leave_it_off(monkeypatch):
    monkeypatch.setenv("A2_ENGINE", "torch")
    model = a2core.load_model("a2-lite0", device="cpu")
    assert {model.trace(made(1, 64, 64), size=64).engine for _ in range(4)} == {"torch"}
    monkeypatch.setenv("A2_ENGINE", "tensorrt")
    with pytest.raises(NetworkError, match="auto, torch or onnxruntime"):
        a2core.load_model("a2-lite0", device="cpu")


def test_without_onnxruntime_it_is_torch_and_nobody_is_told(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    model = a2core.load_model("a2-lite0", device="cpu", engine="auto")
    assert {model.trace(made(1, 64, 64), size=64).engine for _ in range(3)} == {"torch"}
    assert capfd.readouterr() == ("", "")
    with pytest.raises(NetworkError, match="not installed"):
        a2core.load_model("a2-lite0", device="cpu", engine="onnxruntime")


ON_ALL = torch.nn.modules.module  # hooks there are run by every module that there is


@pytest.mark.parametrize(
    "hook",
    [
        lambda fast, act: fast.network.get_submodule("blocks.3").register_forward_hook(act),
        lambda _, act: ON_ALL.register_module_forward_hook(act),
        lambda _, act: ON_ALL.register_module_forward_pre_hook(act),
    ],
)
def test_somebodys_hook_is_run_and_when_it_is_gone_so_is_torch(fast, monkeypatch, hook):
    monkeypatch.delattr(ON_ALL, "_has_any_global_hook")  # torch's own question, which not every version has
    clip, seen = made(1, 64, 96), []
    assert fast.trace(clip, size=96).engine == "onnxruntime"

    def note(*_):
        seen.append(1)

    handle = hook(fast, note)
    assert fast.trace(clip, size=96).engine == "torch"
    assert seen
    handle.remove()
    assert fast.trace(clip, size=96).engine == "onnxruntime"


@pytest.mark.parametrize("past_torch", [False, True])
def test_weights_that_were_changed_are_those_that_run(by_torch, fast, past_torch):
    clip = made(1, 64, 96)
    before = fast.trace(clip, size=96)
    with torch.no_grad():
        weight = fast.blocks["blocks.4"].theta.weight
        (weight.data if past_torch else weight).mul_(0.5)
    after = fast.trace(clip, size=96)
    assert after.engine == "torch"
    moved = np.abs(after.blocks["blocks.4"].gather - before.blocks["blocks.4"].gather).max()
    assert moved > 1e-2 * before.blocks["blocks.4"].gather.max()


def test_a_block_that_was_told_otherwise_runs_so(fast):
    clip = made(1, 64, 96)
    before = fast.trace(clip, size=96)
    fast.blocks["blocks.5"].residual = False
    after = fast.trace(clip, size=96)
    assert after.engine == "torch"
    assert after.top != before.top


def test_a_graph_that_computes_something_else_is_not_believed(by_torch, tmp_path, monkeypatch, own_cache):
    parts = graphs.parts_of(by_torch.passage.chain, by_torch.blocks)
    key = graphs.digest(parts)
    drawn = graphs.find(key)
    wrong = onnx.load_from_string(drawn[1])
    for node in wrong.graph.node:
        if node.op_type == "Softmax" and node.attribute[0].i == 2:
            node.attribute[0].i = 1  # over primitives what belongs over positions
    graphs.keep(key, [drawn[0], wrong.SerializeToString(), *drawn[2:]], tmp_path)
    monkeypatch.setattr(graphs, "SHIPPED", tmp_path)
    for choice in ("auto", "onnxruntime"):
        model = a2core.load_model("a2-lite0", device="cpu", engine=choice)
        traces = [model.trace(made(1, 64, 96), size=96) for _ in range(3)]
        assert {trace.engine for trace in traces} == {"torch"}
        assert "gather of blocks.4" in model.engine.why or "primitives of blocks.4" in model.engine.why


def test_a_damaged_file_of_graphs_is_as_good_as_none(by_torch, tmp_path, monkeypatch, own_cache):
    parts = graphs.parts_of(by_torch.passage.chain, by_torch.blocks)
    whole = (graphs.SHIPPED / f"{graphs.digest(parts)}.zip").read_bytes()
    monkeypatch.setattr(graphs, "SHIPPED", tmp_path)
    for damaged in (b"", whole[: len(whole) // 2], whole[:2000] + bytes(200) + whole[2200:]):
        (tmp_path / f"{graphs.digest(parts)}.zip").write_bytes(damaged)
        model = a2core.load_model("a2-lite0", device="cpu", engine="auto")
        assert {model.trace(made(1, 64, 64), size=64).engine for _ in range(3)} == {"torch"}
        assert model.engine.why


def test_an_experiment_stays_with_torch_and_agrees(fast):
    clip = made(1, 96, 160)
    trace, replay = fast.trace(clip, size=160), Replay(fast, clip, size=160)
    assert (trace.engine, replay.trace.engine) == ("onnxruntime", "torch")
    assert_same(trace, replay.trace)
    assert replay.run("blocks.5", off=[0]).before.argmax() == fast.labels.index(trace.top[0][0])


def test_it_says_how_far_it_is_and_stops_when_told_to(fast):
    clip, told = made(5, 64, 96), []
    fast.trace(clip, size=96)
    assert fast.trace(clip, size=96, progress=told.append).engine == "onnxruntime"
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert len(told) > 5
    with pytest.raises(Stopped):
        fast.trace(clip, size=96, stop=lambda: len(told) > 0)
    assert fast.trace(clip, size=96).engine == "onnxruntime"


def test_what_somebody_raises_while_it_runs_is_theirs(fast):
    clip = made(3, 64, 96)
    fast.trace(clip, size=96)

    def leave(share: float) -> None:
        raise KeyError(share)

    with pytest.raises(KeyError):
        fast.trace(clip, size=96, progress=leave)
    assert fast.trace(clip, size=96).engine == "onnxruntime"


def test_its_threads_are_those_that_torch_was_given(fast):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        fast.trace(made(1, 64, 64), size=64)
        assert {session.get_session_options().intra_op_num_threads for *_, session in fast.engine._open} == {
            1
        }
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("frames", ["joint", "each"])
def test_frames_go_side_by_side_on_a_thread_each_and_keep_their_places(by_torch, fast, monkeypatch, frames):
    before, clip = torch.get_num_threads(), made(7, 64, 96)
    monkeypatch.setattr("a2core.tracing.engine.threads_wanted", lambda: 2)
    told: list[float] = []
    try:
        torch.set_num_threads(2)
        ours = fast.trace(clip, size=96, frames=frames, progress=told.append)
    finally:
        torch.set_num_threads(before)
    assert ours.engine == "onnxruntime"
    assert fast.engine._of_one_thread.cache_info().currsize > 1
    assert_same(ours, by_torch.trace(clip, size=96, frames=frames))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


@pytest.fixture(scope="module")
def drawn_once() -> list[bytes]:
    model = tiny("torch")
    return graphs.draw(graphs.parts_of(model.passage.chain, model.blocks), 3, 32)


@pytest.mark.slow
def test_graphs_are_drawn_where_there_are_none_kept_and_found_again(own_cache, monkeypatch, drawn_once):
    expected = [tiny("torch").trace(made(*size), size=160) for size in SIZES.values()]
    assert {tiny("auto").trace(made(1, 64, 64), size=64).engine for _ in range(3)} == {"torch"}
    monkeypatch.setattr(graphs, "draw", lambda *_: drawn_once)
    model = tiny("onnxruntime")
    assert len(list(own_cache.iterdir())) == 1
    for size, theirs in zip(SIZES.values(), expected, strict=True):
        ours = model.trace(made(*size), size=160)
        assert ours.engine == "onnxruntime"
        assert_same(ours, theirs)
    monkeypatch.setattr(graphs, "draw", None)  # not again
    assert tiny("onnxruntime").trace(made(1, 64, 64), size=64).engine == "onnxruntime"


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_to_is_no_fault(tmp_path, monkeypatch, drawn_once):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(graphs, "cache_folder", lambda: tmp_path / "file" / "graphs")
    monkeypatch.setattr(graphs, "draw", lambda *_: drawn_once)
    assert tiny("onnxruntime").trace(made(1, 64, 64), size=64).engine == "onnxruntime"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows gives each user a temporary folder")
def test_without_a_home_graphs_lie_where_nobody_else_can_put_one(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(graphs.sys, "platform", "linux")
    monkeypatch.setattr(graphs.tempfile, "gettempdir", lambda: str(tmp_path))

    def homeless(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(graphs.Path, "expanduser", homeless)
    folder = graphs.cache_folder()
    mine = tmp_path / f"a2nets-{os.getuid()}"
    assert folder == mine / "a2nets" / "graphs"
    assert stat.S_IMODE(mine.stat().st_mode) == 0o700
    graphs.keep("key", [b"graph"])
    assert (folder / "key.zip").is_file()

    def elsewhere():
        other = graphs.cache_folder()
        assert other.is_relative_to(tmp_path)
        assert not other.is_relative_to(mine)
        assert stat.S_IMODE(other.parents[1].stat().st_mode) == 0o700
        assert graphs.cache_folder() == other, "one for the whole process"
        graphs._fresh.cache_clear()

    mine.chmod(0o777)  # who wrote into it meanwhile?
    elsewhere()
    shutil.rmtree(mine)
    target = tmp_path / "somebodys"
    target.mkdir(mode=0o700)
    mine.symlink_to(target)
    elsewhere()
    mine.unlink()
    real = os.getuid()
    monkeypatch.setattr(graphs.os, "getuid", lambda: real + 1)
    mine = tmp_path / f"a2nets-{real + 1}"
    mine.mkdir(mode=0o700)  # by another user than the one who asks
    elsewhere()


@pytest.mark.parametrize("options", [{"borrowed": True}, {"answers_with": "boxes"}])
def test_what_it_cannot_run_is_refused_where_it_was_asked_for_and_torchs_elsewhere(options):
    with pytest.raises(NetworkError, match="ONNX Runtime cannot run this network"):
        tiny("onnxruntime", **options)
    assert tiny("auto", **options).engine.why


def test_blocks_that_are_no_double_attention_are_torchs():
    model = a2core.load_model("non-local-lite0", device="cpu", engine="auto")
    assert {model.trace(made(1, 64, 64), size=64).engine for _ in range(3)} == {"torch"}
    assert "no double attention" in model.engine.why
    assert not any(isinstance(block, DoubleAttention) for block in model.blocks.values())


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_numpy_makes_of_frames_what_torch_does(channels):
    mean, std = (0.44, 0.46, 0.4, 0.5)[:channels], (0.21, 0.2, 0.22, 0.25)[:channels]
    takes = InputSpec(mean=mean, std=std)
    frames = made(2, 32, 64).frames
    theirs = standardised(torch.tensor(frames).permute(0, 3, 1, 2).float(), takes).numpy()
    ours = standardised_array(frames, takes)
    assert ours.flags.c_contiguous
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=0 if channels != 1 else 1e-5)
