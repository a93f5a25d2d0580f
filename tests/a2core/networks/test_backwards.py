"""The way back through a part of a network is what torch's autograd gives."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from a2core.errors import NetworkError
from a2core.networks.backwards import TwoWays


class Residual(nn.Module):
    """A depthwise layer within two others, and what came in added."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(6, 12, 1)
        self.act = nn.ReLU6(inplace=True)
        self.deep = nn.Conv2d(12, 12, 3, padding=1, groups=12)
        self.narrow = nn.Conv2d(12, 6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.narrow(self.act(self.deep(self.act(self.wide(x))))) + x


PARTS = {
    "residual": lambda: Residual(),
    "head": lambda: nn.Sequential(
        nn.Conv2d(6, 9, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Dropout(), nn.Linear(9, 5)
    ),
    "strided": lambda: nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(6, 6, 5, stride=2, groups=6)),
    "strided, rows left over": lambda: nn.Conv2d(6, 4, 3, stride=(2, 3), padding=1),
    "grouped": lambda: nn.Conv2d(6, 8, (3, 1), padding=(1, 0), groups=2),
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("side", [(8, 8), (9, 14)])
def test_the_gradient_is_autograds(name: str, side: tuple[int, int]) -> None:
    torch.manual_seed(1)
    part = PARTS[name]().eval().double()
    for parameter in part.parameters():  # so that both ends of a ReLU6 are met
        nn.init.normal_(parameter, std=2.0)
    x = torch.randn(2, 6, *side, dtype=torch.float64, requires_grad=True)
    y = part(x)
    gradient = torch.randn_like(y)
    (expected,) = torch.autograd.grad(y, x, gradient)
    with torch.no_grad():
        ways = TwoWays(part)
        found, on_the_way = ways(x)
        torch.testing.assert_close(found, y)
        torch.testing.assert_close(ways.back(on_the_way, gradient), expected)


@pytest.mark.parametrize(
    "part",
    [
        nn.Sequential(nn.Conv2d(6, 6, 1), nn.MaxPool2d(2)),
        nn.Conv2d(6, 6, 3, dilation=2),
        nn.Conv2d(6, 6, 1, padding=1),
        nn.AdaptiveAvgPool2d(2),
    ],
)
def test_what_is_not_known_is_refused(part: nn.Module) -> None:
    with pytest.raises(NetworkError, match="No gradient is known"):
        TwoWays(part)
