"""A lesson's arrays satisfy the paper's equations, in NumPy, and are those of the trace."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
import torch

import a2core
from a2core.networks.sources import build_network
from a2core.tracing.record import watching


def flat(array):
    return array.reshape(len(array), -1).astype(np.float64)


@pytest.fixture
def clip(photo):
    frames = np.concatenate([photo.frames, photo.frames[:, ::-1], photo.frames[:, :, ::-1]])
    return a2core.Clip(frames, np.arange(3) / 10, "video", "three.mp4", ())


@pytest.mark.parametrize(
    "options",
    [{}, {"position_norm": True}, {"position_norm": "centred"}, {"input_norm": False}, {"output_norm": True}],
)
def test_the_arrays_satisfy_the_equations_and_add_up_to_the_blocks_own_output(tiny_model, photo, options):
    old = tiny_model.blocks["deep"]
    block = a2core.DoubleAttention(16, 8, 7, **options).eval()
    if options.get("output_norm"):
        torch.nn.init.uniform_(block.output_norm.weight, 0.5, 1.5)
        block.output_norm.running_mean.uniform_(-1, 1)
    block.phi, block.theta, block.rho, block.expand = old.phi, old.theta, old.rho, old.expand
    tiny_model.network.deep.block = tiny_model.blocks["deep"] = block
    outputs = []
    handle = block.register_forward_hook(lambda module, args, y: outputs.append(y[0].flatten(1).numpy()))
    lesson = a2core.take_lesson(tiny_model, photo, "deep", size=192)
    handle.remove()

    normed = flat(lesson.normed)
    for name, made in {"phi": "phi", "theta": "theta_logits", "rho": "rho_logits"}.items():
        weight, bias = getattr(lesson, f"{name}_weight"), getattr(lesson, f"{name}_bias")
        np.testing.assert_allclose(weight @ normed + bias[:, None], flat(getattr(lesson, made)), atol=1e-4)
    powers = np.exp(flat(lesson.theta_logits))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), flat(lesson.gather), atol=1e-6)
    powers = np.exp(flat(lesson.rho_logits))
    np.testing.assert_allclose(powers / powers.sum(axis=0), flat(lesson.distribute), atol=1e-6)
    bag = np.einsum("mj,ij->mi", flat(lesson.phi), flat(lesson.gather))
    np.testing.assert_allclose(bag, lesson.primitives, atol=1e-4)
    z = np.einsum("mi,ip->mp", bag, flat(lesson.distribute))
    np.testing.assert_allclose(z, flat(lesson.output), atol=1e-4)
    added = lesson.expand_weight @ z + lesson.expand_bias[:, None]
    np.testing.assert_allclose(added, flat(lesson.added), atol=1e-4)
    np.testing.assert_allclose(flat(lesson.features) + added, outputs[0], atol=2e-4)


def test_the_maps_are_those_of_the_trace_also_of_a_clip(tiny_model, clip):
    lesson = a2core.take_lesson(tiny_model, clip, "stem", size=96)
    block = tiny_model.trace(clip, size=96).blocks["stem"]
    assert lesson.grid == block.grid
    assert lesson.grid[0] == 3
    for name in ("gather", "distribute", "output"):
        np.testing.assert_allclose(getattr(lesson, name), getattr(block, name), atol=1e-5)
    change = np.linalg.norm(lesson.added, axis=0) / np.linalg.norm(lesson.features, axis=0)
    np.testing.assert_allclose(change, block.change, atol=1e-5)
    np.testing.assert_allclose(lesson.gather.sum(axis=(1, 2, 3)), 1, atol=1e-5)


def test_the_file_holds_every_array_under_the_name_of_its_block(tiny_model, photo):
    lesson = a2core.take_lesson(tiny_model, photo, "stem", size=96)
    with np.load(io.BytesIO(lesson.to_npz()), allow_pickle=False) as file:
        assert set(file) == {f"stem/{name}" for name in lesson.arrays()}
        for name, array in lesson.arrays().items():
            np.testing.assert_array_equal(file[f"stem/{name}"], array)
            assert file[f"stem/{name}"].dtype == np.float32


def test_nothing_stays_hooked_to_the_block_also_when_the_network_fails(tiny_model, photo):
    block = tiny_model.blocks["stem"]
    a2core.take_lesson(tiny_model, photo, "stem", size=96)
    with pytest.raises(a2core.NetworkError):
        a2core.take_lesson(tiny_model, photo, "stem", size=7)
    assert not block._forward_pre_hooks
    assert block.observer is None


def test_what_another_thread_runs_meanwhile_is_not_taken_for_ones_own(tiny_model):
    block = tiny_model.blocks["stem"]
    mine, theirs = torch.zeros(1, 12, 2, 2), torch.ones(1, 12, 2, 2)
    with torch.no_grad(), watching({"stem": block}) as seen:
        block(mine)
        other = threading.Thread(target=lambda: block(theirs.requires_grad_(False)))
        other.start()
        other.join()
    assert torch.equal(seen["stem"], mine)


def test_a_block_that_is_not_there_or_no_double_attention_is_refused_by_name(tiny_model, photo):
    with pytest.raises(a2core.BlockError, match="'stem', 'deep'"):
        a2core.take_lesson(tiny_model, photo, "attic")
    blocks = {"blocks.4": {"kind": "squeeze_excitation", "in_channels": 112}}
    backbone = build_network({"backbone": "tf_efficientnet_lite0", "blocks": blocks})
    tiny_model.blocks["stem"] = backbone.network.blocks[4].block
    with pytest.raises(a2core.BlockError, match="SqueezeExcitation"):
        a2core.take_lesson(tiny_model, photo, "stem")
