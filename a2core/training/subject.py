"""The network that blocks are trained in: what training has to know of it, whatever it is.

Of our own it stands in the table, of any other it is found by running it. What a card and a specification say
of it is written here too, the same for both ways of training.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from a2core.checkpoints import read_card, write_atomically
from a2core.errors import NetworkError, TrainingError
from a2core.load import checkpoint_in
from a2core.networks.backbones import BACKBONES, DEFAULT_TRUNK, SHORT_NAME
from a2core.networks.classifier import find_classifier
from a2core.networks.layout import Layout
from a2core.networks.looked import look_over
from a2core.networks.spec import PUBLISHED, RANDOM, InputSpec, NetworkSpec, read_spec
from a2core.tracing.model_of import labels_for


@dataclass(frozen=True)
class Subject:
    """The network that blocks are trained in, as far as training has to know it.

    Attributes:
        source: as a card names it.
        title: what its checkpoints are called after.
        sites: where blocks stand: module, channels, layout.
        input: the pictures that it takes.
        classes: 0 where it answers with something else.
        weights: of a file of weights, its content's hash; "" where its name says which they are.
        is_random: whether its weights are.
        classifier: the modules that make its logits, where it is not of our table and was asked for.
    """

    source: str
    title: str
    sites: Mapping[str, tuple[int, Layout]]
    input: InputSpec
    classes: int
    weights: str = ""
    is_random: bool = False
    classifier: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it stands in our table."""
        return self.source in BACKBONES

    def layouts(self) -> dict[str, Any]:
        """{"layouts": …} of an architecture, where modules do not put channels first; else nothing."""
        told = {name: asdict(layout) for name, (_, layout) in self.sites.items() if layout != Layout()}
        return {"layouts": told} if told else {}

    def told(self, sizes_px: Sequence[int], init: str | None) -> dict[str, Any]:
        """What a card says of its input, and of how the blocks began: at zero, or as in `init`."""
        begun = "at zero: before training, the network answered as without them"
        return {
            "squares": ", ".join(f"{size} px" for size in sizes_px),
            "mean": [round(value, 4) for value in self.input.mean],
            "std": [round(value, 4) for value in self.input.std],
            "blocks started": begun if init is None else f"as in {Path(init).stem}",
            **({"file of weights, sha256": self.weights} if self.weights else {}),
        }


def subject(
    network: str | None, at: Sequence[str] = (), *, from_scratch: bool = False, to_classify: bool = False
) -> Subject:
    """What training has to know of a network: of our own from the table, of any other by running it.

    Args:
        network: its name or specification; our own default where none is given.
        at: modules behind which blocks stand; else those of its specification, else the usual sites.
        from_scratch: its weights are not wanted, and so not downloaded.
        to_classify: it is to get other classes.

    Raises:
        NetworkError: a network that cannot be had, modules that are no sites, labels of another number than
            its classes, or, to classify, one that cannot.
    """
    name = network or DEFAULT_TRUNK
    if name in BACKBONES and not at:
        trunk = BACKBONES[name]
        sites = {place: (site.channels, Layout()) for place, site in trunk.sites.items()}
        if sites:
            title = SHORT_NAME if name == DEFAULT_TRUNK else name
            return Subject(name, title, sites, trunk.input, len(trunk.labels()), is_random=from_scratch)
    spec = read_spec(name)
    _check_is_whole(spec)
    if from_scratch:
        spec = replace(spec, weights=RANDOM)
    looked = look_over(spec)
    labels_for(looked.tried, looked.labels)
    sites = {site.module: (site.channels, site.layout) for site in looked.places(at or spec.at)}
    file = spec.folder / spec.weights
    return Subject(
        name,
        re.sub(r"[^\w.-]+", "-", spec.name or spec.source.rpartition("/")[2]),
        sites,
        looked.tried.input,
        looked.tried.classes,
        weights=hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else "",
        is_random=spec.weights == RANDOM,
        classifier=find_classifier(looked.network, looked.tried)
        if to_classify and name not in BACKBONES
        else (),
    )


def _check_is_whole(spec: NetworkSpec) -> None:
    """Refuse a specification of a network that was fine-tuned: its weights are in its checkpoint."""
    if not spec.blocks:
        return
    checkpoint = checkpoint_in(spec)
    card = read_card(checkpoint)
    if card.trunk == "own" or card.labels is not None:
        raise NetworkError(
            f"{spec.title} was fine-tuned, and its weights are in its checkpoint. To go on from there, give "
            f"the network that it was made of, --network {card.backbone}, and --init {checkpoint}."
        )


def sides_px(
    takes: InputSpec, wanted: Sequence[int] | None, usual: Sequence[int], *, option: str, least: int
) -> tuple[int, ...]:
    """Sides of the squares that photos are made: those `wanted`, else the `usual` ones, made to fit.

    Raises:
        TrainingError: one that the network does not take, or below `least`; a network that takes no squares.
    """
    if takes.fixed_px is not None:
        height, width = takes.fixed_px
        if height != width:
            raise TrainingError(
                f"This network takes {width} × {height} pixels only, and photos are made squares here. Make "
                "it for squares."
            )
        if wanted and set(wanted) != {height}:
            raise TrainingError(f"This network takes {width} × {height} pixels only: leave {option} out.")
        return (height,)
    step = takes.multiple_px
    if not wanted:
        return tuple(max(1, round(side / step)) * step for side in usual)
    wrong = [size for size in wanted if size < least or size % step]
    if wrong:
        examples = dict.fromkeys(max(1, round(side / step)) * step for side in usual)
        raise TrainingError(
            f"{option} {wrong[0]} is no multiple of {step} from {least} on, as this network needs. Use for "
            f"example {' '.join(map(str, examples))}."
        )
    return tuple(wanted)


def write_spec(source: str, checkpoint: Path) -> Path:
    """A specification of somebody's network with what was trained, beside the checkpoint.

    A network that was trained whole needs no other file of weights any more.
    """
    spec, card = read_spec(source), read_card(checkpoint)
    weights = RANDOM if card.trunk == "own" else spec.weights
    labels = spec.labels if card.labels is None else card.labels
    told: dict[str, Any] = {"source": spec.source, "name": checkpoint.stem, "blocks": checkpoint.name}
    if weights not in (PUBLISHED, RANDOM):
        told["weights"] = os.path.relpath(spec.folder / weights, checkpoint.parent)
    elif weights == RANDOM:
        told["weights"] = RANDOM
    if spec.runs_code:
        told["code"] = os.path.relpath(spec.folder / spec.code, checkpoint.parent)
    told |= {"options": dict(spec.options)} if spec.options else {}
    told |= {"labels": list(labels)} if labels else {}
    told |= {"mean": list(spec.mean), "std": list(spec.std)} if spec.mean and spec.std else {}
    told |= {"size": list(spec.size_px)} if spec.size_px else {}
    path = checkpoint.with_name(f"{checkpoint.stem}-network.json")
    write_atomically(path, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())
    return path
