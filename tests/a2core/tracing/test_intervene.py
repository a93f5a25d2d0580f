"""Interventions: what "off" means, that the tail is the network's own, and what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
import torchvision
from scipy.stats import spearmanr
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import a2core
from a2core import Clip, DoubleAttention, InterventionError, NetworkError, Replay
from a2core.blocks.non_local import NonLocal
from a2core.networks.insert import WithBlock, replace_module
from a2core.tracing.outcome import rank_correlation
from tests.a2core.conftest import tiny_network

SIZE = 96


def noise(frames: int = 1, height: int = 96, width: int = 64, seed: int = 0) -> Clip:
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    kind = "image" if frames == 1 else "video"
    return Clip(pixels, np.arange(frames) / 25, kind, "noise", ())


def tiny() -> nn.Module:
    """Blocks with a norm after the expansion whose statistics and affine part all matter."""
    network = tiny_network()
    for name, block in (("stem", DoubleAttention(12, 6, 5, output_norm=True)),):
        norm = block.output_norm
        for values in (norm.weight, norm.bias, norm.running_mean, block.expand.bias):
            nn.init.normal_(values)
        nn.init.uniform_(norm.running_var, 0.5, 2)
        network.get_submodule(name).block = block.eval()
    return network


class Unchained(nn.Module):
    """The same network, but in a module whose forward nobody can read as a chain."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = tiny()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)


def resnet18() -> nn.Module:
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=10)
    blocks = {"layer3.0": DoubleAttention(256, 16, 9), "layer4": DoubleAttention(512, 8, 6)}
    for block in blocks.values():
        nn.init.normal_(block.expand.bias, std=0.2)
        nn.init.normal_(block.expand.weight, std=0.3)
    return a2core.insert_blocks(network, blocks).eval()


def lite0() -> a2core.Model:
    return a2core.load_model("a2-lite0", device="cpu")


MADE = {"tiny": tiny, "unchained": Unchained, "resnet18": resnet18, "lite0": lite0}
CASES = [
    ("tiny", "stem"),
    ("tiny", "deep"),
    ("unchained", "inner.stem"),
    ("resnet18", "layer3.0"),
    ("resnet18", "layer4"),
    ("lite0", "blocks.4"),
    ("lite0", "blocks.5"),
]


@pytest.fixture(scope="module")
def models() -> dict[str, a2core.Model]:
    made = {name: make() for name, make in MADE.items()}
    return {
        name: network if isinstance(network, a2core.Model) else a2core.model_of(network, device="cpu")
        for name, network in made.items()
    }


@pytest.fixture(scope="module")
def replays(models) -> dict[tuple[str, int], Replay]:
    """One run of each network over a picture and over a clip of three frames."""
    return {
        (name, frames): Replay(model, noise(frames), size=SIZE)
        for name, model in models.items()
        for frames in (1, 3)
    }


def whole(model: a2core.Model, replay: Replay, *, clip: bool = True) -> np.ndarray:
    """The answer of the network run from its pixels, blocks attending over all frames."""
    frames = len(replay.trace.model_input)
    try:
        for block in model.blocks.values():
            block.frames_per_clip = frames
        with torch.no_grad():
            logits = model.network(model.preprocess(replay.trace.model_input))
    finally:
        for block in model.blocks.values():
            block.frames_per_clip = 1
    return logits.double().softmax(dim=1).mean(dim=0).numpy()


def close(a: np.ndarray, b: np.ndarray) -> None:
    np.testing.assert_allclose(a, b, atol=1e-5, rtol=1e-4)
    np.testing.assert_allclose(np.log(a), np.log(b), atol=1e-4)


@pytest.mark.parametrize("frames", [1, 3])
def test_each_switched_off_is_one_after_the_other_switched_off(replays, frames):
    name, block = CASES[0]
    replay, some = replays[name, frames], [2, 0, 3]
    rows = replay.switch_off_each(block, some)
    assert rows.shape == (3, len(replay.model.labels))
    for row, i in zip(rows, some, strict=True):
        np.testing.assert_allclose(row, replay.run(block, off=[i]).after, atol=1e-6)
    assert len(replay.switch_off_each(block, [])) == 0


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize(("name", "block"), CASES)
class TestPromises:
    def test_all_off_is_the_network_without_the_block(self, models, replays, name, block, frames):
        model, replay = models[name], replays[name, frames]
        everything = range(replay.trace.blocks[block].n)
        outcome = replay.run(block, off=everything)
        carrier = next(
            (path, module)
            for path, module in model.network.named_modules()
            if isinstance(module, WithBlock) and module.block is model.blocks[block]
        )
        replace_module(model.network, carrier[0], carrier[1].host)
        try:
            close(outcome.after, whole(model, replay))
        finally:
            replace_module(model.network, carrier[0], carrier[1])
        assert outcome.blocks[block].change.max() == 0

    def test_none_off_is_the_plain_run_to_the_last_bit_of_what_it_is_compared_with(
        self, models, replays, name, block, frames
    ):
        replay = replays[name, frames]
        outcome = replay.run(block)
        close(outcome.after, whole(models[name], replay))
        np.testing.assert_array_equal(outcome.after, outcome.before)
        assert outcome.moved.max() == 0
        top = dict(replay.trace.top)
        assert {shift.label: shift.after for shift in outcome.top(1)} == pytest.approx(
            {label: top[label] for label in [replay.trace.top[0][0]]}, abs=1e-5
        )

    def test_its_own_bag_transplanted_changes_nothing(self, replays, name, block, frames):
        replay = replays[name, frames]
        again = Replay(replay.model, replay.trace.clip, size=SIZE)
        outcome = replay.run(block, donor=again)
        close(outcome.after, outcome.before)
        assert outcome.moved.max() < 1e-5

    @pytest.mark.parametrize("renormalise", [False, True])
    def test_the_rerun_tail_agrees_with_the_whole_network(
        self, models, replays, name, block, frames, renormalise
    ):
        """The block itself is made to do it: its ρ scaled, its residual and shapes its own."""
        model, replay = models[name], replays[name, frames]
        seen = replay.trace.blocks[block]
        factors = np.linspace(0, 2, seen.n)
        outcome = replay.run(block, scale=dict(enumerate(factors)), renormalise=renormalise)
        layer = model.blocks[block]

        def hand_out(_, args, output):
            x = args[0]
            v = torch.from_numpy(seen.distribute.copy()) * torch.from_numpy(factors)[:, None, None, None]
            if renormalise:
                v = v / v.sum(dim=0)
            g = torch.from_numpy(seen.primitives.copy()).double()
            z = torch.einsum("mi,ithw->mthw", g, v).flatten(1)  # the bias is added by hand, with its share
            y = layer.expand.weight.flatten(1).double() @ z
            share = v.sum(dim=0).flatten()
            y = y + layer.expand.bias.double()[:, None] * share
            if layer.output_norm is not None:
                n = layer.output_norm
                k = (n.weight / torch.sqrt(n.running_var + n.eps)).double()
                y = k[:, None] * (y - n.running_mean.double()[:, None] * share) + n.bias[:, None] * share
            y = y.unflatten(1, v.shape[1:]).transpose(0, 1)
            return (x + y).float()

        handle = layer.register_forward_hook(hand_out)
        try:
            close(outcome.after, whole(model, replay))
        finally:
            handle.remove()

    def test_the_first_order_term_is_the_slope_of_the_logit(self, replays, name, block, frames):
        replay = replays[name, frames]
        first = replay.first_order(block)
        best = int(np.argsort(-np.abs(first))[0])
        step = 0.005
        place = replay._place(block)
        logits = []
        for factor in (1 + step, 1 - step):
            expanded = place.expanded.clone()
            expanded[:, best] *= factor
            v = place.distribute
            y = place.features + (expanded @ v).unflatten(1, (frames, *place.features.shape[2:])).transpose(
                0, 1
            )
            with torch.no_grad():
                logits.append(replay._answer(place, y)[0].mean(dim=0))
        index = int(replay.run(block).before.argmax())
        slope = float((logits[0] - logits[1])[index]) / (2 * step)
        assert first[best] == pytest.approx(slope, rel=0.05, abs=1e-3)
        assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("renormalise", [False, True])
@pytest.mark.parametrize(("name", "frames"), [("tiny", 1), ("tiny", 3), ("unchained", 3)])
def test_the_true_effect_of_each_is_that_of_switching_it_off_alone(replays, name, frames, renormalise):
    replay = replays[name, frames]
    block = "inner.deep" if name == "unchained" else "deep"
    steps: list[tuple[int, int]] = []
    found = replay.attribute(block, "class 3", renormalise=renormalise, progress=lambda *at: steps.append(at))
    place = replay._place(block)
    for i, effect in enumerate(found.ablated):
        outcome = replay.run(block, off=[i], renormalise=renormalise)
        weights = torch.tensor(outcome.blocks[block].distribute).flatten(1)
        weights[i] = 0
        y = place.features + (place.expanded @ weights).unflatten(
            1, (frames, *place.features.shape[2:])
        ).transpose(0, 1)
        with torch.no_grad():
            drop = replay._answer(place, place.output)[0] - replay._answer(place, y)[0]
        assert effect == pytest.approx(float(drop[:, 3].mean()), abs=1e-4)
    assert steps[-1] == (7, 7)
    assert found.rank_correlation == pytest.approx(spearmanr(found.first_order, found.ablated).statistic)
    np.testing.assert_allclose(
        found.first_order, replay.first_order(block, 3, renormalise=renormalise), atol=1e-6
    )


def test_only_what_stands_behind_the_block_runs_again_where_the_network_is_known_as_a_chain(replays):
    ran: list[str] = []
    replay = replays["resnet18", 1]
    network = replay.model.network
    handles = [
        network.get_submodule(name).register_forward_hook(lambda *_, name=name: ran.append(name))
        for name in ("conv1", "layer2", "layer3.0", "layer3.1", "fc")
    ]
    try:
        replay.run("layer3.0", off=[0])
    finally:
        for handle in handles:
            handle.remove()
    assert ran == ["layer3.1", "fc"]


@pytest.mark.parametrize(("block", "share"), [("blocks.4", 0.4), ("blocks.5", 0.15)])
def test_an_experiment_computes_a_fraction_of_a_run_from_the_pixels(models, block, share):
    """0.38 and 0.13 of it, counted; what that is worth in time: `python -m a2core bench --experiment`."""
    model, clip = models["lite0"], noise(1, 224, 224)
    replay = Replay(model, clip, size=224)
    replay.run(block, off=[0])  # the first finds out what is to be compared with
    with FlopCounterMode(display=False) as whole:
        model.trace(clip, size=224)
    with FlopCounterMode(display=False) as again:
        replay.run(block, off=[1])
    assert 0 < again.get_total_flops() < share * whole.get_total_flops()


def test_first_order_terms_sum_to_what_the_whole_block_adds_and_to_nothing_when_the_rest_takes_over(replays):
    replay = replays["tiny", 1]
    n = replay.trace.blocks["deep"].n
    # The tail behind "deep" is linear (a mean and a matrix): there the first order is exact.
    found = replay.attribute("deep", "class 1")
    np.testing.assert_allclose(found.first_order, found.ablated, atol=1e-4)
    assert found.rank_correlation == pytest.approx(1)
    assert replay.first_order("deep", "class 1", renormalise=True).sum() == pytest.approx(0, abs=1e-4)
    assert len(found.ablated) == n


def test_a_bag_goes_between_grids_of_different_sizes_and_clips_of_different_lengths(models):
    model = models["lite0"]
    receiver = Replay(model, noise(1, 64, 96, seed=1), size=96)
    for clip in (noise(1, 160, 64, seed=2), noise(4, 64, 64, seed=3)):
        donor = Replay(model, clip, size=128)
        outcome = receiver.run("blocks.4", donor=donor)
        seen = outcome.blocks["blocks.4"]
        assert seen.grid == receiver.trace.blocks["blocks.4"].grid != donor.trace.blocks["blocks.4"].grid
        z = np.einsum(
            "mi,ithw->mthw",
            donor.trace.blocks["blocks.4"].primitives,
            receiver.trace.blocks["blocks.4"].distribute,
        )
        np.testing.assert_allclose(seen.output, z, atol=1e-5)
        assert outcome.moved.shape == seen.grid
        assert outcome.moved.min() > 0


def test_a_bag_has_no_positions_shuffling_the_donors_pixels_of_one_cell_each_changes_nothing(models):
    """1×1 projections and sums: whatever order the features were gathered in, the bag is the same."""
    torch.manual_seed(0)
    network = nn.Sequential()
    network.add_module("cells", nn.Conv2d(3, 8, 32, stride=32))
    network.add_module("head", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)))
    a2core.insert_blocks(network, {"cells": DoubleAttention(8, 4, 6)})
    model = a2core.model_of(network.eval(), device="cpu")
    receiver = Replay(model, noise(1, 64, 64, seed=4), size=64)
    wide = noise(1, 32, 128, seed=5)
    tall = replace(wide, frames=np.concatenate(np.split(wide.frames, 4, axis=2)[::-1], axis=1))
    by_wide, by_tall = (receiver.run("cells", donor=Replay(model, c, size=128)) for c in (wide, tall))
    np.testing.assert_allclose(by_wide.after, by_tall.after, atol=1e-6)


def test_keeping_only_some_is_switching_the_others_off_and_scaling_by_nothing_is_off(replays):
    replay = replays["tiny", 1]
    kept = replay.run("deep", only=[2, 4])
    off = replay.run("deep", off=[0, 1, 3, 5, 6])
    scaled = replay.run("deep", scale={0: 0, 1: 0, 3: 0, 5: 0, 6: 0.0})
    np.testing.assert_array_equal(kept.after, off.after)
    np.testing.assert_array_equal(kept.after, scaled.after)
    assert kept.blocks["deep"].primitives[:, [0, 1, 3, 5, 6]].max() == 0


def test_renormalised_weights_sum_to_one_also_where_hardly_anything_is_left(replays):
    replay = replays["tiny", 1]
    for only in range(7):
        seen = replay.run("deep", only=[only], renormalise=True).blocks["deep"]
        np.testing.assert_allclose(seen.distribute.sum(axis=0), 1, atol=1e-5)
        np.testing.assert_allclose(seen.distribute[only], 1, atol=1e-5)
        np.testing.assert_allclose(seen.output, np.broadcast_to(
            seen.primitives[:, only, None, None, None], seen.output.shape), atol=1e-5)  # fmt: skip


def test_the_changed_trace_says_where_the_output_moved(replays):
    replay = replays["tiny", 3]
    outcome = replay.run("stem", off=[1])
    before, after = replay.trace.blocks["stem"], outcome.blocks["stem"]
    assert outcome.moved.shape == before.grid
    place = replay._place("stem")
    gone = torch.outer(place.expanded[:, 1], place.distribute[1])
    base = place.output.transpose(0, 1).flatten(1)
    np.testing.assert_allclose(
        outcome.moved.reshape(-1), (gone.norm(dim=0) / base.norm(dim=0)).numpy(), rtol=1e-3, atol=1e-6
    )
    assert after.primitives[:, 1].max() == 0
    np.testing.assert_array_equal(after.gather, before.gather)
    assert set(outcome.blocks) == {"stem", "deep"}
    assert np.abs(outcome.blocks["deep"].primitives - replay.trace.blocks["deep"].primitives).max() > 1e-4
    with pytest.raises(ValueError, match="read-only"):
        outcome.after[0] = 1


def test_top_holds_the_best_of_before_and_of_after(replays):
    outcome = replays["tiny", 1].run("deep", scale={0: 30.0})
    shifts = outcome.top(2)
    assert {s.label for s in shifts} >= {
        outcome.labels[i] for p in (outcome.before, outcome.after) for i in np.argsort(-p)[:2]
    }
    assert [s.before for s in shifts] == sorted((s.before for s in shifts), reverse=True)
    one = shifts[0]
    odds = [p / (1 - p) for p in (one.before, one.after)]
    assert one.log_odds == pytest.approx(np.log(odds[1]) - np.log(odds[0]))
    assert one.difference == one.after - one.before
    kl = float(np.sum(outcome.before * np.log(outcome.before / outcome.after)))
    assert outcome.divergence == pytest.approx(kl)


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"block": "blocks.5"}, NetworkError, r"no block behind 'blocks.5'.*'stem', 'deep'"),
        ({"block": "dep"}, NetworkError, r"no block behind 'dep'.*nearest are 'deep'"),
        ({"off": [7]}, InterventionError, r"no primitive 7: it has 7, counted from 0 to 6"),
        ({"off": [-1]}, InterventionError, r"no primitive -1"),
        ({"only": [0, 1.5]}, InterventionError, r"no primitive 1.5"),
        ({"scale": {9: 1.0}}, InterventionError, r"no primitive 9"),
        ({"scale": {3: float("nan")}}, InterventionError, r"primitive 3 is nan.*finite"),
        ({"scale": {3: float("inf")}}, InterventionError, r"primitive 3 is inf"),
        ({"scale": {3: 1e300}}, InterventionError, r"not finite any more"),
        ({"off": range(7), "renormalise": True}, InterventionError, r"All 7.*nothing is left to renormalise"),
        ({"only": [], "renormalise": True}, InterventionError, r"nothing is left to renormalise"),
        ({"scale": {2: -1}, "renormalise": True}, InterventionError, r"primitive 2 is -1.*negative"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason_and_the_next_experiment_works(
    replays, asked, kind, said
):
    replay = replays["tiny", 1]
    asked = {"block": "deep", **asked}
    with pytest.raises(kind, match=said):
        replay.run(asked.pop("block"), **asked)
    assert replay.run("deep").moved.max() == 0


def test_a_class_that_the_network_does_not_have_is_refused_with_near_names(replays):
    with pytest.raises(InterventionError, match=r"no class 'tabby cat'.*'tabby'"):
        replays["lite0", 1].first_order("blocks.5", "tabby cat")
    with pytest.raises(InterventionError, match=r"no class 'cat'.*'tiger cat'"):
        replays["lite0", 1].attribute("blocks.5", "cat")
    with pytest.raises(InterventionError, match=r"no class 1000.*0 to 999"):
        replays["lite0", 1].first_order("blocks.5", 1000)


def test_of_classes_with_one_name_the_likelier_is_meant(replays):
    replay = replays["lite0", 1]
    same = [i for i, label in enumerate(replay.model.labels) if label == "crane"]
    assert len(same) == 2
    likelier = max(same, key=lambda i: replay.run("blocks.5").before[i])
    np.testing.assert_array_equal(
        replay.first_order("blocks.5", "crane"), replay.first_order("blocks.5", likelier)
    )


def test_a_relative_of_the_block_has_no_bag_and_says_so():
    network = tiny()
    network.deep.block = NonLocal(16, 8).eval()
    replay = Replay(a2core.model_of(network, device="cpu"), noise(), size=SIZE)
    with pytest.raises(NetworkError, match="NonLocal, which has no bag"):
        replay.run("deep")
    assert replay.run("stem").moved.max() == 0


def test_a_bag_of_another_network_is_refused(replays, models):
    other = Replay(a2core.model_of(tiny_network(1), device="cpu"), noise(), size=SIZE)
    with pytest.raises(InterventionError, match="another network"):
        replays["tiny", 1].run("deep", donor=other)


def test_a_block_without_residual_that_is_all_off_hands_out_zeros():
    network = tiny()
    network.deep.block.residual = False
    replay = Replay(a2core.model_of(network, device="cpu"), noise(), size=SIZE)
    bias = network.head[1].bias.detach().double().softmax(dim=0)
    close(replay.run("deep", off=range(7)).after, bias.numpy())


def test_experiments_in_threads_do_not_disturb_each_other_or_a_trace(models):
    model = models["tiny"]
    clips = [noise(frames, seed=frames) for frames in (1, 2, 3)]
    alone = [Replay(model, clip, size=SIZE).run("stem", off=[1]).after for clip in clips]

    def work(k: int) -> None:
        for _ in range(5):
            replay = Replay(model, clips[k], size=SIZE)
            np.testing.assert_allclose(replay.run("stem", off=[1]).after, alone[k], atol=1e-6)
            replay.first_order("stem")

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(work, range(3)))
    assert all(block.observer is None and block.frames_per_clip == 1 for block in model.blocks.values())
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in model.blocks.values())


def test_what_progress_raises_ends_the_ablations_and_the_model_works_on(replays):
    class EnoughError(Exception):
        pass

    def stop(done: int, _: int) -> None:
        raise EnoughError

    replay = replays["tiny", 1]
    with pytest.raises(EnoughError):
        replay.attribute("deep", progress=stop)
    assert replay.run("deep").moved.max() == 0
    assert all(block.observer is None for block in replay.model.blocks.values())


def test_the_rank_correlation_is_spearmans_ties_included():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 40), rng.integers(0, 5, 40)
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(rank_correlation(a, np.zeros(40)))
