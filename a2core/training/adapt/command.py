"""`python -m a2core train`, adapting: from folders of photos to a checkpoint with its card.

With Imagenette and Caltech-101 in `photos/`, the shipped checkpoints are made by

    python -m a2core train photos/imagenette/train photos/caltech101/train --limit 2000

those of any other network with `--network NAME`, the rivals with `--kind KIND`, and the blocks for clips by
going on from there on clips made of the photos; each one's card holds its command. Features are cached once
for all that look at the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from a2core.blocks.registry import DOUBLE_ATTENTION, block_settings
from a2core.checkpoints import write_atomically
from a2core.errors import NetworkError, TrainingError
from a2core.networks.backbones import BACKBONES, DEFAULT_TRUNK, SHORT_NAME, teachers_of
from a2core.networks.devices import pick_device
from a2core.networks.layout import Layout
from a2core.networks.sites import find_sites, site_at, usual_sites
from a2core.networks.sources import build, needs_word
from a2core.networks.spec import PUBLISHED, RANDOM, InputSpec, read_spec
from a2core.networks.tried import try_network
from a2core.training.adapt.cache import Cache
from a2core.training.adapt.run import Adaptation
from a2core.training.adapt.settings import AdaptSettings
from a2core.training.adapt.targets import CacheSettings
from a2core.training.photos.found import find_photos
from a2core.training.state import disk_errors, given, source_names

CACHE = Path(".cache/features")
# Options of the command that settings of the same name take.
SETTINGS = ("attention_steps", "prediction_steps", "batch_size", "learning_rate", "seed")
PRIMITIVES = (64, 256)  # of the blocks before the last, and of the last, coarsest one
SMALLEST_PX = 160


@dataclass(frozen=True)
class Subject:
    """The network that blocks are trained for, as far as training has to know it.

    Attributes:
        source: as a card names it.
        title: what its checkpoints are called after.
        sites: where blocks stand: module, channels, layout.
        input: the pictures that it takes.
        classes: 0 where it answers with something else.
        weights: of a file of weights, its content's hash; "" where its name says which they are.
    """

    source: str
    title: str
    sites: Mapping[str, tuple[int, Layout]]
    input: InputSpec
    classes: int
    weights: str = ""

    @property
    def known(self) -> bool:
        """Whether it stands in our table."""
        return self.source in BACKBONES


def subject(network: str | None, at: Sequence[str]) -> Subject:
    """What training has to know of a network: of our own from the table, of any other by running it.

    Raises:
        NetworkError: a network that cannot be had, or modules that are no sites.
    """
    name = network or DEFAULT_TRUNK
    if name in BACKBONES and not at:
        trunk = BACKBONES[name]
        sites = {place: (site.channels, Layout()) for place, site in trunk.sites.items()}
        if sites:
            title = SHORT_NAME if name == DEFAULT_TRUNK else name
            return Subject(name, title, sites, trunk.input, len(trunk.labels()))
    spec = read_spec(name)
    made, cpu = build(spec), torch.device("cpu")
    with torch.no_grad():
        tried = try_network(made.network, cpu, made.input)
        found = find_sites(made.network, tried.input, cpu, at)
    chosen = [site_at(found, place) for place in at] or usual_sites(found)
    if not chosen:
        raise NetworkError(
            f"{spec.title} has no module that returns a grid over the picture: nothing to adapt."
        )
    order = [site.module for site in found]
    chosen = sorted(chosen, key=lambda site: order.index(site.module))
    file = spec.folder / spec.weights
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else ""
    title = re.sub(r"[^\w.-]+", "-", spec.name or spec.source.rpartition("/")[2])
    sites = {site.module: (site.channels, site.layout) for site in chosen}
    return Subject(name, title, sites, tried.input, tried.classes, digest)


def architecture(of: Subject, primitives: Sequence[int], kind: str = DOUBLE_ATTENTION) -> dict[str, Any]:
    """The network with blocks of a kind at its sites, as a card holds it.

    `primitives` of each block; rivals have none and come in one size.

    Raises:
        TrainingError: not as many as there are blocks.
    """
    if len(primitives) != len(of.sites):
        raise TrainingError(
            f"--primitives gives {len(primitives)} numbers for {len(of.sites)} blocks. Give one each."
        )
    own = [{"c_n": n} if kind == DOUBLE_ATTENTION else {} for n in primitives]
    blocks = {
        name: block_settings(kind, channels, **settings)
        for (name, (channels, _)), settings in zip(of.sites.items(), own, strict=True)
    }
    layouts = {name: asdict(layout) for name, (_, layout) in of.sites.items() if layout != Layout()}
    return {"backbone": of.source, "blocks": blocks} | ({"layouts": layouts} if layouts else {})


def train(args: argparse.Namespace, *, command: str) -> int:
    """Cache the features, adapt the blocks, write the checkpoint and its card into the run's folder.

    Raises:
        TrainingError: no photos, sizes that do not fit the network, a full disk, divergence, a run of
            other settings in --out, or another architecture in --init.
        NetworkError: a network or teacher that cannot be had, or a device that there is not.
    """
    of = subject(args.network, args.at or ())
    if args.frames is not None and args.frames < 1:
        raise TrainingError(f"--frames {args.frames} leaves nothing to look at. Give 1 or more.")
    kind = args.kind.replace("-", "_")
    name = args.name or f"{'a2' if kind == DOUBLE_ATTENTION else args.kind}-{of.title}"
    out = args.out or Path("runs") / name
    cached: dict[str, Any] = {
        "trunk": of.source,
        "teacher": teacher_of(of, args.teacher),
        "taps": tuple(of.sites),
        "sizes_px": sizes_px(of.input, args.sizes),
        "weights": of.weights,
    }
    cached |= {"frames": args.frames} if args.frames else {}
    steps = given(args, SETTINGS)
    if of.classes == 0:
        steps["prediction_steps"] = 0
        print("note: this network answers without classes; its blocks learn where to look, its answers stay.")
    primitives = args.primitives or [PRIMITIVES[0]] * (len(of.sites) - 1) + [PRIMITIVES[1]]
    settings = AdaptSettings(architecture=architecture(of, primitives, kind), **steps)
    photos = find_photos(args.photos, limit=args.limit)
    device = pick_device(args.device or "auto")
    cache = Cache(args.cache or CACHE, photos, CacheSettings(**cached), device=device)
    print(f"{len(photos)} photos; features in {cache.folder}; on {device.type}")
    if outdated := cache.outdated():
        names = ", ".join(path.name for path in outdated)
        print(
            f"note: in {cache.folder.parent}, {names} of an older version "
            "took photos of one name and size for one. Features are computed anew; delete the old ones."
        )
    cache.build()
    run = Adaptation(cache, settings, out, init=args.init)
    with disk_errors(out):
        run.run()
        path = run.write_checkpoint(out / f"{name}.safetensors", card_of(run, args, kind, command))
        if needs_word(of.source):
            print(f"wrote {write_spec(of.source, path)}: what --network and NETWORKS take")
    if cache.skipped.reasons:
        print(cache.skipped.summary())
    print(f"wrote {path}")
    return 0


def teacher_of(of: Subject, wanted: str | None) -> str:
    """Whose predictions are followed: a larger network of the same kind where we have one, else its own.

    Raises:
        TrainingError: one whose features are taken elsewhere.
    """
    teachers = teachers_of(of.source) if of.known else (of.source,)
    if wanted not in (None, *teachers):
        raise TrainingError(
            f"{wanted!r} cannot teach here: its features are taken where the trunk's are. "
            f"Choose one of {', '.join(teachers)}."
        )
    return wanted or teachers[-1]


def sizes_px(takes: InputSpec, wanted: Sequence[int] | None) -> tuple[int, ...]:
    """Sides of the squares that photos are made.

    Raises:
        TrainingError: one that the network does not take.
    """
    if takes.fixed_px is not None:
        height, width = takes.fixed_px
        if height != width or (wanted and set(wanted) != {height}):
            raise TrainingError(f"This network takes {width} × {height} pixels only: leave --sizes out.")
        return (height,)
    step = takes.multiple_px
    if not wanted:
        return tuple(max(1, round(side / step)) * step for side in CacheSettings().sizes_px)
    wrong = [size for size in wanted if size < SMALLEST_PX or size % step]
    if wrong:
        raise TrainingError(
            f"--sizes {wrong[0]} is no multiple of {step} from {SMALLEST_PX} on. Use for example "
            f"{12 * step} {18 * step}."
        )
    return tuple(wanted)


def write_spec(source: str, checkpoint: Path) -> Path:
    """A specification of somebody's network with the trained blocks, beside the checkpoint."""
    spec = read_spec(source)
    told: dict[str, Any] = {"source": spec.source, "name": checkpoint.stem, "blocks": checkpoint.name}
    if spec.weights not in (PUBLISHED, RANDOM):
        told["weights"] = os.path.relpath(spec.folder / spec.weights, checkpoint.parent)
    elif spec.weights == RANDOM:
        told["weights"] = RANDOM
    told |= {"options": dict(spec.options)} if spec.options else {}
    told |= {"labels": list(spec.labels)} if spec.labels else {}
    told |= {"mean": list(spec.mean), "std": list(spec.std)} if spec.mean and spec.std else {}
    told |= {"size": list(spec.size_px)} if spec.size_px else {}
    path = checkpoint.with_name(f"{checkpoint.stem}-network.json")
    write_atomically(path, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def card_of(run: Adaptation, args: argparse.Namespace, kind: str, command: str) -> dict[str, Any]:
    """What the checkpoint's card says of a finished run."""
    return {
        "trained": {
            "what": f"the {kind.replace('_', ' ')} blocks; the network that they stand in is frozen",
            "photos": len(run.cache.photos),
            **({"frames": args.frames} if args.frames else {}),
            "sources": source_names(args.photos),
            "command": command,
            "seed": args.seed,
            "steps": run.total_steps,
            "wall_s": round(run.elapsed_s),
            "ran on": run.cache.device.type,
            "loss": round(run.last["loss"], 5),
        },
        "metrics": {},
        "limits": (
            "Maps on pictures unlike the photos it was trained on (drawings, microscopy, text) are "
            "extrapolation."
        ),
    }
