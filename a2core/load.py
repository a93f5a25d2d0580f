"""Networks ready to be looked into: from a checkpoint, or by a specification of where they come from."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from a2core.blocks.registry import DOUBLE_ATTENTION, block_settings, make_block
from a2core.card import Card
from a2core.checkpoints import fill_tensors, find_checkpoint, read_card, read_checkpoint, stored_tensors
from a2core.errors import CheckpointError, NetworkError
from a2core.networks.backbones import BACKBONES, Backbone
from a2core.networks.devices import pick_device
from a2core.networks.fold import fold_norms
from a2core.networks.insert import insert_blocks, inserted_blocks
from a2core.networks.paper import video_architecture
from a2core.networks.sites import find_sites, site_at, usual_sites
from a2core.networks.sources import build, build_network, put_blocks
from a2core.networks.spec import RANDOM, NetworkSpec, is_spec, read_spec
from a2core.networks.tried import Tried, try_network
from a2core.networks.video import VideoResNet
from a2core.tracing.adopt import adopt
from a2core.tracing.model import Model
from a2core.tracing.model_of import blocks_in, labels_for


def load_model(name: str | os.PathLike[str] = "a2-lite0", device: str = "auto") -> Model:
    """A checkpoint's network, or one by its specification, ready to trace.

    Args:
        name: a name in checkpoints/, or a path; or a network's specification (`networks.spec`):
            "timm/convnext_tiny", "torchvision/resnet50@flowers.pth", "flowers.json". One without blocks gets
            fresh ones, which leave its answers as they are, and whose maps mean nothing until trained.
        device: "auto" (A2_DEVICE when set, else CUDA, then MPS, then CPU), or one of these.

    Raises:
        CheckpointError: no such checkpoint, a pickle, cut off, or not fitting its card.
        NetworkError: a device that there is not, an architecture that this version cannot build, or a
            specification whose network cannot be had (`sources.build`) or looked into.
    """
    target = pick_device(device)
    if is_spec(text := os.fspath(name)):
        return open_network(read_spec(text), target)
    path = find_checkpoint(name)
    tensors, card = read_checkpoint(path)
    backbone = _built(card.architecture, path.stem)
    wanted = stored_tensors(inserted_blocks(backbone.network), backbone.network, card.architecture)
    fill_tensors(wanted, tensors, path.name)
    return _assembled(backbone, card.backbone, target, path.stem, card)


def untrained_model(
    name: str | os.PathLike[str] = "a2-lite0", device: str = "auto", *, seed: int = 0
) -> Model:
    """The network of checkpoint `name` with random blocks: what training is compared against.

    Raises:
        CheckpointError, NetworkError: as `load_model`.
    """
    path = find_checkpoint(name)
    architecture = read_card(path).architecture
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        backbone = _built(architecture, path.stem)
    wanted = stored_tensors(inserted_blocks(backbone.network), backbone.network, architecture)
    rest = {key: tensor for key, tensor in wanted.items() if key.startswith("network/")}
    if rest:  # only the blocks are to be random
        tensors, _ = read_checkpoint(path)
        fill_tensors(rest, {key: tensors[key] for key in tensors if key.startswith("network/")}, path.name)
    source = architecture["backbone"]
    return _assembled(backbone, source, pick_device(device), f"{path.stem} (random blocks)", None)


def video_model(
    depth: int = 26, device: str = "auto", *, blocks: int = 5, divisor: int = 4, seed: int = 0
) -> Model:
    """One of the paper's networks for clips (`video_network`) with random weights all over, ready to trace.

    A trained one is a checkpoint like any other, whose architecture is `video_architecture`.

    Raises:
        NetworkError: a depth, divisor or number of blocks out of range, or a device that there is not.
    """
    architecture = video_architecture(depth, blocks=blocks, divisor=divisor)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        backbone = _built(architecture, f"video ResNet-{depth}")
    source, name = architecture["backbone"], f"video ResNet-{depth} (random weights)"
    return _assembled(backbone, source, pick_device(device), name, None)


def _built(architecture: Mapping[str, Any], name: str) -> Backbone:
    try:
        return build_network(architecture)
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"The card of {name} describes an architecture that this version cannot build ({error!r}). "
            "Update a2core."
        ) from error


def _assembled(backbone: Backbone, source: str, device: torch.device, name: str, card: Card | None) -> Model:
    """The network, complete, ready to trace; with no card its blocks are random."""
    network = fold_norms(backbone.network.requires_grad_(False))
    known = source in BACKBONES  # of which it is written what they take and answer
    tried = None if known else _tried(backbone)
    return Model(
        network,
        inserted_blocks(network),
        name=name,
        labels=backbone.labels if tried is None else _labels(backbone, tried),
        input=backbone.input if tried is None else tried.input,
        device=device,
        card=None if card is None else card.entries,
        trained=card is not None and card.trained,
        takes_clips=isinstance(network, VideoResNet),
        took_px=None if tried is None else tried.took_px,
        answers_with="" if tried is None else tried.answers_with,
    )


def _tried(backbone: Backbone) -> Tried:
    with torch.no_grad():
        return try_network(backbone.network, torch.device("cpu"), backbone.input)


def _labels(backbone: Backbone, tried: Tried) -> tuple[str, ...]:
    """What the source calls its classes, unless the network has other ones."""
    return labels_for(tried, backbone.labels if len(backbone.labels) == tried.classes else None)


def open_network(spec: NetworkSpec, device: torch.device) -> Model:
    """The network of `spec` with its blocks, ready to trace.

    Its blocks are those of the checkpoint that it names; else those that it has, double attention written by
    others included; else fresh ones at `spec.at` or, where that is empty, at the usual sites, which leave
    the network's answers as they are.

    Raises:
        NetworkError, CheckpointError: as `load_model`.
    """
    backbone = build(spec)
    network, tried = backbone.network.requires_grad_(False), _tried(backbone)
    card = _filled(spec, network) if spec.blocks else None
    born = card is None and not spec.at and _adopted(network)
    if not blocks_in(network):
        _insert_fresh(spec, network, tried)
    return Model(
        network,
        blocks_in(network),
        name=spec.title,
        labels=labels_for(tried, spec.labels) if spec.labels else _labels(backbone, tried),
        input=tried.input,
        device=device,
        card=None if card is None else card.entries,
        trained=card.trained if card is not None else born and spec.weights != RANDOM,
        took_px=tried.took_px,
        answers_with=tried.answers_with,
        born_trained=spec.weights != RANDOM,
    )


def _adopted(network: nn.Module) -> bool:
    """Whether there is double attention in it, written by others (now traceable) or by us."""
    with contextlib.suppress(NetworkError):
        adopt(network)
    return bool(blocks_in(network))


def _filled(spec: NetworkSpec, network: nn.Module) -> Card:
    """The blocks of the checkpoint that `spec` names, put into its network; the checkpoint's card."""
    path = find_checkpoint(spec.folder / spec.blocks if spec.blocks.endswith(".safetensors") else spec.blocks)
    tensors, card = read_checkpoint(path)
    blocks = put_blocks(network, card.architecture)
    mine = {key: value for key, value in tensors.items() if not key.startswith("network/")}
    fill_tensors(stored_tensors(blocks, None, {}), mine, path.name)
    return card


def _insert_fresh(spec: NetworkSpec, network: nn.Module, tried: Tried) -> None:
    """Blocks that leave the answers as they are, the same for the same specification."""
    sites = find_sites(network, tried.input, torch.device("cpu"), spec.at)
    chosen = [site_at(sites, name) for name in spec.at] or usual_sites(sites)
    if not chosen:
        raise NetworkError(
            f"In {spec.title} no module returns a grid over the picture, so there is nothing to look at. "
            "Choose a network with convolutions or patches."
        )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        blocks = {
            site.module: make_block(block_settings(DOUBLE_ATTENTION, site.channels)).eval() for site in chosen
        }
    for block in blocks.values():
        block.start_as_identity()
    insert_blocks(network, blocks, layouts={site.module: site.layout for site in chosen})
