"""Clusters that primitives are tied to, on cells whose kinds are known."""

from __future__ import annotations

import numpy as np
import torch

from a2core.blocks.double_attention import DoubleAttention
from a2core.training.adapt import clusters as module
from a2core.training.adapt.clusters import Clusters, found_clusters, in_order_of, some_cells, told_of_answers
from a2core.training.adapt.losses import attention_losses

KINDS = torch.eye(6)[:4] * 5


def cells_of(pictures: int = 24, each: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, k, 6) cells around one of four kinds each, and their kinds (B, k)."""
    generator = torch.Generator().manual_seed(0)
    kinds = torch.randint(0, 4, (pictures, each), generator=generator)
    return KINDS[kinds] + 0.1 * torch.randn(pictures, each, 6, generator=generator), kinds


def test_nearness_is_a_softmax_of_squared_distances_to_the_centres():
    cells, kinds = cells_of()
    found = found_clusters(cells, None, 4)
    near = found.near(cells.flatten(0, 1).T[None])[0]
    torch.testing.assert_close(near.sum(dim=0), torch.ones(near.shape[1]))
    scale = cells.flatten(0, 1).square().sum(dim=1).mean()  # descriptions have a mean squared length of 1
    centres = torch.stack([cells[kinds == kind].mean(dim=0) for kind in range(4)])
    distances = torch.cdist(cells.flatten(0, 1), centres).square() / scale
    expected = (-distances / module.SOFTNESS).softmax(dim=1)
    order = near[:, [int((kinds.flatten() == kind).nonzero()[0]) for kind in range(4)]].argmax(dim=0)
    torch.testing.assert_close(near[order].T, expected, atol=2e-3, rtol=0)


def test_cells_that_look_alike_are_told_apart_by_what_their_pictures_are_answered_with():
    generator = torch.Generator().manual_seed(0)
    looks = torch.randn(60, 8, 3, generator=generator)
    of = torch.arange(60) % 2  # what little of a cell goes with the answer is lost among its looks
    hint = (of * 2.0 - 1)[:, None, None].expand(-1, 8, 1)
    cells = torch.cat([3 * looks, 0.5 * hint], dim=2)
    logits = torch.nn.functional.one_hot(of, 2) * 8.0

    def share_of_one_answer(given):
        nearest = found_clusters(cells, given, 2).near(cells.flatten(0, 1).T[None])[0].argmax(dim=0)
        same = (nearest == of.repeat_interleave(8)).float().mean()
        return max(float(same), 1 - float(same))

    assert share_of_one_answer(logits) > share_of_one_answer(None) + 0.1
    told = cells.flatten(0, 1) @ told_of_answers(cells, logits)
    torch.testing.assert_close(told.square().sum(dim=1).mean(), torch.tensor(1.0))


def test_clusters_are_the_same_again_and_as_many_as_asked_of_few_cells_too():
    cells, _ = cells_of()
    assert all(
        torch.equal(a, b) for a, b in zip(*(found_clusters(cells, None, 4) for _ in range(2)), strict=True)
    )
    assert found_clusters(cells[:1, :3], None, 7).weight.shape == (7, 6)


def test_each_primitive_is_given_the_cluster_it_is_most_like():
    cells, _ = cells_of()
    found, flat = found_clusters(cells, None, 4), cells.flatten(0, 1)
    shuffled = [2, 0, 3, 1]
    codes = found.near(flat.T[None])[0][shuffled]
    ordered = in_order_of(codes, found, flat)
    torch.testing.assert_close(ordered.weight, found.weight[shuffled])
    torch.testing.assert_close(ordered.bias, found.bias[shuffled])


def test_some_cells_are_those_of_the_pictures_without_repeats():
    reads = torch.arange(2 * 3 * 5, dtype=torch.float32).view(2, 3, 5)
    picked = some_cells(reads, np.random.default_rng(0))
    assert sorted(picked[1, :, 0].tolist()) == reads[1, 0].tolist()


def test_meaning_costs_nothing_where_rho_is_nearness_and_something_elsewhere():
    torch.manual_seed(0)
    block = DoubleAttention(6, 3, 4, input_norm=False).eval()
    x, rows = torch.randn(2, 6, 3, 3), torch.zeros(2, 1, dtype=torch.long)
    targets = torch.full((2, 1, 9), 1 / 9)
    found = Clusters(torch.randn(4, 6), torch.randn(4))

    def cost():
        return attention_losses(block, torch.nn.Linear(3, 6), x, rows, targets, ("meaning",), found)[
            "meaning"
        ]

    q = found.near(x.flatten(2))
    p = torch.einsum("nc,bcp->bnp", block.rho.weight.flatten(1), x.flatten(2)).softmax(dim=1)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Categorical(q.transpose(1, 2)), torch.distributions.Categorical(p.transpose(1, 2))
    ).mean()
    torch.testing.assert_close(cost(), expected)
    with torch.no_grad():
        block.rho.weight.copy_(found.weight[:, :, None, None])
        block.rho.bias.copy_(found.bias)
    assert abs(float(cost().detach())) < 1e-6
