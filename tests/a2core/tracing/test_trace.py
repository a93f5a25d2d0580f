from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from a2core import (
    Clip,
    NetworkError,
    Stopped,
    attention_terms,
    effective_attention,
    load_model,
    received_attention,
    save_checkpoint,
    video_model,
)
from a2core.networks.chain import chain
from a2core.networks.devices import pick_device
from a2core.networks.paper import paper_network, video_architecture
from a2core.networks.sources import build, build_network
from a2core.networks.spec import read_spec
from a2core.tracing.model_input import input_shape, resize_frames
from a2core.tracing.record import recording
from tests.a2core.conftest import tiny_network

LITE0 = {
    "backbone": "tf_efficientnet_lite0",
    "blocks": {"blocks.4": {"in_channels": 112, "c_m": 8, "c_n": 6}},
}


def softmax(values, axis):
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def block_by_hand(block, features):
    """A, B, V, G, Z of features (c, N) in float64 NumPy, from the block's own weights only."""

    def project(layer, x):
        weight = layer.weight.detach().double().numpy().reshape(layer.out_channels, -1)
        return weight @ x + layer.bias.detach().double().numpy()[:, None]

    norm = block.input_norm
    mean, var = norm.running_mean.double().numpy(), norm.running_var.double().numpy()
    x = (features - mean[:, None]) / np.sqrt(var[:, None] + norm.eps)
    a = project(block.phi, x)
    gather = softmax(project(block.theta, x), axis=1)
    distribute = softmax(project(block.rho, x), axis=0)
    primitives = a @ gather.T
    return gather, distribute, primitives, primitives @ distribute


def test_every_array_of_a_trace_equals_the_equations_worked_out_in_numpy(tiny_model, photo):
    trace = tiny_model.trace(photo, size=192)
    x = tiny_model.preprocess(trace.model_input)
    for name, host in (("stem", "stem"), ("deep", "deep")):
        with torch.no_grad():
            features = dict(tiny_model.network.named_children())[host].host(x)
        flat = features[0].double().flatten(1).numpy()
        gather, distribute, primitives, output = block_by_hand(tiny_model.blocks[name], flat)
        block = trace.blocks[name]
        np.testing.assert_allclose(block.gather.reshape(block.n, -1), gather, atol=1e-6)
        np.testing.assert_allclose(block.distribute.reshape(block.n, -1), distribute, atol=1e-6)
        np.testing.assert_allclose(block.primitives, primitives, atol=1e-5)
        np.testing.assert_allclose(block.output.reshape(block.m, -1), output, atol=1e-5)
        with torch.no_grad():
            x = tiny_model.blocks[name](features)
        change = np.linalg.norm((x - features)[0].numpy(), axis=0) / np.linalg.norm(
            features[0].numpy(), axis=0
        )
        np.testing.assert_allclose(block.change[0], change, rtol=1e-4)


def test_gather_sums_to_one_over_positions_and_rho_over_primitives(tiny_model, photo):
    for block in tiny_model.trace(photo, size=256).blocks.values():
        np.testing.assert_allclose(block.gather.sum(axis=(1, 2, 3)), 1, atol=1e-5)
        np.testing.assert_allclose(block.distribute.sum(axis=0), 1, atol=1e-5)


def test_looking_in_does_not_change_what_the_network_answers(tiny_model, photo):
    trace = tiny_model.trace(photo, size=192, top=10)
    with torch.inference_mode():
        plain = tiny_model.network(tiny_model.preprocess(trace.model_input)).softmax(dim=1)[0]
    by_label = dict(trace.top)
    assert [by_label[f"class {i}"] for i in range(10)] == pytest.approx(plain.tolist(), abs=1e-5)


def test_a_trace_cannot_be_written_to(tiny_model, photo):
    trace = tiny_model.trace(photo, size=96)
    for array in (trace.model_input, trace.blocks["deep"].gather, trace.blocks["stem"].primitives):
        with pytest.raises(ValueError, match="read-only"):
            array.flat[0] = 1


def test_nothing_of_the_recording_stays_behind_on_success_or_on_failure(tiny_model, photo):
    tiny_model.trace(photo, size=96)
    blocks = tiny_model.blocks
    assert all(block.observer is None and block.frames_per_clip == 1 for block in blocks.values())
    with pytest.raises(ZeroDivisionError), recording(blocks, frames_per_clip=4, picture_px=(64, 64)):
        1 / 0  # noqa: B018
    assert all(block.observer is None and block.frames_per_clip == 1 for block in blocks.values())


@pytest.mark.parametrize(
    ("picture", "size", "expected"),
    [
        ((480, 640), 448, (352, 448)),
        ((640, 480), 448, (448, 352)),
        ((1, 1), 224, (224, 224)),
        ((100, 1600), 448, (32, 448)),
    ],
)
def test_the_long_side_is_the_size_and_both_sides_are_multiples_of_32(picture, size, expected):
    assert input_shape(*picture, size) == expected


def test_a_size_out_of_range_is_refused_with_the_range(tiny_model, photo):
    with pytest.raises(NetworkError, match="32 to 2048"):
        tiny_model.trace(photo, size=4096)


def test_resizing_keeps_what_lies_at_the_left_on_the_left():
    frames = np.zeros((1, 64, 128, 3), np.uint8)
    frames[:, :, :64] = 200
    small = resize_frames(frames, (32, 64))
    assert (small[0, :, :32] == 200).all()
    assert (small[0, :, 32:] == 0).all()


def test_copies_of_one_frame_share_the_mass_and_have_the_maps_of_the_picture(tiny_model, photo):
    clip = replace(photo, frames=np.repeat(photo.frames, 4, axis=0), times_s=np.arange(4.0), kind="video")
    alone, joint = tiny_model.trace(photo, size=192), tiny_model.trace(clip, size=192)
    for name, block in joint.blocks.items():
        single = alone.blocks[name]
        np.testing.assert_allclose(block.gather.sum(axis=(2, 3)), 0.25, atol=1e-5)
        np.testing.assert_allclose(block.gather, np.repeat(single.gather, 4, axis=1) / 4, atol=1e-6)
        np.testing.assert_allclose(block.primitives, single.primitives, atol=1e-5)


def test_reversing_the_frames_reverses_the_maps(tiny_model, photo):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 64, 96, 3), dtype=np.uint8)
    forward = replace(photo, frames=frames, times_s=np.arange(3.0), kind="video")
    backward = replace(forward, frames=frames[::-1].copy())
    a, b = tiny_model.trace(forward, size=96), tiny_model.trace(backward, size=96)
    for name in a.blocks:
        np.testing.assert_allclose(a.blocks[name].gather, b.blocks[name].gather[:, ::-1], atol=1e-6)


def test_threads_that_share_a_model_each_get_their_own_pictures_trace(tiny_model, photo):
    pictures = [replace(photo, frames=np.roll(photo.frames, 20 * k, axis=2)) for k in range(6)]

    def gathered(picture: Clip) -> np.ndarray:
        return tiny_model.trace(picture, size=96).blocks["deep"].gather

    expected = [gathered(picture) for picture in pictures]
    with ThreadPoolExecutor(6) as threads:
        for own, alone in zip(threads.map(gathered, pictures), expected, strict=True):
            np.testing.assert_allclose(own, alone, atol=1e-6)


def test_the_device_can_be_set_by_the_environment_and_a_missing_one_is_refused(monkeypatch):
    monkeypatch.setenv("A2_DEVICE", "cpu")
    assert pick_device("auto").type == "cpu"
    monkeypatch.setenv("A2_DEVICE", "abacus")
    with pytest.raises(NetworkError, match="abacus"):
        pick_device("auto")
    if not torch.cuda.is_available():
        with pytest.raises(NetworkError, match="cuda"):
            pick_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_on_cuda_the_trunk_is_mixed_precision_and_the_maps_still_add_up(photo):
    from a2core import Model
    from a2core.networks.insert import inserted_blocks
    from a2core.networks.spec import InputSpec

    network = tiny_network()
    model = Model(network, inserted_blocks(network), name="tiny", labels=tuple("abcdefghij"),
                  input=InputSpec((0.5,) * 3, (0.25,) * 3), device=torch.device("cuda"))  # fmt: skip
    for block in model.trace(photo, size=192).blocks.values():
        np.testing.assert_allclose(block.gather.sum(axis=(1, 2, 3)), 1, atol=1e-5)
        z = np.einsum("mi,ithw->mthw", block.primitives, block.distribute)
        np.testing.assert_allclose(block.output, z, atol=1e-4)
        assert effective_attention(block, (0, 0, 0)).sum() == pytest.approx(1, abs=1e-5)


# ---------------------------------------------------------------------------------------------
# Clips


@pytest.fixture
def clip(photo):
    """Five frames of noise, 96 × 64 pixels: no multiple of any batch size."""
    frames = np.random.default_rng(0).integers(0, 256, (5, 64, 96, 3), dtype=np.uint8)
    return replace(photo, frames=frames, times_s=np.arange(5.0), kind="video")


def in_batches_of(model, frames_at_once):
    """The same model with so many frames through the trunk together."""
    model.frames_at_once = frames_at_once
    return model


@pytest.mark.parametrize("frames_at_once", [1, 2, 3, 5])
def test_batches_through_the_trunk_change_nothing(tiny_model, clip, frames_at_once):
    known, tiny_model.passage.chain = tiny_model.passage.chain, None
    whole = tiny_model.trace(clip, size=96)
    tiny_model.passage.chain = known
    parts = in_batches_of(tiny_model, frames_at_once).trace(clip, size=96)
    assert parts.top == [(label, pytest.approx(share, abs=1e-6)) for label, share in whole.top]
    for name, block in parts.blocks.items():
        for array in ("primitives", "gather", "distribute", "output", "change"):
            np.testing.assert_allclose(
                getattr(block, array),
                getattr(whole.blocks[name], array),
                atol=1e-5,
                err_msg=f"{name} {array}",
            )
        np.testing.assert_allclose(block.gather.sum(axis=(1, 2, 3)), 1, atol=1e-5)


@pytest.mark.parametrize("frames_at_once", [2, 5])
def test_each_frame_alone_is_each_frame_traced_as_a_picture(tiny_model, clip, frames_at_once):
    trace = in_batches_of(tiny_model, frames_at_once).trace(clip, size=96, frames="each")
    for t in range(5):
        picture = replace(clip, frames=clip.frames[t : t + 1], times_s=np.zeros(1), kind="image")
        for name, alone in tiny_model.trace(picture, size=96).blocks.items():
            block = trace.blocks[name]
            assert not block.joint
            assert (block.m, block.n, block.grid[0]) == (alone.m, alone.n, 5)
            np.testing.assert_allclose(block.bag(t), alone.bag(0), atol=1e-5)
            for array in ("gather", "distribute", "output"):
                np.testing.assert_allclose(
                    getattr(block, array)[:, t], getattr(alone, array)[:, 0], atol=1e-5
                )
            np.testing.assert_allclose(block.change[t], alone.change[0], rtol=1e-3)
            for position in ((t, 0, 0), (t, block.grid[1] - 1, block.grid[2] - 1)):
                row = effective_attention(block, position)
                here = (0, *position[1:])
                np.testing.assert_allclose(row[t], effective_attention(alone, here)[0], atol=1e-6)
                assert row.sum() == pytest.approx(1, abs=1e-5)
                np.testing.assert_allclose(attention_terms(block, position).sum(axis=0), row, atol=1e-6)
                column = received_attention(block, position)
                np.testing.assert_allclose(column[t], received_attention(alone, here)[0], atol=1e-6)
                assert column[np.arange(5) != t].sum() == 0


def test_jointly_a_pixel_receives_from_other_frames(tiny_model, clip):
    row = effective_attention(tiny_model.trace(clip, size=96).blocks["deep"], (2, 0, 0))
    assert row.sum(axis=(1, 2)).min() > 0
    assert row.sum() == pytest.approx(1, abs=1e-5)


def test_progress_rises_to_one_and_stopping_leaves_the_model_as_it_was(tiny_model, clip):
    model = in_batches_of(tiny_model, 2)
    shares: list[float] = []
    before = model.trace(clip, size=96, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert len(shares) >= 6
    asked = 0

    def stop():
        nonlocal asked
        asked += 1
        return asked == 4

    with pytest.raises(Stopped, match="Start again"):
        model.trace(clip, size=96, stop=stop)
    assert asked == 4
    assert all(block.observer is None and block.frames_per_clip == 1 for block in model.blocks.values())
    again = model.trace(clip, size=96)
    np.testing.assert_array_equal(again.blocks["deep"].gather, before.blocks["deep"].gather)


def test_when_memory_is_short_fewer_frames_go_at_once(tiny_model, clip, monkeypatch):
    expected = tiny_model.trace(clip, size=96).blocks["deep"]
    model = in_batches_of(tiny_model, 4)
    preprocess = model.preprocess

    def small_memory(frames):
        if len(frames) > 1:
            raise torch.OutOfMemoryError
        return preprocess(frames)

    monkeypatch.setattr(model, "preprocess", small_memory)
    np.testing.assert_allclose(model.trace(clip, size=96).blocks["deep"].gather, expected.gather, atol=1e-6)
    assert model.frames_at_once == 1

    def no_memory(frames):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(model, "preprocess", no_memory)
    with pytest.raises(NetworkError, match=r"ran out of memory on 5 × 96 × 64 pixels\. Choose"):
        model.trace(clip, size=96)


def test_an_unknown_way_to_take_frames_is_refused(tiny_model, clip):
    with pytest.raises(NetworkError, match="'joint' or 'each'"):
        tiny_model.trace(clip, frames="both")


def test_networks_known_as_chains_answer_as_they_do_whole():
    x = torch.rand(2, 3, 64, 64)
    for network in (build_network(LITE0).network, paper_network(4, blocks=2).eval(), tiny_network()):
        answer = x
        for module in chain(network):
            answer = module(answer)
        torch.testing.assert_close(answer, network(x), rtol=1e-4, atol=1e-5)
    assert chain(torch.nn.Conv2d(3, 4, 1)) is None


# ---------------------------------------------------------------------------------------------------
# The paper's networks for clips, which attend over space and time in themselves
# ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def video():
    return video_model(26, "cpu", blocks=1)


@pytest.fixture(scope="module")
def moving():
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 64, 3), dtype=np.uint8)
    return Clip(frames, np.arange(3) / 10, "video", "noise", ())


def test_a_network_for_clips_attends_over_space_and_time_as_the_equations_say(video, moving):
    trace = video.trace(moving, size=64)
    assert not trace.trained
    (name, block), *others = trace.blocks.items()
    assert (name, others) == ("layer3.1", [])
    features = []
    host = dict(video.network.named_modules())[f"{name}.host"]
    handle = host.register_forward_hook(lambda module, given, made: features.append(made))
    with torch.no_grad():
        clip = video.preprocess(trace.model_input).transpose(0, 1)[None]
        shares = video.network(clip)[0].softmax(0)
    handle.remove()
    x = features[0][0].double().flatten(1).numpy()
    own = video.blocks[name]

    def project(layer):
        weight = layer.weight.double().flatten(1).numpy()
        return weight @ x + layer.bias.double().numpy()[:, None]

    gather, distribute = softmax(project(own.theta), 1), softmax(project(own.rho), 0)
    assert block.grid == (3, 2, 4)
    np.testing.assert_allclose(block.gather.reshape(block.n, -1), gather, atol=1e-6)
    np.testing.assert_allclose(block.distribute.reshape(block.n, -1), distribute, atol=1e-6)
    np.testing.assert_allclose(block.primitives, project(own.phi) @ gather.T, atol=1e-4)
    assert trace.top[0][1] == pytest.approx(float(shares.max()), rel=1e-3)


def test_each_frame_alone_through_a_network_for_clips_is_each_frame_as_a_picture(video, moving):
    each = video.trace(moving, size=64, frames="each").blocks["layer3.1"]
    assert not each.joint
    for t in range(3):
        picture = replace(moving, frames=moving.frames[t : t + 1], times_s=np.zeros(1), kind="image")
        alone = video.trace(picture, size=64).blocks["layer3.1"]
        np.testing.assert_allclose(each.gather[:, t], alone.gather[:, 0], atol=1e-6)
        np.testing.assert_allclose(each.bag(t), alone.primitives, atol=1e-4)


def test_a_network_for_clips_tells_its_progress_and_can_be_stopped(video, moving):
    shares: list[float] = []
    video.trace(moving, size=64, progress=shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 5
    assert shares[-1] == 1.0
    with pytest.raises(Stopped):
        video.trace(moving, size=64, stop=lambda: True)
    assert video.blocks["layer3.1"].observer is None


def test_a_checkpoint_of_a_network_for_clips_counts_as_trained(tmp_path, video, moving):
    path = save_checkpoint(
        tmp_path / "mine.safetensors",
        video.blocks,
        architecture=video_architecture(26, blocks=1),
        card={},
        network=video.network,
    )
    loaded = load_model(path, "cpu")
    assert loaded.trained
    first, second = (model.trace(moving, size=64).blocks["layer3.1"] for model in (video, loaded))
    np.testing.assert_allclose(first.gather, second.gather, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "shape"), [("bilinear", (96, 160)), ("bicubic", (96, 160)), ("bicubic", (64, 64))]
)
def test_a_picture_is_made_smaller_as_the_network_s_library_does_it(mode, shape):
    """torchvision and timm resize with a filter as wide as a pixel becomes; torch has that too."""
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (1, 3, 20, 30)).astype(np.float32)
    frame = F.interpolate(torch.tensor(small), (240, 400), mode="bilinear").clamp(0, 255).round()
    wanted = F.interpolate(frame, shape, mode=mode, antialias=True).clamp(0, 255)
    frames = frame.permute(0, 2, 3, 1).to(torch.uint8).numpy()
    seen = resize_frames(frames, shape, mode).astype(np.float32)
    assert np.abs(seen - wanted.permute(0, 2, 3, 1).numpy()).max() <= 1.01, "rounded once or twice"
    assert np.abs(seen - resize_frames(frames, shape).astype(np.float32)).max() > 1.01, "and not averaged"


def test_networks_of_libraries_say_how_their_pictures_are_made_smaller():
    assert build(read_spec("timm/vit_tiny_patch16_224@random")).input.interpolation == "bicubic"
    assert build(read_spec("torchvision/resnet18@random")).input.interpolation == "bilinear"
    assert load_model("a2-lite0").input.interpolation == ""
