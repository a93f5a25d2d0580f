"""A network looked over: made by its specification, tried on pictures, and its sites found by running it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from a2core.errors import NetworkError
from a2core.networks.backbones import Backbone
from a2core.networks.insert import module_at
from a2core.networks.sites import FoundSite, find_sites, site_at, usual_sites
from a2core.networks.sources import build
from a2core.networks.spec import NetworkSpec
from a2core.networks.tried import Tried, try_network

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Looked:
    """A network on the CPU, and what running it told.

    Attributes:
        title: what it is called.
        network: in evaluation mode.
        tried: what it takes and answers.
        labels: of its classes: whoever named it said them, right or wrong in number, or its source knows
            them; None where nobody does.
    """

    title: str
    network: nn.Module
    tried: Tried
    labels: tuple[str, ...] | None

    def sites(self, also: Sequence[str] = ()) -> list[FoundSite]:
        """All sites, in the order in which they run, with those of the modules `also`, however deep.

        Raises:
            NetworkError: as `find_sites`.
        """
        return find_sites(self.network, self.tried.input, _CPU, also)

    def places(self, at: Sequence[str] = ()) -> list[FoundSite]:
        """Where blocks stand, in the order in which they run: behind `at`, else at the usual sites.

        Raises:
            NetworkError: no such module, one that returns no grid over the picture, or nothing that does.
        """
        for name in at:
            module_at(self.network, name)
        found = self.sites(at)
        chosen = {site.module for site in [site_at(found, name) for name in at] or usual_sites(found)}
        if not chosen:
            raise NetworkError(
                "In {title} no module returns a grid over the picture, so no block can stand in it. "
                "Choose a network with convolutions or patches.",
                title=self.title,
            )
        return [site for site in found if site.module in chosen]


def look_at(made: Backbone, title: str, labels: tuple[str, ...] | None = None) -> Looked:
    """A network that was made, tried on pictures; `labels` are what somebody calls its classes.

    Raises:
        NetworkError: as `try_network`.
    """
    with torch.no_grad():
        tried = try_network(made.network, _CPU, made.input)
    known = made.labels if len(made.labels) == tried.classes else None
    return Looked(title, made.network, tried, labels or known or None)


def look_over(spec: NetworkSpec) -> Looked:
    """The network that a specification names, without blocks, tried on pictures.

    Raises:
        NetworkError: as `build` and `try_network`.
    """
    return look_at(build(spec), spec.title, spec.labels)
