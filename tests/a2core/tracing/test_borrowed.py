"""A network that model_of was given goes on being its owner's: looking in leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

import a2core
from a2core import Clip, DoubleAttention, Model, NetworkError, Stopped, insert_blocks, model_of
from tests.a2core.conftest import tiny_network

SIZE_PX = 96  # of looks and of training: another than that at which model_of tries the network


class Remembers(nn.Module):
    """Keeps what it made on the first run, as rotary codes do, and forgets that dropout has modes."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: dict[tuple[int, ...], Tensor] = {}
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape[2:]) not in self.codes:
            self.codes[tuple(x.shape[2:])] = torch.linspace(0, 1, x.shape[3]).expand(x.shape[2:]).clone()
        return F.dropout(x + self.scale * self.codes[tuple(x.shape[2:])], 0.1)


class Unmerges(nn.Conv2d):
    """Does more than torch does when its mode is set, and not the same back, as low-rank adapters do."""

    def train(self, mode: bool = True) -> Unmerges:
        with torch.no_grad():
            self.weight.mul_(1.0 if mode else 0.5)
        return super().train(mode)


def trainee() -> nn.Module:
    torch.manual_seed(3)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 4, 4),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        Remembers(),
        parametrizations.spectral_norm(nn.Conv2d(8, 8, 3, padding=1)),
        nn.BatchNorm2d(8),
        nn.Dropout2d(0.3),
        Unmerges(8, 8, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )
    blocks = {"1": DoubleAttention(8, 4, 3, output_norm=True), "4": DoubleAttention(8, 4, 3)}
    nn.init.normal_(blocks["1"].output_norm.weight)
    insert_blocks(network, blocks)
    network[5].eval()  # its statistics are kept still
    network[0].requires_grad_(False)
    return network


def picture(count: int = 1) -> Clip:
    frames = np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    return Clip(frames, np.arange(float(count)), "image" if count == 1 else "video", "noise.png", ())


def trace(model: Model) -> None:
    model.trace(picture(), size=SIZE_PX)


def trace_clip(model: Model) -> None:
    model.trace(picture(3), size=SIZE_PX)
    model.trace(picture(3), size=SIZE_PX, frames="each")


def intervene(model: Model) -> None:
    replay = a2core.Replay(model, picture(), size=SIZE_PX)
    for block in replay.blocks:
        replay.run(block, off=[0])
        replay.first_order(block)


def learn(model: Model) -> None:
    a2core.take_lesson(model, picture(), "1", size=SIZE_PX)
    a2core.read_block(model, picture(), "4", size=SIZE_PX)


def fail(model: Model) -> None:
    with pytest.raises(Stopped):
        model.trace(picture(3), size=SIZE_PX, stop=lambda: True)


def look_anew(model: Model) -> None:
    trace(model_of(model.network))


LOOKS = (trace, trace_clip, intervene, learn, fail, look_anew)


def train(network: nn.Module, look: Callable[[], object]) -> dict[str, Tensor]:
    """Everything that three epochs of training end with, random numbers and momenta included."""
    torch.manual_seed(5)
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.05, momentum=0.9)
    look()
    for _ in range(3):
        x, labels = torch.randn(6, 3, SIZE_PX, SIZE_PX), torch.randint(0, 4, (6,))
        F.cross_entropy(network(x), labels).backward()
        optimizer.step()
        optimizer.zero_grad()
        look()
    momenta = {f"momentum {i}": state["momentum_buffer"] for i, state in enumerate(optimizer.state.values())}
    return {**network.state_dict(), **momenta, "random numbers": torch.rand(4)}


@pytest.fixture(scope="module")
def undisturbed_training() -> dict[str, Tensor]:
    return train(trainee(), lambda: None)


@pytest.mark.parametrize("look", LOOKS)
def test_looking_once_an_epoch_changes_no_bit_of_what_training_ends_with(look, undisturbed_training):
    network = trainee()
    model: list[Model] = []

    def once() -> None:
        model[:] = model or [model_of(network)]
        look(model[0])

    found = train(network, once)
    assert list(found) == list(undisturbed_training)
    for key, tensor in undisturbed_training.items():
        assert torch.equal(found[key], tensor), key


def held(network: nn.Module) -> Iterator[object]:
    """What an owner may rely on."""
    for name, module in network.named_modules():
        yield name, id(module), module.training, len(module._forward_hooks), len(module._forward_pre_hooks)
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        yield name, id(tensor), tensor.requires_grad, tensor.device, tensor.stride(), tensor.data_ptr()
        yield tensor._version, tensor.is_inference()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_modes_gradients_device_and_memory_stay_as_they_were(look, layout):
    network = trainee().to(memory_format=layout)
    before = list(held(network))
    look(model_of(network))
    assert list(held(network)) == before


def test_while_it_is_looked_at_the_network_evaluates_and_nothing_else_is_changed():
    network, seen = trainee(), []
    wanted = [parameter.requires_grad for parameter in network.parameters()]
    network[4].register_forward_hook(
        lambda *_: seen.append(
            (
                [module.training for module in network.modules()],
                [parameter.requires_grad for parameter in network.parameters()],
                torch.is_grad_enabled(),
            )
        )
    )
    model = model_of(network)
    trace(model)
    assert seen
    for training, gradients, enabled in seen:
        assert not any(training)
        assert gradients == wanted
        assert not enabled


def test_a_trace_shows_the_network_as_it_is_at_that_moment():
    network = trainee()
    model = model_of(network)
    first = model.trace(picture(), size=64).blocks["1"].primitives
    with torch.no_grad():
        network[1].block.phi.weight.mul_(2)
        network[1].block.phi.bias.zero_()
    second = model.trace(picture(), size=64).blocks["1"].primitives
    np.testing.assert_allclose(second, 2 * first, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("taken", "said"), [(3, "5 labels for 4 classes"), (0, "none of the sizes tried")])
def test_a_network_that_is_refused_is_as_it_was_too(taken, said):
    network = trainee()
    if taken == 0:
        network.append(nn.Linear(3, 1))
    before = list(held(network))
    with pytest.raises(NetworkError, match=said):
        model_of(network, labels=list("abcde"))
    assert list(held(network)) == before


def test_a_network_is_traced_where_it_is_whatever_the_environment_prefers(monkeypatch):
    monkeypatch.setenv("A2_DEVICE", "cuda")
    model = model_of(tiny_network())
    assert model.device.type == "cpu"
    assert model.trace(picture(), size=64).device == "cpu"
    if torch.cuda.is_available():
        with pytest.raises(NetworkError, match=r"is on cpu. Move it yourself, with network.to\('cuda'\)"):
            model_of(tiny_network(), device="cuda")


@pytest.mark.parametrize("size", [64, 96])
def test_the_frames_stay_their_owners_to_write_to_and_the_trace_keeps_what_was_seen(tiny_model, size):
    clip = picture()
    seen = tiny_model.trace(clip, size=size).model_input
    before = seen.copy()
    assert clip.frames.flags.writeable
    clip.frames[:] = 0
    np.testing.assert_array_equal(seen, before)
    assert not seen.flags.writeable


def test_frames_that_nobody_can_write_to_are_not_copied(tiny_model):
    clip = picture()
    clip.frames.flags.writeable = False
    assert tiny_model.trace(clip, size=64).model_input is clip.frames
