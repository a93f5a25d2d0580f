"""A block stands behind its host whatever is done with the network: copied, saved, converted, compiled."""

from __future__ import annotations

import copy
import io
import re
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.fx.experimental.optimization
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torchvision.models.feature_extraction import create_feature_extractor

import a2core
from a2core import Clip, DoubleAttention, NetworkError, adopt, insert_blocks, load_model, model_of
from a2core.checkpoints import save_checkpoint
from a2core.networks.insert import WithBlock, inserted_blocks
from a2core.networks.sources import build_network


def block(channels: int, dims: int = 2) -> DoubleAttention:
    """One that does something."""
    made = DoubleAttention(channels, 4, 3, dims)
    for projection in (made.phi, made.theta, made.rho, made.expand):
        nn.init.normal_(projection.weight, std=0.5)
    return made.eval()


def picture(size: int = 64) -> Clip:
    frames = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    return Clip(frames, np.zeros(1), "image", "noise.png", ())


X = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Stem, a stage of two units and a head, as anybody might write them."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.stage = nn.Sequential(
            nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 1)), nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 1))
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stage(self.stem(x)))


def with_block(name: str, change: Callable[[Net], object] = lambda network: None) -> tuple[nn.Module, Tensor]:
    """A network with a block behind one of its parts, and what it has to answer on X, worked out by hand."""
    network = Net().eval()
    change(network)
    inserted = block(8)
    with torch.no_grad():
        x = network.stem(X)
        x = inserted(x) if name == "stem" else x
        x = network.stage(x)
        answer = network.head(inserted(x) if name == "stage" else x)
        assert not torch.allclose(answer, network(X), atol=1e-3), "the block does something"
    return insert_blocks(network, {name: inserted}), answer


def same(network: Callable[[Tensor], Tensor], answer: Tensor) -> None:
    with torch.no_grad():
        torch.testing.assert_close(network(X), answer, rtol=1e-4, atol=1e-5)


def traced_by_fx(network: Net) -> None:
    network.stage = torch.fx.symbolic_trace(network.stage)


CHANGES: dict[str, tuple[str, Callable[[Net], object]]] = {
    "plain": ("stem", lambda network: None),
    "sequence": ("stage", lambda network: None),
    "weight norm": ("stem", lambda network: parametrizations.weight_norm(network.stem)),
    "spectral norm": ("stem", lambda network: parametrizations.spectral_norm(network.stem)),
    "orthogonal part": ("stage", lambda network: parametrizations.orthogonal(network.stage[1][1])),
    "graph module": ("stage", traced_by_fx),
}


@pytest.mark.parametrize("host", CHANGES)
def test_a_copy_has_the_block_and_is_a_copy(host):
    name, change = CHANGES[host]
    network, answer = with_block(name, change)
    again = copy.deepcopy(network)
    same(again, answer)
    assert list(inserted_blocks(again)) == [name]
    own, theirs = inserted_blocks(again)[name], inserted_blocks(network)[name]
    assert own is not theirs
    nn.init.zeros_(theirs.expand.weight)
    same(again, answer)


@pytest.mark.parametrize("host", ["plain", "sequence", "graph module"])
def test_a_network_saved_whole_comes_back_with_its_block(host):
    network, answer = with_block(*CHANGES[host])
    file = io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    same(torch.load(file, weights_only=False), answer)


@pytest.mark.parametrize("host", CHANGES)
def test_a_state_dict_carries_the_block_over(host):
    name, change = CHANGES[host]
    network, answer = with_block(name, change)
    other, _ = with_block(name, change)
    for parameter in other.parameters():
        nn.init.uniform_(parameter)
    other.load_state_dict(network.state_dict())
    same(other, answer)


@pytest.mark.parametrize("name", ["stem", "stage"])
def test_torch_fx_sees_the_block(name):
    network, answer = with_block(name)
    graph = torch.fx.symbolic_trace(network)
    same(graph, answer)
    assert [node.target for node in graph.graph.nodes if node.target == f"{name}.block"]
    same(copy.deepcopy(graph), answer)


def test_a_feature_extractor_of_torchvision_gives_features_with_the_block_inside():
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=7).eval()
    x, inserted = torch.randn(1, 3, 64, 64), block(256)
    with torch.no_grad():
        y = network.maxpool(network.relu(network.bn1(network.conv1(x))))
        y = network.layer2(network.layer1(y))
        first = inserted(network.layer3[0](y))
        third = network.layer3[1](first)
        logits = network.fc(network.avgpool(network.layer4(third)).flatten(1))
    insert_blocks(network, {"layer3.0": inserted})
    wanted = {"layer3.0": "first", "layer3": "third", "fc": "logits"}
    with torch.no_grad():
        found = create_feature_extractor(network, wanted)(x)
    for key, expected in {"first": first, "third": third, "logits": logits}.items():
        torch.testing.assert_close(found[key], expected, rtol=1e-4, atol=1e-4)


def test_conversions_that_swap_modules_by_their_kind_leave_the_block_in_place():
    network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1)).eval()
    inserted = block(8)
    with torch.no_grad():
        answer = network[2](inserted(network[1](network[0](X))))
    insert_blocks(network, {"1": inserted})
    fused = torch.fx.experimental.optimization.fuse(network)
    same(fused, answer)
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(network))
    assert isinstance(synchronised[1].host, nn.SyncBatchNorm)
    assert list(inserted_blocks(synchronised)) == ["1"]


def test_onnx_has_the_block(tmp_path):
    pytest.importorskip("onnxscript", reason="ONNX export needs onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime", reason="running ONNX needs onnxruntime")
    network, answer = with_block("stage")
    path = tmp_path / "network.onnx"
    torch.onnx.export(network, (X,), path, dynamo=True, verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: X.numpy()})
    np.testing.assert_allclose(found, answer, rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------------------------------------
# What stands for host and block answers for its host


@pytest.mark.parametrize(
    "host", [nn.Conv2d(8, 8, 1), nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 1)), nn.Sequential()], ids=str
)
def test_truth_length_and_iteration_are_the_hosts_own(host):
    network = insert_blocks(nn.Sequential(nn.Conv2d(3, 8, 1), host), {"1": block(8)})
    stands = network[1]
    assert stands is not host
    assert bool(stands) == bool(host)
    assert (network[1] or None) is (stands if bool(host) else None)
    for ask in (len, lambda module: list(iter(module)), lambda module: module[0]):
        try:
            expected = ask(host)
        except (TypeError, IndexError) as error:
            with pytest.raises(type(error), match=re.escape(str(error))):
                ask(stands)
        else:
            assert ask(stands) == expected


def test_attributes_are_the_hosts_read_and_written_but_none_that_would_run_it_without_its_block():
    network = insert_blocks(torchvision.models.resnet18(), {"layer3.0": block(256), "layer1": block(64)})
    stands = network.layer3[0]
    assert stands.conv1 is stands.host.conv1
    assert stands.stride == 2
    stands.relu = activation = nn.SiLU()
    assert stands.host.relu is activation
    assert "relu" not in stands._modules
    stands.note = "mine"
    assert stands.host.note == "mine"
    del stands.note
    assert not hasattr(stands.host, "note")
    network.layer1[1] = other = nn.Identity()
    assert network.layer1.host[1] is other
    stands.host.whole = stands.host.forward
    with pytest.raises(AttributeError, match=r"whole of module 'layer3.0' would run it without the block"):
        stands.whole  # noqa: B018
    with pytest.raises(AttributeError, match="'BasicBlock' object has no attribute 'nonsense'"):
        stands.nonsense  # noqa: B018
    for protocol in ("__deepcopy__", "_is_full_backward_hook_of_mine"):
        stands.host.__dict__[protocol] = lambda memo: "the host alone"
        assert not hasattr(stands, protocol)


def test_inserting_changes_no_modules_mode():
    network = torchvision.models.resnet18().train()
    network.layer3[0].bn1.eval()
    before = {id(module): module.training for module in network.modules()}
    insert_blocks(network, {"layer3.0": block(256), "layer3": block(256)})
    assert {id(m): m.training for m in network.modules() if id(m) in before} == before
    assert all(b.training for b in inserted_blocks(network).values())


# ---------------------------------------------------------------------------------------------
# Names: nested, alike, shared


@pytest.mark.parametrize("order", [("stage", "stage.0"), ("stage.0", "stage")])
@pytest.mark.parametrize("at_once", [True, False])
def test_one_block_inside_the_place_of_another_in_any_order(order, at_once):
    network, blocks = Net().eval(), {name: block(8) for name in order}
    with torch.no_grad():
        inner = blocks["stage.0"](network.stage[0](network.stem(X)))
        answer = network.head(blocks["stage"](network.stage[1](inner)))
    if at_once:
        insert_blocks(network, blocks)
    else:
        for name in order:
            insert_blocks(network, {name: blocks[name]})
    same(network, answer)
    assert inserted_blocks(network) == blocks
    trace = model_of(network).trace(picture())
    assert set(trace.blocks) == {"stage", "stage.0"}


def test_blocks_can_be_taken_out_again_one_or_all():
    network, blocks = Net().eval(), {"stem": block(8), "stage": block(8), "stage.0": block(8)}
    before, keys = network(X).detach(), list(network.state_dict())
    insert_blocks(network, blocks)
    assert a2core.remove_blocks(network, ["stage"]) == {"stage": blocks["stage"]}
    assert list(inserted_blocks(network)) == ["stem", "stage.0"]
    with pytest.raises(NetworkError, match=r"no block behind 'stage'. There are 'stem', 'stage.0'"):
        a2core.remove_blocks(network, ["stem", "stage"])
    insert_blocks(network, {"stage": blocks["stage"]})
    assert a2core.remove_blocks(network) == blocks
    assert list(network.state_dict()) == keys
    same(network, before)


@pytest.mark.parametrize("child", ["hostnet", "hosts", "host", "ghost", "module", "block"])
def test_a_module_keeps_its_name_in_the_trace(child):
    network = nn.Sequential()
    network.add_module("stem", nn.Conv2d(3, 8, 16, 16))
    network.add_module(child, nn.Sequential())
    network.get_submodule(child).add_module(child, nn.ReLU())
    network.add_module("head", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    insert_blocks(network, {child: block(8), f"{child}.{child}": block(8)})
    assert set(inserted_blocks(network)) == {child, f"{child}.{child}"}
    assert set(model_of(network).trace(picture()).blocks) == {child, f"{child}.{child}"}


class Twice(nn.Module):
    """One unit under two names, and one stage under two names."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 8, 16, 16)
        self.first = nn.Conv2d(8, 8, 1)
        self.second = self.first
        self.left = nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 1))
        self.right = self.left
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.right(self.left(self.second(self.first(self.stem(x))))))


@pytest.mark.parametrize("names", [("first",), ("second",), ("first", "second"), ("second", "first")])
def test_a_module_under_two_names_gets_a_block_at_each_that_is_named(names):
    network, blocks = Twice().eval(), {name: block(8) for name in names}
    seen: dict[str, Tensor] = {}
    clip = picture()
    with torch.no_grad():
        x = network.stem(model_of(insert_blocks(Net(), {"stem": block(8)})).preprocess(clip.frames))
        for name in ("first", "second"):
            seen[name] = network.first(x)
            x = blocks[name](seen[name]) if name in blocks else seen[name]
    insert_blocks(network, blocks)
    assert set(inserted_blocks(network)) == set(names)
    trace = model_of(network).trace(clip, size=64)
    assert set(trace.blocks) == set(names)
    for name in names:
        with torch.no_grad():
            expected = blocks[name].attend(seen[name]).gather[0].reshape(3, 1, 4, 4)
        np.testing.assert_allclose(trace.blocks[name].gather, expected, rtol=1e-4, atol=1e-6)


def test_a_place_that_exists_once_under_two_names_is_refused_with_what_to_do():
    network = Twice()
    with pytest.raises(NetworkError, match=r"'left.1' is 'right.1' too.*'left' and as 'right'.*deepcopy"):
        insert_blocks(network, {"left.1": block(8)})
    assert not inserted_blocks(network)
    network.right = copy.deepcopy(network.right)
    assert list(inserted_blocks(insert_blocks(network, {"left.1": block(8)}))) == ["left.1"]


def test_one_block_for_two_places_is_refused_and_its_weights_can_be_shared():
    network, one = Net(), block(8)
    with pytest.raises(NetworkError, match=r"for 'stage' already stands at 'stem'.*copy.copy\(block\)"):
        insert_blocks(network, {"stem": one, "stage": one})
    insert_blocks(network, {"stem": one})
    with pytest.raises(NetworkError, match=r"already stands at 'stem\.block'"):
        insert_blocks(network, {"stage": one})
    insert_blocks(network, {"stage": copy.copy(one)})
    assert inserted_blocks(network)["stage"].phi.weight is one.phi.weight
    trace = model_of(network).trace(picture())
    assert set(trace.blocks) == {"stem", "stage"}
    assert not np.allclose(trace.blocks["stem"].gather, trace.blocks["stage"].gather)


def test_a_module_written_by_others_is_adopted_under_each_of_its_names():
    class Foreign(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.phi, self.theta, self.rho, self.expand = (
                nn.Conv2d(*sizes, 1) for sizes in ((8, 4), (8, 3), (8, 3), (4, 8))
            )

        def forward(self, x: Tensor) -> Tensor:
            bag = self.phi(x).flatten(2) @ self.theta(x).flatten(2).softmax(2).mT
            z = bag @ self.rho(x).flatten(2).softmax(1)
            return x + self.expand(z.unflatten(2, x.shape[2:]))

    network = Twice().eval()
    network.first = network.second = Foreign()
    adopt(network)
    assert network.first is network.second
    insert_blocks(network, {"first": block(8)})
    blocks = model_of(network).trace(picture()).blocks
    assert set(blocks) == {"first", "first.host", "first.host#2"}


# ---------------------------------------------------------------------------------------------
# torch.compile and DataParallel


def compiled_in_place(network: nn.Module) -> nn.Module:
    network.compile(backend="eager")
    return network


def compiled_stage(network: nn.Module) -> nn.Module:
    network.stage = torch.compile(network.stage, backend="eager")
    return network


def parallel_stage(network: nn.Module) -> nn.Module:
    network.stage = nn.DataParallel(network.stage)
    return network


SHELLS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "compiled": lambda network: torch.compile(network, backend="eager"),
    "compiled in place": compiled_in_place,
    "a compiled stage": compiled_stage,
    "DataParallel": nn.DataParallel,
    "a stage in DataParallel": parallel_stage,
    "both": lambda network: torch.compile(nn.DataParallel(network), backend="eager"),
    "averaged": torch.optim.swa_utils.AveragedModel,
}


@pytest.mark.parametrize(
    ("shell", "inserted_first"),
    [(shell, True) for shell in SHELLS] + [("compiled", False), ("a stage in DataParallel", False)],
)
def test_what_stands_round_a_network_changes_neither_names_nor_trace(shell, inserted_first):
    network, blocks = Net().eval(), {"stem": block(8), "stage": block(8), "stage.1": block(8)}
    expected = model_of(insert_blocks(copy.deepcopy(network), copy.deepcopy(blocks))).trace(picture())
    if inserted_first:
        wrapped = SHELLS[shell](insert_blocks(network, blocks))
        wrapped(X)
    else:
        wrapped = SHELLS[shell](network)
        wrapped(X)
        insert_blocks(wrapped, blocks)
    assert list(inserted_blocks(wrapped)) == ["stem", "stage", "stage.1"]
    answer = wrapped(X).detach()
    trace = model_of(wrapped).trace(picture())
    assert list(trace.blocks) == list(expected.blocks)
    for name, seen in expected.blocks.items():
        np.testing.assert_allclose(trace.blocks[name].gather, seen.gather, rtol=1e-4, atol=1e-6)
    assert [share for _, share in trace.top] == pytest.approx([share for _, share in expected.top], rel=1e-4)
    torch.testing.assert_close(wrapped(X), answer)
    assert list(a2core.remove_blocks(wrapped)) == ["stem", "stage", "stage.1"]
    torch.testing.assert_close(wrapped(X), Net()(X))


@pytest.mark.parametrize(
    ("shell", "extra"),
    [
        ("both", {"trunk": "own"}),
        ("DataParallel", {"labels": ["a", "b"]}),
        ("a compiled block", {"labels": ["a", "b"]}),
    ],
)
def test_a_checkpoint_of_a_wrapped_network_has_plain_names_and_loads(shell, extra, tmp_path):
    settings = {"in_channels": 192, "c_m": 4, "c_n": 3}
    architecture = {"backbone": "tf_efficientnet_lite0", "blocks": {"blocks.5": settings}, **extra}
    network = build_network(architecture).network
    plain = set(network.state_dict())
    if shell == "a compiled block":
        stands = network.blocks[5]
        stands.block = torch.compile(stands.block, backend="eager")
        wrapped, blocks = network, {"blocks.5": stands.block}
    else:
        wrapped = SHELLS[shell](network)
        blocks = inserted_blocks(wrapped)
    path = save_checkpoint(
        tmp_path / "mine.safetensors", blocks, architecture=architecture, card={}, network=wrapped
    )
    stored = load_file(path)
    assert not [key for key in stored if "_orig_mod" in key or "module." in key]
    of_network = {key.removeprefix("network/") for key in stored if key.startswith("network/")}
    trunk = {key for key in plain if ".block." not in key}
    assert of_network == (trunk if "trunk" in extra else {"classifier.weight", "classifier.bias"})
    loaded = load_model(path, "cpu").blocks["blocks.5"]
    torch.testing.assert_close(loaded.theta.weight, blocks["blocks.5"].theta.weight.detach())


@pytest.mark.parametrize("info", a2core.list_checkpoints(), ids=lambda info: info.name)
def test_every_checkpoint_that_is_shipped_still_loads(info):
    model = load_model(info.path, "cpu")
    tensors = load_file(info.path)
    names = {f"{name}/{key}" for name, b in model.blocks.items() for key in b.state_dict()}
    assert set(tensors) == names
    for name, b in model.blocks.items():
        for key, tensor in b.state_dict().items():
            assert torch.equal(tensor, tensors[f"{name}/{key}"])


# ---------------------------------------------------------------------------------------------
# What is recorded: all, or it is said


class Again(nn.Module):
    """Runs one unit `times` times, on a batch that it may repeat or cut up."""

    def __init__(self, times: int = 1, batch: str = "whole") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.unit = nn.Conv2d(3, 8, 8, 8), nn.Conv2d(8, 8, 1)
        self.times, self.batch = times, batch

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if self.batch == "mirrored too":
            x = torch.cat([x, x.flip(3)])
        if self.batch == "windows":
            x = x.unflatten(3, (2, -1)).movedim(3, 1).flatten(0, 1)
        for _ in range(self.times):
            x = self.unit(x)
        return x.mean((2, 3)).unflatten(0, (-1, 1 if self.batch == "whole" else 2)).mean(1)


def clip_of(count: int) -> Clip:
    frames = np.random.default_rng(1).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    return Clip(frames, np.arange(float(count)), "video" if count > 1 else "image", "noise", ())


@pytest.mark.parametrize("count", [1, 3])
def test_each_run_of_a_block_is_recorded_under_a_name_of_its_own(count):
    network, inserted = Again(times=3).eval(), block(8)
    insert_blocks(network, {"unit": inserted})
    model, clip = model_of(network), clip_of(count)
    with torch.no_grad():
        x, read = network.stem(model.preprocess(clip.frames)), []
        for _ in range(3):
            x = network.unit.host(x)
            tall = x.transpose(0, 1).flatten(1, 2)[None]  # all frames as one tall picture
            read.append(inserted.attend(tall).gather[0].reshape(3, count, 8, 8))
            x = inserted(tall)[0].unflatten(1, (count, 8)).transpose(0, 1)
    trace = model.trace(clip, size=64)
    assert list(trace.blocks) == ["unit", "unit#2", "unit#3"]
    for (name, seen), gather in zip(trace.blocks.items(), read, strict=True):
        assert seen.name == name
        np.testing.assert_allclose(seen.gather, gather, rtol=1e-3, atol=1e-6)
    shares = x.mean((2, 3)).softmax(1).mean(0)
    assert trace.top[0][1] == pytest.approx(float(shares.max()), rel=1e-4)


def test_a_block_that_runs_more_than_once_is_refused_where_one_is_needed():
    model = model_of(insert_blocks(Again(times=2).eval(), {"unit": block(8)}))
    replay = a2core.Replay(model, clip_of(1), size=64)
    assert replay.blocks == ()
    with pytest.raises(a2core.InterventionError, match="'unit' runs more than once on one picture"):
        replay.run("unit", off=[0])
    with pytest.raises(NetworkError, match=r"'unit' ran 6 times for 3 frames.*Trace the frames jointly"):
        model.trace(clip_of(3), size=64, frames="each")
    lesson = a2core.take_lesson(model, clip_of(1), "unit", size=64)
    np.testing.assert_allclose(lesson.gather, replay.trace.blocks["unit"].gather, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("frames", ["joint", "each"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("batch", ["mirrored too", "windows"])
def test_a_block_that_gets_more_than_the_picture_is_told_by_name(batch, count, frames):
    network = insert_blocks(Again(batch=batch).eval(), {"unit": block(8)})
    with pytest.raises(NetworkError, match="The block behind 'unit'"):
        model_of(network).trace(clip_of(count), size=64, frames=frames)
    assert inserted_blocks(network)["unit"].observer is None


def test_a_block_that_never_runs_is_told_by_name():
    class Reads(Net):
        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            for unit in self.stage:
                x = unit(x)
            return self.head(x)

    network = insert_blocks(Reads(), {"stage": block(8), "stage.0": block(8)})
    with pytest.raises(NetworkError, match=r"'stage' did not run.*remove_blocks"):
        model_of(network).trace(picture())
    a2core.remove_blocks(network, ["stage"])
    assert list(model_of(network).trace(picture()).blocks) == ["stage.0"]


@pytest.mark.parametrize("way", [copy.deepcopy, copy.copy])
def test_a_copy_of_a_block_made_during_a_trace_has_nobody_looking_into_it(way):
    network = insert_blocks(Net().eval(), {"stem": block(8), "stage": block(8)})
    inserted = inserted_blocks(network)["stem"]
    copies: list[nn.Module] = []

    def look(*_: object) -> None:
        thread = threading.Thread(target=lambda: copies.append(way(inserted)))  # another visitor
        thread.start()
        thread.join()

    handle = network.stage.register_forward_pre_hook(look)
    model = model_of(network)
    copies.clear()
    trace = model.trace(clip_of(3), size=64)
    handle.remove()
    (made,) = copies
    assert made.observer is None
    assert made.frames_per_clip == 1
    with torch.no_grad():
        features = network.stem.host(model.preprocess(trace.model_input))
        assert made(features).shape == features.shape
    assert trace.blocks["stem"].grid[0] == 3


def test_the_old_name_of_what_stands_for_both_is_kept():
    """Programs look for it by this name where they walk through a network."""
    network = insert_blocks(Net(), {"stem": block(8)})
    assert isinstance(network.stem, WithBlock)
    assert isinstance(network.stem.host, nn.Conv2d)
