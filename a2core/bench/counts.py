"""`python -m a2core table`: parameters and multiply-adds of every preset, beside the published figures.

Counted by torch's own flop counter on shapes alone, so it takes seconds and no memory. Conventions:
one multiply-add is one (the counter's two flops), of convolutions and matrix products only; one
picture of 224×224 or one clip; the block to the letter, left order, unfolded, projections and
expansion with biases, an affine batch norm after the expansion; buffers are no parameters.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from a2core.networks.paper import paper_network, video_network

CHECKED, RECALLED = "checked", "recalled"


@dataclass(frozen=True)
class Published:
    """Figures of a paper as they were read: `status` says whether they were checked against a source."""

    params_m: float | None
    madds_g: float | None
    source: str
    status: str


@dataclass(frozen=True)
class Preset:
    """A network that can be counted: how to build it, and the shape of one input."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    published: Published | None = None


@dataclass(frozen=True)
class Counted:
    """Parameters in millions and multiply-adds in units of 10⁹ of one preset."""

    name: str
    params_m: float
    madds_g: float
    published: Published | None

    @property
    def matches(self) -> str:
        """Which published figures agree, to within one per cent (parameters) and three (multiply-adds)."""
        if self.published is None:
            return ""
        said = []
        for label, ours, theirs, tolerance in (
            ("params", self.params_m, self.published.params_m, 0.01),
            ("multiply-adds", self.madds_g, self.published.madds_g, 0.03),
        ):
            if theirs is not None:
                off = ours / theirs - 1
                said.append(f"{label} {'match' if abs(off) <= tolerance else 'differ'} ({off:+.1%})")
        return ", ".join(said)


_ECA = Published(33.00, 6.50, "as quoted in ECA-Net, table 3", CHECKED)
_PICTURE, _SMALL_CLIP, _CLIP = (1, 3, 224, 224), (1, 3, 16, 112, 112), (1, 3, 8, 224, 224)
PRESETS: tuple[Preset, ...] = (
    Preset("ResNet-50, plain", lambda: paper_network(blocks=0), _PICTURE),
    Preset("ResNet-50 + 5 blocks, m = n = C/4", lambda: paper_network(4), _PICTURE, _ECA),
    Preset("ResNet-50 + 5 blocks, m = n = C/2", lambda: paper_network(2), _PICTURE, _ECA),
    Preset(
        "ResNet-26 3-D, 16 frames",
        lambda: video_network(26),
        _SMALL_CLIP,
        Published(7.04, 8.3, "the paper's Kinetics ablation", RECALLED),
    ),
    Preset(
        "ResNet-26 3-D + 1 block, 16 frames",
        lambda: video_network(26, blocks=1),
        _SMALL_CLIP,
        Published(7.31, 8.76, "the paper's Kinetics ablation (+463 M each)", RECALLED),
    ),
    Preset("ResNet-29 3-D, 16 frames", lambda: video_network(29), _SMALL_CLIP),
    Preset("ResNet-29 3-D + 5 blocks, 16 frames", lambda: video_network(29, blocks=5), _SMALL_CLIP),
    Preset("ResNet-50 3-D, 8 frames", lambda: video_network(50), _CLIP),
    Preset("ResNet-50 3-D + 5 blocks, 8 frames", lambda: video_network(50, blocks=5), _CLIP),
)


def count(network: nn.Module, shape: tuple[int, ...]) -> tuple[int, int]:
    """Parameters of `network`, and multiply-adds of its forward pass on one input of `shape`.

    The network is moved to the meta device: it is not usable afterwards.
    """
    from torch.utils.flop_counter import FlopCounterMode

    network = network.eval().to("meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(shape, device="meta"))
    return sum(parameter.numel() for parameter in network.parameters()), counter.get_total_flops() // 2


def count_presets() -> list[Counted]:
    """Every preset counted, in the order of the table."""
    rows = []
    for preset in PRESETS:
        with torch.device("meta"):
            network = preset.build()
        params, madds = count(network, preset.shape)
        rows.append(Counted(preset.name, params / 1e6, madds / 1e9, preset.published))
    return rows


def format_table(rows: list[Counted]) -> str:
    """The table as text, with its conventions and how they relate to the published figures."""
    lines = [f"{'network':<38}{'params':>10}{'madds':>10}   published", "-" * 100]
    for row in rows:
        said = ""
        if row.published is not None:
            figures = [
                f"{value:.2f} {unit}"
                for value, unit in ((row.published.params_m, "M"), (row.published.madds_g, "G"))
                if value is not None
            ]
            said = f"{' / '.join(figures)} [{row.published.status}: {row.published.source}]: {row.matches}"
        lines.append(f"{row.name:<38}{row.params_m:>8.3f} M{row.madds_g:>8.3f} G   {said}")
    return "\n".join([*lines, "", _CONVENTIONS])


_CONVENTIONS = """\
Multiply-adds: convolutions and matrix products of one forward pass, by torch's flop counter (halved:
it counts two a multiply-add). Blocks: two in res3, three in res4, biased projections and expansion, an
affine batch norm after the expansion, left order (A Bᵀ) V, nothing folded.
The published 33.0 M / 6.5 G fit m = n = C/2 (32.9 M / 6.7 G), not the C/4 of the paper's text
(29.2 M / 5.2 G): parameters to 0.3 %, multiply-adds to 2.4 %, the rest being how norms, biases and the
block itself are counted.
Figures marked "recalled" were not checked against a source; the 3-D networks are an arrangement of
ours (3×3×3 in every unit, half the channels for ResNet-26 and -29, time never subsampled), because
the paper's exact layers were not at hand."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m a2core table`."""
    parser.add_argument("--json", type=Path, help="also write the counts here")


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    rows = count_presets()
    print(format_table(rows))
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return 0
