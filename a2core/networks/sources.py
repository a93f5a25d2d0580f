"""Networks built from where they come: timm, torchvision, the wheels, a function of somebody's own."""

from __future__ import annotations

import contextlib
import difflib
import functools
import importlib
import inspect
import os
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from a2core.blocks.registry import make_block
from a2core.errors import A2Error, NetworkError, first_line
from a2core.languages import sentence
from a2core.networks.backbones import BACKBONES, Backbone, classifier_of, imagenet_labels, load_backbone
from a2core.networks.classifier import put_classifier
from a2core.networks.insert import insert_blocks
from a2core.networks.layout import Layout
from a2core.networks.memory import refuse_too_large
from a2core.networks.spec import PUBLISHED, RANDOM, InputSpec, NetworkSpec, read_spec
from a2core.networks.weight_files import classes_of, fill_network, fitted, read_weights

Make = Callable[..., nn.Module]
# What downloads fail with: sockets, proxies, hubs' own errors (subclasses of OSError), files cut off.
_DOWNLOAD_FAULTS = (OSError, RuntimeError, ValueError)


def build(spec: NetworkSpec) -> Backbone:
    """The network of `spec`, in evaluation mode, without blocks.

    Its labels are empty where nobody knows them: they are numbers then, or there are no classes. Random
    weights are the same each time, so that blocks trained in such a network find it again.

    Raises:
        NetworkError: a network that is not known (the nearest are named), that cannot be made, downloaded or
            kept in memory, or weights that do not fit it.
    """
    if spec.weights != RANDOM:
        return _built(spec)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return _built(spec)


def _built(spec: NetworkSpec) -> Backbone:
    if spec.source in BACKBONES and spec.weights == PUBLISHED:
        return _told(spec, load_backbone(spec.source))
    make, plain = _maker(spec, spec.weights == PUBLISHED)
    if not spec.runs_code:  # which is not run twice
        refuse_too_large(spec.source, functools.partial(_maker(spec, False)[0], **spec.options))
    return _told(spec, _made(spec, make, plain))


def _maker(spec: NetworkSpec, published: bool) -> tuple[Make, Backbone]:
    """What makes the network, with published weights or its own; input and labels as its source has them."""
    kind, _, name = spec.source.partition("/")
    if spec.source in BACKBONES:
        known = BACKBONES[spec.source]
        return functools.partial(_known, spec.source), Backbone(nn.Identity(), known.input, known.labels())
    if kind == "timm" and name:
        return _timm(name, published)
    if kind == "torchvision" and name:
        return _torchvision(name, published)
    if spec.runs_code:
        return _function(spec), Backbone(nn.Identity(), InputSpec(), ())
    raise NetworkError(
        "Unknown network {source!r}. Give timm/NAME, torchvision/NAME, package.module:function, "
        "or one of {known}.",
        source=spec.source,
        known=", ".join(BACKBONES),
    )


def build_network(architecture: Mapping[str, Any], *, vouched: bool = False) -> Backbone:
    """The network of a card's `architecture` with its blocks inserted, blocks freshly initialised.

    `architecture` is {"backbone": source, "blocks": {module: {"in_channels", "c_m", "c_n", …}}}, the
    inner dict holding the arguments of the block's class, and its "kind" when it is a relative of
    double attention (`blocks.registry`). It may also hold "labels", the names of other classes than
    the network's, whose classifier is then random; "classifier", the modules that it is, of a network
    that is not of our table; "trunk": "own" when the whole network was trained, which is then random all
    over; and "layouts", {module: {"axes", "prefix"}}, where modules do not put channels first.

    Args:
        architecture: as above.
        vouched: somebody named the network here and now: then it may be a function or a file of theirs.

    Raises:
        NetworkError: as `build_described`; a function of somebody's, which no card may have run.
    """
    source = architecture["backbone"]
    if needs_word(source) and not vouched:
        raise NetworkError(
            "The card's network, {source!r}, is made or filled by a file of somebody's, which a card "
            "may not ask for. Open the NAME-network.json that training wrote beside it, or a "
            'specification, {{"source": …, "blocks": this checkpoint}}.',
            source=source,
        )
    return build_described(read_spec(source), architecture)


def build_described(spec: NetworkSpec, architecture: Mapping[str, Any]) -> Backbone:
    """As `build_network`, in the network that `spec` names, whatever the architecture calls it.

    Raises:
        NetworkError: as `build`, `put_classifier`, `make_block` and `insert_blocks`.
    """
    own = architecture.get("trunk") == "own"
    backbone = _built(replace(spec, weights=RANDOM)) if own else build(spec)
    labels = architecture.get("labels")
    if labels is not None:
        put_classifier(backbone.network, classifier_of(architecture), len(labels))
        backbone = replace(backbone, labels=tuple(labels))
    blocks: dict[str, nn.Module] = {
        name: make_block(settings).eval() for name, settings in architecture["blocks"].items()
    }
    layouts = {name: Layout(**told) for name, told in architecture.get("layouts", {}).items()}
    insert_blocks(backbone.network, blocks, layouts=layouts)
    return backbone


def needs_word(source: str) -> bool:
    """Whether a network is made or filled by a file of somebody's, who has to vouch for it."""
    weights = source.rpartition("@")[2] if "@" in source else PUBLISHED
    return source.endswith(".json") or ":" in source or weights not in (PUBLISHED, RANDOM)


def _told(spec: NetworkSpec, made: Backbone) -> Backbone:
    """What the specification says of input and labels, instead of what the source knows."""
    wanted = made.input
    if spec.mean is not None and spec.std is not None:
        wanted = replace(wanted, mean=spec.mean, std=spec.std)
    if spec.size_px is not None:
        wanted = replace(wanted, fixed_px=spec.size_px)
    made.network.eval()
    return replace(made, input=wanted, labels=made.labels if spec.labels is None else spec.labels)


def _made(spec: NetworkSpec, make: Make, plain: Backbone) -> Backbone:
    """Made, its weights filled in, with as many classes as these are for."""
    tensors = None
    if spec.weights not in (PUBLISHED, RANDOM):
        tensors = read_weights(spec.folder / spec.weights)
    options = dict(spec.options)
    network = _called(spec, make, options)
    if tensors is None:
        return replace(plain, network=network)
    source = Path(spec.weights).name
    tensors = fitted(tensors, network.state_dict())
    count = classes_of(tensors, network.state_dict())
    labels = plain.labels
    if count is not None and not spec.runs_code:
        network, labels = _called(spec, make, {**options, "num_classes": count}), ()
    fill_network(network, tensors, source)
    return replace(plain, network=network, labels=labels)


def _called(spec: NetworkSpec, make: Make, options: Mapping[str, Any]) -> nn.Module:
    try:
        network = make(**options)
    except A2Error:
        raise
    except Exception as error:  # of somebody else's function: anything
        raise NetworkError(
            "{source} could not be made: {fault}: {why}.",
            source=spec.source,
            fault=type(error).__name__,
            why=first_line(error),
        ) from error
    if not isinstance(network, nn.Module):
        raise NetworkError(
            "{source} returned a {kind}, no torch network.", source=spec.source, kind=type(network).__name__
        )
    return network


def _known(name: str, num_classes: int | None = None) -> nn.Module:
    """One of our table, with random weights."""
    trunk = BACKBONES[name]
    network = trunk.make(name, False)
    if num_classes is not None:
        put_classifier(network, (trunk.classifier,), num_classes)
    return network


# ---- timm

# By which its Transformers take pictures of any size; each knows one of them or none.
_ANY_SIZE: tuple[dict[str, Any], ...] = ({"dynamic_img_size": True}, {"strict_img_size": False})


def _timm(name: str, published: bool) -> tuple[Make, Backbone]:
    import timm

    if not timm.is_model(name.partition(".")[0]):
        raise NetworkError(
            "timm has no network {name!r}. {hint}", name=name, hint=_nearest(name, timm.list_models())
        )
    config = timm.get_pretrained_cfg(name)
    shape = config.input_size if config else (3, 224, 224)
    wanted = InputSpec()
    if config:
        how = _interpolation(config.interpolation)
        wanted = InputSpec(tuple(config.mean), tuple(config.std), usual_px=shape[1], interpolation=how)

    def make(**options: Any) -> nn.Module:
        for asked in _ANY_SIZE:
            with contextlib.suppress(TypeError), torch.device("meta"):
                timm.create_model(name, **{**asked, **options})
                options = {**asked, **options}
                break
        if not published:
            return timm.create_model(name, **options)
        try:
            with _offline_at_once():
                return timm.create_model(name, pretrained=True, **options)
        except _DOWNLOAD_FAULTS as error:
            raise _no_download(f"timm/{name}", error) from error

    labels = imagenet_labels() if config and config.num_classes == 1000 else ()
    return make, Backbone(nn.Identity(), wanted.for_channels(shape[0]), labels)


@contextlib.contextmanager
def _offline_at_once() -> Iterator[None]:
    """While open, a machine without a network is told so at once; the hub tries for most of a minute.

    What was downloaded before is still found.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    if not urllib.request.getproxies():
        try:
            socket.getaddrinfo(urllib.parse.urlsplit(constants.ENDPOINT).hostname, 443)
        except OSError:
            constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


# ---- torchvision


def _torchvision(name: str, published: bool) -> tuple[Make, Backbone]:
    from torchvision.models import get_model_builder, get_model_weights, list_models

    try:
        builder = get_model_builder(name)
    except ValueError as error:
        raise NetworkError(
            "torchvision has no network {name!r}. {hint}", name=name, hint=_nearest(name, list_models())
        ) from error
    best = next(iter(get_model_weights(name)), None)
    detects = builder.__module__.startswith("torchvision.models.detection")
    wanted, labels = InputSpec(), tuple[str, ...]()
    if best is not None:
        best = getattr(get_model_weights(name), "DEFAULT", best)
        look = best.transforms()
        if hasattr(look, "mean"):
            side = getattr(look, "crop_size", [wanted.usual_px])[0]
            how = _interpolation(getattr(look, "interpolation", ""))
            wanted = InputSpec(tuple(look.mean), tuple(look.std), usual_px=side, interpolation=how)
        told = best.meta.get("categories", ())
        labels = imagenet_labels() if len(told) == 1000 else ()
    if detects:  # they standardise pictures themselves, and enlarge small ones
        wanted = InputSpec((0.0,) * 3, (1.0,) * 3)

    def make(**options: Any) -> nn.Module:
        given = {"weights": best if published else None, **options}
        if not published and "weights_backbone" in inspect.signature(builder).parameters:
            given.setdefault("weights_backbone", None)
        try:
            return builder(**given)
        except _DOWNLOAD_FAULTS as error:
            if not published:
                raise
            raise _no_download(f"torchvision/{name}", error) from error

    return make, Backbone(nn.Identity(), wanted, labels)


# ---- somebody's function


def _function(spec: NetworkSpec) -> Make:
    module, _, function = spec.source.partition(":")
    folder = spec.folder / spec.code
    with _importable(folder):
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name and not module.startswith(error.name):
                raise NetworkError(
                    "{module} needs {missing}, which is not installed.", module=module, missing=error.name
                ) from error
            raise NetworkError(
                "There is no module {module!r} in {folder} or among what is installed. Start where it "
                "lies, or install it.",
                module=module,
                folder=folder.resolve(),
            ) from error
        except Exception as error:  # of somebody else's module: anything
            raise NetworkError(
                "{module} cannot be imported: {fault}: {why}.",
                module=module,
                fault=type(error).__name__,
                why=first_line(error),
            ) from error
    make = getattr(found, function, None)
    if not callable(make):
        raise NetworkError(
            "{module} has no function {function!r}. {hint}",
            module=module,
            function=function,
            hint=_nearest(function, dir(found)),
        )
    return make


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """While open, modules in `folder` and in the current one can be imported."""
    added = [os.fspath(folder.resolve()), os.fspath(Path.cwd())]
    sys.path[:0] = added
    try:
        yield
    finally:
        for path in added:
            sys.path.remove(path)


# ---- words


def _no_download(source: str, error: BaseException) -> NetworkError:
    return NetworkError(
        "The published weights of {source} could not be downloaded ({why}). Go online once, or "
        "name a file of them, {source}@FILE.safetensors, or take random ones, {source}@random.",
        source=source,
        why=first_line(error),
    )


def _interpolation(told: Any) -> str:
    """A library's word for how pictures are made smaller, where it is one of ours."""
    word = str(getattr(told, "value", told))
    return word if word in ("bilinear", "bicubic") else ""


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if not near:
        return "See its documentation for names."
    return sentence("The nearest are {names}.", names=", ".join(map(repr, near)))
