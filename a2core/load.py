"""Networks ready to be looked into: from a checkpoint, or by a specification of where they come from."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
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
from a2core.networks.looked import Looked, look_at, look_over
from a2core.networks.paper import video_architecture
from a2core.networks.sources import build_described, build_network
from a2core.networks.spec import RANDOM, NetworkSpec, is_spec, read_spec
from a2core.networks.video import VideoResNet
from a2core.tracing.adopt import adopt
from a2core.tracing.engine import TORCH, pick_engine
from a2core.tracing.model import Model
from a2core.tracing.model_of import blocks_in, labels_for


def load_model(
    name: str | os.PathLike[str] = "a2-lite0", device: str = "auto", *, engine: str = "auto"
) -> Model:
    """A checkpoint's network, or one by its specification, ready to trace.

    Args:
        name: a name in checkpoints/, or a path; or a network's specification (`networks.spec`):
            "timm/convnext_tiny", "torchvision/resnet50@flowers.pth", "flowers.json". One without blocks gets
            fresh ones, which leave its answers as they are, and whose maps mean nothing until trained.
        device: "auto" (A2_DEVICE when set, else CUDA, then MPS, then CPU), or one of these.
        engine: "auto" (A2_ENGINE when set, else ONNX Runtime where it can run the network, from the third
            trace on), "torch", or "onnxruntime", for which graphs are drawn where there are none.

    Raises:
        CheckpointError: no such checkpoint, a pickle, cut off, or not fitting its card.
        NetworkError: a device that there is not, an architecture that this version cannot build, or a
            specification whose network cannot be had (`sources.build`) or looked into.
    """
    target, engine = pick_device(device), pick_engine(engine)
    if is_spec(text := os.fspath(name)):
        return open_network(read_spec(text), target, engine=engine)
    path = find_checkpoint(name)
    backbone, card = _filled(path)
    return _assembled(backbone, target, path.stem, card, known=card.backbone in BACKBONES, engine=engine)


def checkpoint_network(name: str | os.PathLike[str] = "a2-lite0") -> nn.Module:
    """A checkpoint's network alone, to go on with: an ordinary module on the CPU, which can be trained.

    In evaluation mode, its batch norms not folded; what it takes of pictures is in `load_model(name).input`.

    Raises:
        CheckpointError, NetworkError: as `load_model`.
    """
    return _filled(find_checkpoint(name))[0].network.requires_grad_(True).eval()


def checkpoint_of(name: str | os.PathLike[str]) -> Path:
    """The checkpoint that a name, a path, or a specification of a network with trained blocks leads to.

    Raises:
        CheckpointError: there is none.
        NetworkError: a specification that cannot be read, or names no checkpoint.
    """
    if not is_spec(text := os.fspath(name)):
        return find_checkpoint(name)
    spec = read_spec(text)
    if not spec.blocks:
        raise NetworkError(
            "{title} names no trained blocks. Train some, python -m a2core train PHOTOS --network …, "
            "and give the checkpoint or the NAME-network.json that training writes.",
            title=spec.title,
        )
    return checkpoint_in(spec)


def untrained_model(
    name: str | os.PathLike[str] = "a2-lite0", device: str = "auto", *, seed: int = 0
) -> Model:
    """The network of checkpoint `name` with random blocks: what training is compared against.

    Raises:
        CheckpointError, NetworkError: as `load_model`; a specification that names no checkpoint.
    """
    path, text = checkpoint_of(name), os.fspath(name)
    architecture = read_card(path).architecture
    spec = read_spec(text) if is_spec(text) else None
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        backbone = _built(architecture, path.stem, spec)
    wanted = stored_tensors(inserted_blocks(backbone.network), backbone.network, architecture)
    rest = {key: tensor for key, tensor in wanted.items() if key.startswith("network/")}
    if rest:  # only the blocks are to be random
        tensors, _ = read_checkpoint(path)
        fill_tensors(rest, {key: tensors[key] for key in tensors if key.startswith("network/")}, path.name)
    known = spec is None and architecture["backbone"] in BACKBONES
    title = f"{path.stem} (random blocks)"
    return _assembled(backbone, pick_device(device), title, None, known=known, engine=pick_engine())


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
    name = f"video ResNet-{depth} (random weights)"
    return _assembled(backbone, pick_device(device), name, None, known=True)


def _filled(path: Path, spec: NetworkSpec | None = None) -> tuple[Backbone, Card]:
    """The network of a checkpoint with all that it stores, in the network that `spec` names, and its card."""
    tensors, card = read_checkpoint(path)
    backbone = _built(card.architecture, path.stem, spec)
    wanted = stored_tensors(inserted_blocks(backbone.network), backbone.network, card.architecture)
    fill_tensors(wanted, tensors, path.name)
    return backbone, card


def _built(architecture: Mapping[str, Any], name: str, spec: NetworkSpec | None = None) -> Backbone:
    try:
        return build_network(architecture) if spec is None else build_described(spec, architecture)
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            "The card of {name} describes an architecture that this version cannot build ({why}). "
            "Update a2core.",
            name=name,
            why=repr(error),
        ) from error


def _assembled(
    backbone: Backbone,
    device: torch.device,
    name: str,
    card: Card | None,
    *,
    known: bool = False,
    labels: tuple[str, ...] | None = None,
    engine: str = TORCH,
) -> Model:
    """The network, complete, ready to trace; with no card its blocks are random.

    It is tried unless it is `known`: what such a one takes and answers is written down. `labels` are what
    somebody calls its classes.
    """
    network = fold_norms(backbone.network.requires_grad_(False))
    looked = None if known else look_at(replace(backbone, network=network), name, labels)
    return Model(
        network,
        inserted_blocks(network),
        name=name,
        labels=backbone.labels if looked is None else labels_for(looked.tried, looked.labels),
        input=backbone.input if looked is None else looked.tried.input,
        device=device,
        card=None if card is None else card.entries,
        trained=card is not None and card.trained,
        takes_clips=isinstance(network, VideoResNet),
        took_px=None if looked is None else looked.tried.took_px,
        answers_with="" if looked is None else looked.tried.answers_with,
        born_trained=card is None or not card.backbone.endswith(f"@{RANDOM}"),
        may_attend=not known,
        engine=engine,
    )


def open_network(spec: NetworkSpec, device: torch.device, *, engine: str = TORCH) -> Model:
    """The network of `spec` with its blocks, ready to trace.

    Its blocks, and whatever else was trained, are those of the checkpoint that it names; else those that it
    has, double attention written by others included; else fresh ones at `spec.at` or, where that is empty, at
    the usual sites, which leave the network's answers as they are.

    Raises:
        NetworkError, CheckpointError: as `load_model`.
    """
    if spec.blocks:
        backbone, card = _filled(checkpoint_in(spec), spec)
        labels = spec.labels if card.labels is None else card.labels  # of other classes than the source's
        return _assembled(backbone, device, spec.title, card, labels=labels, engine=engine)
    looked = look_over(spec)
    network, tried = looked.network.requires_grad_(False), looked.tried
    born = not spec.at and _adopted(network)
    if not blocks_in(network):
        _insert_fresh(looked, spec.at)
    return Model(
        network,
        blocks_in(network),
        name=spec.title,
        labels=labels_for(tried, looked.labels),
        input=tried.input,
        device=device,
        trained=born and spec.weights != RANDOM,
        took_px=tried.took_px,
        answers_with=tried.answers_with,
        born_trained=spec.weights != RANDOM,
        engine=engine,
    )


def checkpoint_in(spec: NetworkSpec) -> Path:
    """The checkpoint that a specification names.

    Raises:
        CheckpointError: there is none.
    """
    return find_checkpoint(spec.folder / spec.blocks if spec.blocks.endswith(".safetensors") else spec.blocks)


def _adopted(network: nn.Module) -> bool:
    """Whether there is double attention in it, written by others (now traceable) or by us."""
    with contextlib.suppress(NetworkError):
        adopt(network)
    return bool(blocks_in(network))


def _insert_fresh(looked: Looked, at: Sequence[str]) -> None:
    """Blocks that leave the answers as they are, the same for the same specification."""
    chosen = looked.places(at)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        blocks = {
            site.module: make_block(block_settings(DOUBLE_ATTENTION, site.channels)).eval() for site in chosen
        }
    for block in blocks.values():
        block.start_as_identity()
    insert_blocks(looked.network, blocks, layouts={site.module: site.layout for site in chosen})
