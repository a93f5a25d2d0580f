"""Where in a network blocks and attention can be looked at, found by running it once.

A site is a module that returns a grid over the picture, in whatever layout. Of modules within one another
that return the same grid the outermost is named, as people think of a network: "layer3", not
"layer3.5.conv3". A network of one grid throughout, as most Transformers are, is named layer by layer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from a2core.errors import FORWARD_FAULTS, NetworkError, first_line
from a2core.networks.hooks import hooked
from a2core.networks.insert import inserted_blocks, named_parts, prefix_tokens
from a2core.networks.layout import Layout, grid_of_tokens, puts_channels_last
from a2core.networks.spec import InputSpec

LOOKED_AT_PX = 224  # of the short side; larger where the network asks for it
_FEWEST_CELLS = 4
_PREFIXES = (0, 1, 2, 5)  # tried where what the network says makes no grid
_WORKS = (nn.Linear, nn.Conv1d, nn.Conv2d)  # a module with none of these only hands on


@dataclass(frozen=True)
class FoundSite:
    """A module behind which a block can stand.

    Attributes:
        module: its name.
        grid: rows and columns, over a picture of `picture_px`.
        picture_px: height and width of the picture that was run.
        channels, layout: of what it returns.
        found: what attends there already, in words; "" for nothing.
    """

    module: str
    grid: tuple[int, int]
    picture_px: tuple[int, int]
    channels: int
    layout: Layout
    found: str

    @property
    def stride_px(self) -> int:
        """Pixels of the model input to one cell."""
        return round(self.picture_px[0] / self.grid[0])


def find_sites(
    network: nn.Module, takes: InputSpec, device: torch.device, also: Collection[str] = ()
) -> list[FoundSite]:
    """All sites of `network`, in the order in which they run; mode and gradients are the caller's.

    With those of the modules `also`, however deep, that return a grid.

    Raises:
        NetworkError: it does not run on a picture of the size that it takes.
    """
    picture_px = _picture_px(takes)
    seen = _run(network, takes, picture_px, device)
    blocks = inserted_blocks(network)
    grids = {name: site for name, site in seen.items() if site is not None}
    named = dict(named_parts(network))
    kept = _outermost(named, grids) or list(grids)  # layers alone, of a network without stages
    if len({grids[name][0] for name in kept}) < 2:
        kept = [inner for name in kept for inner in _layers(named, grids, name)]
    sites = []
    for name in (name for name in seen if name in kept or (name in also and name in grids)):
        cells, channels, layout = grids[name]
        found = _found(named[name], blocks.get(name))
        sites.append(FoundSite(name, cells, picture_px, channels, layout, found))
    return sites


def usual_sites(sites: Sequence[FoundSite]) -> list[FoundSite]:
    """Where blocks stand unless asked otherwise: one finer, one coarser.

    Of the two coarsest grids the module with the most channels, the last of equals; in a network of one grid
    after half and after three quarters of its layers.
    """
    by_grid: dict[tuple[int, int], FoundSite] = {}
    for site in sites:
        best = by_grid.get(site.grid)
        if best is None or site.channels >= best.channels:
            by_grid[site.grid] = site
    order = {id(site): at for at, site in enumerate(sites)}
    coarse = sorted(by_grid.values(), key=lambda site: -site.grid[0] * site.grid[1])[-2:]
    if len(coarse) == 2:
        return sorted(coarse, key=lambda site: order[id(site)])
    layers = [site for site in sites if site.layout == sites[-1].layout]  # and not what cuts the patches
    picked = {max(0, len(layers) * share // 4 - 1) for share in (2, 3)}
    return [layers[at] for at in sorted(picked)] if layers else []


def site_at(sites: Sequence[FoundSite], name: str) -> FoundSite:
    """The site called `name`.

    Raises:
        NetworkError: there is none; the message lists those that there are.
    """
    for site in sites:
        if site.module == name:
            return site
    known = ", ".join(repr(site.module) for site in sites) or "none"
    raise NetworkError(
        "{name!r} is no site for a block: no grid over the picture comes out of it. There are {known}.",
        name=name,
        known=known,
    )


# ---- running it

_Grid = tuple[tuple[int, int], int, Layout]  # rows and columns, channels, layout


def _picture_px(takes: InputSpec) -> tuple[int, int]:
    """Not square where that can be: what is rows and what is columns shows in the shape then."""
    if takes.fixed_px is not None:
        return takes.fixed_px
    side = takes.multiple_px * max(1, -(-LOOKED_AT_PX // takes.multiple_px))
    return side, side + takes.multiple_px * max(1, round(side / 3 / takes.multiple_px))


@torch.no_grad()
def _run(
    network: nn.Module, takes: InputSpec, picture_px: tuple[int, int], device: torch.device
) -> dict[str, _Grid | None]:
    """What each module returned, in the order in which they end; None: no grid, or not run just once."""
    prefix = prefix_tokens(network)
    seen: dict[str, _Grid | None] = {}

    def look(name: str) -> Any:
        def keep(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            seen[name] = None if name in seen else _grid(module, args, output, picture_px, prefix)

        return keep

    hooks = (module.register_forward_hook(look(name)) for name, module in named_parts(network) if name)
    with hooked(hooks):
        try:
            network(torch.zeros(1, takes.channels, *picture_px, device=device))
        except FORWARD_FAULTS as error:
            height, width = picture_px
            raise NetworkError(
                "The network does not run on {width} × {height} pixels ({why}).",
                width=width,
                height=height,
                why=first_line(error),
            ) from error
    return seen


def _grid(
    module: nn.Module, args: tuple[Any, ...], output: Any, picture_px: tuple[int, int], prefix: int
) -> _Grid | None:
    if (
        not isinstance(output, Tensor)
        or len(output) != 1
        or not any(isinstance(m, _WORKS) for m in module.modules())
    ):
        return None
    if output.dim() == 3:
        for before in dict.fromkeys((prefix, *_PREFIXES)):
            cells = grid_of_tokens(output.shape[1] - before, *picture_px)
            if cells is not None and cells[0] * cells[1] >= _FEWEST_CELLS:
                return cells, output.shape[2], Layout("tokens", before)
    if output.dim() != 4:
        return None
    first, last = _covers(output.shape[2:], picture_px), _covers(output.shape[1:3], picture_px)
    if first and last:
        last = puts_channels_last(module, args, output)
    if last:
        return (output.shape[1], output.shape[2]), output.shape[3], Layout("NHWC")
    return ((output.shape[2], output.shape[3]), output.shape[1], Layout()) if first else None


def _covers(cells: Sequence[int], picture_px: tuple[int, int]) -> bool:
    """Whether so many rows and columns are a picture's, to a cell."""
    (rows, columns), (height, width) = cells, picture_px
    fine = rows <= height and columns <= width and rows * columns >= _FEWEST_CELLS
    return fine and abs(rows - columns * height / width) < 1


# ---- which of them are named


def _outermost(named: dict[str, nn.Module], grids: dict[str, _Grid]) -> list[str]:
    kept: list[str] = []
    for name in named:  # parents first
        if name not in grids or not named[name]._modules or any(_inside(name, outer) for outer in kept):
            continue
        if _is_one(named, grids, name):
            kept.append(name)
    return kept


def _is_one(named: dict[str, nn.Module], grids: dict[str, _Grid], name: str) -> bool:
    """Whether a module is one stage, no row of them: it may come from one grid to the next, not farther."""
    row = isinstance(named[name], nn.Sequential)
    within = {
        grids[inner][0]
        for inner in grids
        if (inner.rpartition(".")[0] == name if row else _inside(inner, name)) and named[inner]._modules
    }
    return within <= {grids[name][0]} if row else len(within | {grids[name][0]}) <= 2


def _layers(named: dict[str, nn.Module], grids: dict[str, _Grid], name: str) -> Iterator[str]:
    """The layers of a container, as far as layers are listed one after the other."""
    inner = [child for child in grids if child.rpartition(".")[0] == name and named[child]._modules]
    listed = isinstance(named[name], nn.Sequential | nn.ModuleList) and len(inner) > 1
    if listed:
        yield from inner
    elif len(inner) == 1 and isinstance(named[inner[0]], nn.Sequential | nn.ModuleList):
        yield from _layers(named, grids, inner[0])
    else:
        yield name


def _inside(name: str, outer: str) -> bool:
    return name.startswith(outer + ".")


def _found(module: nn.Module, block: nn.Module | None) -> str:
    """What attends in a module, or behind it."""
    said = []
    if block is not None:
        said.append(f"a {getattr(block, 'title', type(block).__name__)} block")
    heads = [count for inner in module.modules() if (count := _heads(inner))]
    if heads:
        counts = f"{heads[0]}" if len(set(heads)) == 1 else f"{min(heads)} to {max(heads)}"
        said.append(f"softmax attention, {counts} head{'s' if heads[0] > 1 else ''}")
    return "; ".join(said)


def _heads(module: nn.Module) -> int:
    """Heads of a module that compares queries with keys; 0 of any other."""
    compares = any(hasattr(module, name) for name in ("qkv", "in_proj_weight"))
    count = getattr(module, "num_heads", 0)
    return count if compares and isinstance(count, int) else 0
