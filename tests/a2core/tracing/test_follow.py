"""Attention of small modules written here, which keep their own matrices; and what must not be recorded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from a2core import BlockError, PairsTrace, effective_attention, received_attention
from a2core.tracing import attention
from a2core.tracing.attention import attended


def picture(height: int = 32, width: int = 48) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(2))


class NonLocal(nn.Module):
    """The embedded Gaussian, with keys and values of every second cell where `sub_sample`."""

    def __init__(self, sub_sample: bool = False, einsum: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        self.theta, self.phi, self.g = (nn.Conv2d(8, 4, 1) for _ in range(3))
        self.out = nn.Conv2d(4, 8, 1)
        self.pool = nn.MaxPool2d(2) if sub_sample else nn.Identity()
        self.einsum = einsum
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        theta = 4 * self.theta(x).flatten(2)
        phi, g = (self.pool(layer(x)).flatten(2) for layer in (self.phi, self.g))
        if self.einsum:
            weights = torch.einsum("bcp, bcj -> bpj", theta, phi).softmax(-1)
            gathered = torch.einsum("bpj,bcj->bcp", weights, g)
        else:
            weights = F.softmax(torch.bmm(theta.permute(0, 2, 1), phi), dim=-1)
            gathered = torch.matmul(weights, g.transpose(1, 2)).transpose(1, 2).contiguous()
        self.seen.append(weights[0])
        return x + self.out(gathered.view(1, 4, *x.shape[2:]))


@pytest.mark.parametrize("einsum", [False, True])
@torch.no_grad()
def test_a_non_local_block_of_somebodys(einsum):
    torch.manual_seed(0)
    network = NonLocal(einsum=einsum).eval()
    (layer,) = attended(network, picture()).values()
    matrix = network.seen[0].numpy()
    assert (layer.grid, layer.prefix, layer.heads) == ((1, 8, 12), 0, 1)
    row = effective_attention(layer, (0, 3, 7))
    np.testing.assert_allclose(row.ravel(), matrix[3 * 12 + 7], atol=1e-6)
    np.testing.assert_allclose(received_attention(layer, (0, 3, 7)).ravel(), matrix[:, 43], atol=1e-6)


@torch.no_grad()
def test_a_non_local_block_with_coarser_keys_is_shown_on_their_grid():
    torch.manual_seed(0)
    network = NonLocal(sub_sample=True).eval()
    (layer,) = attended(network, picture()).values()
    matrix = network.seen[0].numpy()
    assert (layer.cells, layer.key_cells) == ((8, 12), (4, 6))
    np.testing.assert_allclose(layer.map((0, 7, 11)), matrix[95].reshape(1, 4, 6), atol=1e-6)
    np.testing.assert_allclose(layer.received((0, 3, 5)), matrix[:, 23].reshape(1, 8, 12), atol=1e-6)
    with pytest.raises(BlockError, match=r"no position \(0, 4, 0\).*grid of 4 × 6"):
        layer.received((0, 4, 0))


class Masked(nn.Module):
    """A class token and cells, attending as `how` says; keeps what it compared."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.stem, self.how = nn.Conv2d(3, 8, 8, stride=8), how
        self.cls = nn.Parameter(torch.randn(1, 1, 8))
        self.qkv = nn.Linear(8, 24)
        self.layer = nn.MultiheadAttention(8, 2, batch_first=True)
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).flatten(2).mT
        x = torch.cat((self.cls.expand(len(x), -1, -1), x), dim=1)
        n = x.shape[1]
        hidden = torch.ones(n, n).triu(5).bool()
        bias = torch.linspace(-3, 3, n * n).view(n, n).sin()
        padding = torch.arange(n)[None] > n - 4
        if self.how.startswith("layer"):
            masks = {
                "layer, booleans": {"attn_mask": hidden},
                "layer, numbers of each head": {"attn_mask": torch.stack([bias, -bias])},
                "layer, padding": {"key_padding_mask": padding},
                "layer, both": {"attn_mask": hidden, "key_padding_mask": padding},
            }[self.how]
            self.seen.append(self.layer(x, x, x, average_attn_weights=False, **masks)[1][0])
            return self.layer(x, x, x, need_weights=False, **masks)[0]
        q, k, v = (of.unflatten(2, (2, 4)).transpose(1, 2) for of in self.qkv(x).chunk(3, dim=-1))
        given, added = {
            "booleans": ({"attn_mask": ~hidden}, torch.zeros(n, n).masked_fill(hidden, -torch.inf)),
            "numbers": ({"attn_mask": bias}, bias),
            "numbers of each head": (
                {"attn_mask": torch.stack([bias, -bias])[None]},
                torch.stack([bias, -bias]),
            ),
            "causal": (
                {"is_causal": True},
                torch.zeros(n, n).masked_fill(torch.ones(n, n).triu(1).bool(), -torch.inf),
            ),
            "own scale": ({"scale": 2.0}, 0.0),
            "groups": ({"enable_gqa": True}, 0.0),
            "one key for all heads": ({}, 0.0),
            "all but itself hidden": (
                {"attn_mask": torch.eye(n).bool()},
                torch.zeros(n, n).masked_fill(~torch.eye(n).bool(), -torch.inf),
            ),
        }[self.how]
        if self.how in ("groups", "one key for all heads"):
            k, v = k[:, :1], v[:, :1]
        scale = given.get("scale", 0.5)
        self.seen.append(((q @ k.mT) * scale + added).softmax(-1)[0])
        return F.scaled_dot_product_attention(q, k, v, **given)


@pytest.mark.parametrize(
    "how",
    ["booleans", "numbers", "numbers of each head", "causal", "own scale", "groups",
     "one key for all heads", "all but itself hidden", "layer, booleans",
     "layer, numbers of each head", "layer, padding", "layer, both"],
)  # fmt: skip
@torch.no_grad()
def test_masks_and_biases_given_to_torchs_attention(how):
    torch.manual_seed(0)
    network = Masked(how).eval()
    for weights in (network.qkv.weight, network.layer.in_proj_weight):
        nn.init.normal_(weights)
    layers = attended(network, picture())
    layer, matrix = list(layers.values())[-1], network.seen[0].numpy()
    assert isinstance(layer, PairsTrace)
    assert (layer.cells, layer.prefix, layer.heads) == ((4, 6), 1, 2)
    assert (layer.bias is None) is (how in ("own scale", "groups", "one key for all heads"))
    for token, position in [(0, 0), (1, (0, 0, 0)), (12, (0, 1, 5)), (24, (0, 3, 5))]:
        for head in range(2):
            np.testing.assert_allclose(layer.row(position, head), matrix[head, token], atol=1e-5)
            received = layer.received(position, head).ravel()
            np.testing.assert_allclose(received, matrix[head, 1:, token], atol=1e-5)


class Tokens(nn.Module):
    """Cells in line, `before` the attention, and the attention with its softmax and values changed."""

    def __init__(self, before=None, weights=None, values=None, twice=None) -> None:
        super().__init__()
        self.stem, self.qkv = nn.Conv2d(3, 8, 8, stride=8), nn.Linear(8, 24)
        self.change = [change or (lambda of: of) for change in (before, weights, values, twice)]
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        before, weights, values, twice = self.change
        x = before(self.stem(x).flatten(2).mT)
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        k, v = twice(k), twice(v)
        matrix = (q @ k.mT).softmax(-1)
        self.seen.append(matrix[0])
        return weights(matrix) @ values(v)


SHUFFLED = torch.randperm(24, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(
    ("before", "order"),
    [
        (lambda x: x[:, SHUFFLED], SHUFFLED),
        (lambda x: x.index_select(1, SHUFFLED), SHUFFLED),
        (lambda x: x.flip(1), torch.arange(24).flip(0)),
        (lambda x: x.unflatten(1, (4, 6)).roll((1, -2), (1, 2)).flatten(1, 2),
         torch.arange(24).view(4, 6).roll((1, -2), (0, 1)).flatten()),
        (lambda x: x.mT.unflatten(2, (4, 6)).mT.flatten(2).mT, torch.arange(24).view(4, 6).T.flatten()),
        (lambda x: torch.cat([x[:, 1::2], x[:, ::2]], 1), torch.tensor([*range(1, 24, 2), *range(0, 24, 2)])),
        (lambda x: x + torch.fft.fft(x, dim=1).real, torch.arange(24)),  # not known here, beside what is
        (lambda x: x * x.mean(1, keepdim=True).sigmoid(), torch.arange(24)),
    ],
)  # fmt: skip
@torch.no_grad()
def test_cells_are_found_wherever_a_network_puts_them(before, order):
    torch.manual_seed(0)
    network = Tokens(before).eval()
    nn.init.normal_(network.qkv.weight, std=0.7)
    (layer,) = attended(network, picture()).values()
    expected = torch.empty(24, 24)
    expected[order[:, None], order[None]] = network.seen[0]
    rows = [layer.row((0, cell // 6, cell % 6)) for cell in range(24)]
    np.testing.assert_allclose(np.array(rows), expected.numpy(), atol=1e-6)
    columns = [layer.received((0, cell // 6, cell % 6)).ravel() for cell in range(24)]
    np.testing.assert_allclose(np.array(columns).T, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"before": lambda x: x[:, torch.tensor([0, 1, 2, 8, 11, 12, 20])]}, "no grid over the picture"),
        ({"before": lambda x: x[:, 6:]}, "no grid over the picture"),  # a crop
        ({"before": lambda x: torch.cat([x, x], 1)}, "not each position asks once"),
        ({"weights": lambda of: of.sqrt()}, "changed before it gathers"),
        ({"weights": lambda of: F.linear(of, torch.eye(24))}, "changed before it gathers"),
        ({"twice": lambda k: torch.cat([k, k], 1)}, "positions are asked more than once"),
        ({"values": lambda v: v.flip(1)}, "could not be followed back to the cells that it compares"),
    ],
)
@torch.no_grad()
def test_what_cannot_be_told_is_left_out_and_said_why(changes, why):
    layers = attended(Tokens(**changes).eval(), picture())
    assert not layers
    assert list(layers.left_out) == [""]
    assert why in layers.left_out[""]


def turned_in_place(x: Tensor) -> Tensor:
    return x.clone().view(1, 4, 6, 8).transpose_(1, 2).reshape(1, 24, 8)


def written_over(x: Tensor) -> Tensor:
    halves = x.clone()
    halves[:, :12].copy_(x[:, 12:])
    return halves


def a_part_set(x: Tensor) -> Tensor:
    x = x.clone()
    x[:, :12] = x[:, 12:]
    return x


@pytest.mark.parametrize(
    "changes",
    [
        {"before": lambda x: torch.fft.fft(x, dim=1).real},  # each slot is a frequency, none a cell
        {"before": lambda x: x.sort(1).values},
        {"before": written_over},
        {"before": turned_in_place},
        {"before": a_part_set},
        {"before": lambda x: x.cumsum(1)[:, torch.randperm(24)].cumsum(1)},
    ],
)
@torch.no_grad()
def test_what_is_no_attention_over_positions_is_not_taken_for_it(changes):
    assert attended(Tokens(**changes).eval(), picture()) == {}


@torch.no_grad()
def test_attention_over_channels_is_none_over_positions():
    class Channels(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            flat = x.flatten(2)
            return (flat @ flat.mT).softmax(-1) @ flat

    layers = attended(Channels(), picture())
    assert (layers, layers.left_out) == ({}, {})


@torch.no_grad()
def test_written_weights_are_kept_as_far_as_there_is_room(monkeypatch):
    network = nn.Sequential(NonLocal(), nn.Conv2d(8, 3, 1), NonLocal()).eval()  # of 96 cells and of 6
    assert list(attended(network, picture())) == ["0", "2"]
    monkeypatch.setattr(attention, "MOST_NUMBERS", 96 * 96 + 6)
    layers = attended(network, picture())
    assert list(layers) == ["0"]
    assert "its 36 numbers are more than the 6" in layers.left_out["2"]


@pytest.mark.parametrize(
    ("around", "known"), [((0, 0, 3, 4), True), ((0, 0, 8, 8), False), ((0, 16, 0, 0), False)]
)
@torch.no_grad()
def test_cells_of_padding_are_none_of_the_picture(around, known):
    class Padded(Tokens):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(F.pad(x, around))

    assert bool(attended(Padded().eval(), picture(32 - 7 * known, 48))) is known


@pytest.mark.parametrize(
    "turn", [lambda x: x.mT, lambda x: x.flip(3), lambda x: x[:, :, 8:], lambda x: x.cumsum(3)]
)
@torch.no_grad()
def test_a_picture_that_was_turned_or_cropped_first_has_no_map(turn):
    class Turned(Tokens):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(turn(x))

    assert attended(Turned().eval(), picture()) == {}
