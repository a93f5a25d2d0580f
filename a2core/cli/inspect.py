"""`python -m a2core inspect`: what a network takes and answers, and where in it one can look."""

from __future__ import annotations

import argparse

from a2core.networks.looked import look_over
from a2core.networks.sites import usual_sites
from a2core.networks.spec import read_spec
from a2core.tracing.model_of import labels_for

HELP = "what a network takes, answers, and where blocks can stand in it"
DESCRIPTION = """\
Say what is known of a network: the pictures that it takes, its classes, and its sites: the modules behind
which a block can stand, with what attends there already. Nothing is trained and nothing is written."""
EXAMPLES = """\
examples:
  python -m a2core inspect timm/convnext_tiny
  python -m a2core inspect timm/vit_tiny_patch16_224@random
  python -m a2core inspect torchvision/resnet50@flowers.pth
  python -m a2core inspect flowers.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "network",
        help="timm/NAME, torchvision/NAME, package.module:function, each with @random or @FILE for its "
        "weights; or a specification, FILE.json",
    )


def run(args: argparse.Namespace) -> int:
    """Print input, labels and sites of one network."""
    spec = read_spec(args.network)
    looked = look_over(spec)
    network, tried, sites = looked.network, looked.tried, looked.sites()
    labels = labels_for(tried, looked.labels)
    usual = {site.module for site in usual_sites(sites)}
    weights = sum(parameter.numel() for parameter in network.parameters())
    takes = tried.input
    print(f"{spec.title}: {type(network).__name__}, {weights / 1e6:.1f} million weights")
    size = f"multiples of {takes.multiple_px} pixels"
    if takes.fixed_px is not None:
        size = f"{takes.fixed_px[1]} × {takes.fixed_px[0]} pixels only"
    mean, std = (" ".join(f"{value:.3g}" for value in values) for values in (takes.mean, takes.std))
    how = f", {takes.interpolation}" if takes.interpolation else ""
    print(f"input: {takes.channels} channels, {size}{how}; mean {mean}, std {std}")
    answers = f"{len(labels)} classes ({', '.join(labels[:3])}, …)" if labels else tried.answers_with
    print(f"answers: {answers}")
    print(f"sites, on {sites[0].picture_px[1]} × {sites[0].picture_px[0]} pixels:" if sites else "no sites")
    rows = [("module", "grid", "channels", "stride", "layout", "found")]
    for site in sites:
        name = site.module + (" *" if site.module in usual else "")
        layout = str(site.layout.axes) + (f", {site.layout.prefix} before" if site.layout.prefix else "")
        grid = f"{site.grid[0]} × {site.grid[1]}"
        rows.append((name, grid, f"{site.channels}", f"{site.stride_px} px", layout, site.found))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows if sites else []:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    if sites:
        print("* where blocks stand unless asked otherwise")
    return 0
