"""What is run in parts is what the whole network does, whatever was put around its parts."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

import a2core
from a2core import Clip, DoubleAttention, NetworkError, Replay
from a2core.networks.chain import stages
from a2core.networks.insert import insert_blocks
from a2core.networks.passage import Passage
from a2core.networks.spec import InputSpec
from a2core.networks.video import VideoResNet
from tests.a2core.conftest import tiny_network

SIZE = 64


class Small(ResNet):
    """torchvision's ResNet, one unit a stage, an eighth of the channels, ten classes."""

    def __init__(self) -> None:
        super().__init__(BasicBlock, [1, 1, 1, 1], num_classes=10)
        self.inplanes = 8
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8)
        for stage in range(4):
            setattr(
                self, f"layer{stage + 1}", self._make_layer(BasicBlock, 8 * 2**stage, 1, min(stage, 1) + 1)
            )
        self.fc = nn.Linear(64, 10)


class Doubled(Small):
    def _forward_impl(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = 2 * self.layer2(self.layer1(x))
        x = self.layer4(2 * self.layer3(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Flipped(Small):
    def forward(self, x):
        return super().forward(x.flip(-1))


class SecondHead(Small):
    def __init__(self) -> None:
        super().__init__()
        self.second = nn.Linear(32, 10)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer3(self.layer2(self.layer1(x)))
        return 8 * self.second(x.mean(dim=(2, 3))) + self.fc(self.avgpool(self.layer4(x)).flatten(1))


class Called(Small):
    """What can be read off the class says nothing: only running it does."""

    def __call__(self, x):
        return super().__call__(x.flip(-1))


def assigned() -> nn.Module:
    network = Small()
    network.forward = lambda x: network._forward_impl(x.flip(-1))
    return network


def hooked(where: str, *, before: bool = False) -> nn.Module:
    """A network with a hook that changes what goes into, or comes out of, the module `where`."""
    network = Small()
    module = network.get_submodule(where)
    if before:
        module.register_forward_pre_hook(lambda _, args: (args[0].flip(-1),))
    else:
        module.register_forward_hook(lambda *at: 3 * at[-1])
    return network


def efficientnet() -> nn.Module:
    network = timm.create_model("tf_efficientnet_lite0", num_classes=10)
    whole = network.forward_features
    network.forward_features = lambda x: 2 * whole(x)
    return network


def sequential() -> nn.Module:
    """Not a ResNet: any nn.Sequential is a chain until something is hung on it."""
    network = nn.Sequential(nn.Conv2d(3, 32, 8, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    network.register_forward_pre_hook(lambda _, args: (args[0].flip(-1),))
    return network


OTHERS = {
    "doubled": (Doubled, "layer3.0"),
    "flipped": (Flipped, "layer3"),
    "second head": (SecondHead, "layer3.0"),
    "called": (Called, "layer3.0"),
    "assigned forward": (assigned, "layer3"),
    "hook on the network": (lambda: hooked(""), "layer3.0"),
    "hook before the network": (lambda: hooked("", before=True), "layer3.0"),
    "hook on a stage": (lambda: hooked("layer3"), "layer3.0"),
    "hook before a stage": (lambda: hooked("layer3", before=True), "layer3.0"),
    "timm": (efficientnet, "blocks.4"),
    "sequential": (sequential, "0"),
}


def strong(channels: int) -> DoubleAttention:
    """A block that is far from the identity."""
    block = DoubleAttention(channels, 8, 5)
    for projection in (block.phi, block.theta, block.rho, block.expand):
        nn.init.normal_(projection.weight, std=0.3)
        nn.init.normal_(projection.bias, std=0.3)
    return block


def model_with(name: str) -> tuple[a2core.Model, str]:
    torch.manual_seed(0)
    make, place = OTHERS[name]
    network = make().eval()
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.7, 1.4)
    insert_blocks(network, {place: strong(112 if name == "timm" else 32).eval()})
    return a2core.model_of(network, device="cpu"), place


def noise(frames: int) -> Clip:
    pixels = np.random.default_rng(frames).integers(0, 256, (frames, 64, 64, 3), dtype=np.uint8)
    return Clip(pixels, np.arange(frames) / 25, "image" if frames == 1 else "video", "", ())


def oracle(model: a2core.Model, trace: a2core.Trace, place: str, off: int | None = None) -> np.ndarray:
    """The whole network's probabilities; with `off`, its block is made to leave a primitive out by hand."""
    block, handles = model.blocks[place], []
    if off is not None:

        def leave_out(layer, args, output):
            seen = trace.blocks[place]
            g = layer.expand(torch.tensor(seen.primitives)[None, :, :, None])[0, :, off, 0]
            v = torch.tensor(seen.distribute[off])
            return output - v[:, None] * g[None, :, None, None]

        handles.append(block.register_forward_hook(leave_out))
    try:
        for each in model.blocks.values():
            each.frames_per_clip = len(trace.model_input)
        with torch.no_grad():
            logits = model.network(model.preprocess(trace.model_input))
    finally:
        for each in model.blocks.values():
            each.frames_per_clip = 1
        for handle in handles:
            handle.remove()
    return logits.double().softmax(dim=1).mean(dim=0).numpy()


def answered(model: a2core.Model, trace: a2core.Trace) -> np.ndarray:
    shares = dict(trace.top)
    return np.array([shares[label] for label in model.labels])


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("name", OTHERS)
def test_trace_replay_and_effects_are_those_of_the_whole_network(name, frames):
    model, place = model_with(name)
    trace = model.trace(noise(frames), size=SIZE, top=10)
    whole = oracle(model, trace, place)
    np.testing.assert_allclose(answered(model, trace), whole, rtol=1e-3, atol=1e-6)
    replay = Replay(model, noise(frames), size=SIZE)
    np.testing.assert_allclose(replay.run(place).after, whole, rtol=1e-3, atol=1e-6)
    rows = replay.switch_off_each(place, range(5))
    effects = [oracle(model, trace, place, off=i) for i in range(5)]
    np.testing.assert_allclose(rows, effects, rtol=2e-3, atol=1e-6)
    assert np.abs(rows - whole).max() > 1e-4  # there was an effect to be wrong about
    first = replay.attribute(place, 0)
    assert np.isfinite(first.first_order).all()


def test_a_hook_that_comes_after_the_first_look_is_followed_and_one_that_goes_is_forgotten():
    torch.manual_seed(0)
    model, place = a2core.model_of(tiny_network(), device="cpu"), "stem"
    before = Replay(model, noise(3), size=SIZE)
    handle = model.network.register_forward_pre_hook(lambda _, args: (args[0].flip(-1),))
    trace = model.trace(noise(3), size=SIZE, top=10)
    np.testing.assert_allclose(answered(model, trace), oracle(model, trace, place), atol=1e-5)
    assert not np.allclose(trace.blocks[place].gather, before.trace.blocks[place].gather, atol=1e-4)
    handle.remove()
    again = model.trace(noise(3), size=SIZE, top=10)
    np.testing.assert_array_equal(again.blocks[place].gather, before.trace.blocks[place].gather)


class MixesEntries(nn.Module):
    """Frames of one batch look at each other, as in a temporal shift module."""

    def forward(self, x):
        return x + x.roll(1, dims=0)


RELU = nn.ReLU()


@pytest.mark.parametrize(
    ("network", "true"),
    [
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(RELU, nn.Conv2d(4, 4, 1)), RELU), True),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(4).eval()), True),
        (nn.Sequential(nn.Conv2d(3, 4, 3), MixesEntries()), False),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(0.5)), False),
        (Small().eval(), True),
        (Called().eval(), False),
    ],
)
def test_parts_are_believed_only_when_they_do_what_the_whole_does(network, true):
    assert (Passage(network).parts(torch.empty(2, 3, 40, 56)) is not None) == true
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_the_whole_pass_is_run_beside_the_parts_only_once():
    network = Small().eval()
    calls = []
    network.conv1.register_forward_hook(lambda *_: calls.append(1))
    passage = Passage(network)
    assert passage.parts(torch.empty(2, 3, 64, 64))
    assert len(calls) == 3  # whole, and each entry alone
    assert passage.parts(torch.empty(1, 3, 96, 64))
    assert len(calls) == 3


@pytest.mark.parametrize(
    "network",
    [Small(), Doubled(), SecondHead(), nn.Sequential(Small())],
    ids=lambda network: type(network).__name__,
)
def test_a_network_is_run_until_a_module_and_no_further(network):
    network.eval()
    prefix = "0." if isinstance(network, nn.Sequential) else ""
    x, ran = torch.randn(2, 3, 64, 64), []
    network.get_submodule(f"{prefix}layer3").register_forward_hook(lambda *_: ran.append("layer3"))
    whole = {}
    for name in ("layer1", "layer2"):
        network.get_submodule(prefix + name).register_forward_hook(
            lambda _, __, y, name=name: whole.__setitem__(prefix + name, y.clone())
        )
    with torch.no_grad():
        found = Passage(network).until(x, f"{prefix}layer2", f"{prefix}layer1")
        assert ran == []
        network(x)
    assert list(found) == [f"{prefix}layer2", f"{prefix}layer1"]
    for name, features in found.items():
        assert torch.equal(features, whole[name])
    assert all(len(module._forward_hooks) <= 1 for module in network.modules())  # ours are gone


def test_until_takes_the_block_behind_a_module_with_it_and_says_what_is_not_there():
    network = Small().eval()
    insert_blocks(network, {"layer3": DoubleAttention(32, 8, 5).eval()})
    x = torch.randn(1, 3, 64, 64)
    passage = Passage(network)
    with torch.no_grad():
        before, after = (passage.until(x, name)[name] for name in ("layer2", "layer3"))
        host = network.layer3.host(before)
        assert torch.equal(after, network.layer3.block(host))
    with pytest.raises(NetworkError, match=r"no module 'layer9'. The nearest are"):
        passage.until(x, "layer9")
    network.attic = nn.Identity()
    with pytest.raises(NetworkError, match="'attic' did not run"):
        passage.until(x, "attic")


@pytest.mark.parametrize("kind", [Small, Doubled, SecondHead])
def test_onwards_from_what_a_block_hands_out_is_the_answer_of_the_whole(kind):
    torch.manual_seed(1)
    network = kind().eval()
    block = DoubleAttention(32, 8, 5).eval()
    insert_blocks(network, {"layer3": block})
    x, passage = torch.randn(2, 3, 64, 64), Passage(network)
    with torch.no_grad():
        y = passage.until(x, "layer3")["layer3"]
        onwards = passage.onwards(block, x)
        torch.testing.assert_close(onwards(y.clone(), lambda: x), network(x))
        assert not torch.allclose(onwards(2 * y, lambda: x), network(x))
    assert (onwards.behind is not None) == (kind is Small)
    assert not block._forward_hooks


@pytest.mark.parametrize("name", ["doubled", "flipped", "assigned forward", "hook on the network", "timm"])
def test_who_walks_a_network_by_its_stages_is_told_that_they_are_not_all(name):
    with pytest.raises(NetworkError, match=r"not known as a chain of stages\. Run it whole"):
        stages(OTHERS[name][0]())


def test_a_network_for_clips_with_a_forward_of_its_own_is_run_whole():
    class Backwards(VideoResNet):
        def forward(self, x):
            return super().forward(x.flip(2)) * 2

    torch.manual_seed(0)
    network = Backwards((1, 1, 1, 1), width=8, classes=10).eval()
    insert_blocks(network, {"layer3": DoubleAttention(128, 8, 5, dims=3).eval()})
    plain = VideoResNet.forward
    model = a2core.Model(
        network,
        {"layer3": network.layer3.block},
        name="",
        labels=tuple("abcdefghij"),
        input=InputSpec((0.5,) * 3, (0.5,) * 3),
        device=torch.device("cpu"),
        takes_clips=True,
    )
    trace = model.trace(noise(4), size=SIZE, top=10)
    x = model.preprocess(trace.model_input).transpose(0, 1)[None]
    with torch.no_grad():
        whole = network(x).softmax(dim=1)[0].numpy()
        other = plain(network, x).softmax(dim=1)[0].numpy()
    np.testing.assert_allclose(answered(model, trace), whole, rtol=1e-4)
    assert not np.allclose(whole, other, rtol=1e-2)
