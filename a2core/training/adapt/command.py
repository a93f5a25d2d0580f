"""`python -m a2core train`, adapting: from folders of photos to a checkpoint with its card.

With 2,400 ordinary photos of anything in `photos/`, the shipped checkpoints are made by

    python -m a2core train photos --limit 2400

those of any other network with `--network NAME`, the rivals with `--kind KIND`, and the blocks for clips by
going on from there on clips made of the photos; each one's card holds its command. Features are cached once
for all that look at the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from a2core.blocks.registry import DOUBLE_ATTENTION, block_settings, settings_as_large
from a2core.checkpoints import find_checkpoint, read_card
from a2core.errors import TrainingError
from a2core.networks.backbones import teachers_of
from a2core.networks.devices import pick_device
from a2core.networks.sources import needs_word
from a2core.training.adapt.answers import Answers, AnswerSettings, native_sizes, short_sides
from a2core.training.adapt.cache import Cache
from a2core.training.adapt.kept import Kept
from a2core.training.adapt.run import Adaptation
from a2core.training.adapt.settings import AdaptSettings
from a2core.training.adapt.targets import CacheSettings
from a2core.training.photos.found import check_kept_apart, find_photos
from a2core.training.photos.labelled import find_labelled, find_listed, is_listed
from a2core.training.state import disk_errors, given, source_names
from a2core.training.subject import Subject, sides_px, subject, write_spec

CACHE = Path(".cache/features")
# Options of the command that settings of the same name take.
SETTINGS = ("attention_steps", "prediction_steps", "batch_size", "learning_rate", "seed", "keep")
PRIMITIVES = (64, 256)  # of the blocks before the last, and of the last, coarsest one
SMALLEST_PX = 160


def architecture(of: Subject, primitives: Sequence[int], kind: str = DOUBLE_ATTENTION) -> dict[str, Any]:
    """The network with blocks of a kind at its sites, as a card holds it.

    `primitives` of each block; rivals have none and come as large as double attention with so many.

    Raises:
        TrainingError: not as many as there are blocks.
    """
    if len(primitives) != len(of.sites):
        raise TrainingError(
            f"--primitives gives {len(primitives)} numbers for {len(of.sites)} blocks. Give one each."
        )
    blocks = {
        name: settings_as_large(kind, block_settings(DOUBLE_ATTENTION, channels, c_n=n))
        for (name, (channels, _)), n in zip(of.sites.items(), primitives, strict=True)
    }
    return {"backbone": of.source, "blocks": blocks, **of.layouts()}


def as_begun(described: Mapping[str, Any], init: str) -> dict[str, Any]:
    """The architecture with blocks of the sizes that they have in the checkpoint `init`.

    Only where that has the same kinds of block at the same places; else as it was, to be refused later.

    Raises:
        CheckpointError: there is no such checkpoint.
    """
    ours, theirs = described["blocks"], read_card(find_checkpoint(init)).blocks
    alike = [
        (name, settings.get("kind", DOUBLE_ATTENTION), settings["in_channels"])
        for name, settings in ours.items()
    ] == [
        (name, settings.get("kind", DOUBLE_ATTENTION), settings["in_channels"])
        for name, settings in theirs.items()
    ]
    return {**described, "blocks": dict(theirs)} if alike else dict(described)


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
        "sizes_px": sides_px(
            of.input, args.sizes, CacheSettings().sizes_px, option="--sizes", least=SMALLEST_PX
        ),
        "weights": of.weights,
    }
    cached |= {"frames": args.frames} if args.frames else {}
    cached |= {"answers": of.classes > 0}
    steps = given(args, SETTINGS)
    if of.classes == 0:
        steps["prediction_steps"] = 0
        print("note: this network answers without classes; its blocks learn where to look, its answers stay.")
    primitives = args.primitives or [PRIMITIVES[0]] * (len(of.sites) - 1) + [PRIMITIVES[1]]
    described = architecture(of, primitives, kind)
    if args.init and not args.primitives:
        described = as_begun(described, args.init)
    settings = AdaptSettings(architecture=described, **steps)
    photos = find_photos(args.photos, limit=args.limit)
    for folder in map(Path, args.val or ()):
        apart = find_listed(folder) if is_listed(folder) else find_labelled([str(folder)])
        check_kept_apart(photos, apart.photos)
    device = pick_device(args.device or "auto")
    kept = args.cache or CACHE
    looking = CacheSettings(**cached)
    cache, answers = kept_for(settings, looking, of, photos, kept, device)
    parts = [part for part in (cache, answers) if part is not None]
    print(
        f"{len(photos)} photos; kept in {kept}: {', '.join(p.folder.name for p in parts)}; on {device.type}"
    )
    for note in notes(photos, args.limit, looking.sizes_px if cache is not None else (), parts[0]):
        print(f"note: {note}")
    for part in parts:
        part.build()
    run = Adaptation(cache, answers, settings, out, init=args.init)
    with disk_errors(out):
        run.run()
        path = run.write_checkpoint(out / f"{name}.safetensors", card_of(run, looking, of, args, command))
        if needs_word(of.source):
            print(f"wrote {write_spec(of.source, path)}: what --network and NETWORKS take")
    if parts[0].skipped.reasons:
        print(parts[0].skipped.summary())
    for folder in args.val or ():
        print(f"what it costs: python -m a2core evaluate {path} --photos {folder} --half chosen")
    print(f"wrote {path}")
    return 0


def notes(photos: Sequence[Path], limit: int | None, sizes_px: Sequence[int], kept: Kept) -> Iterator[str]:
    """What somebody who trains should know of the photos, and of what is kept of them."""
    if limit and limit > len(photos):
        yield f"--limit {limit} asks for more photos than there are: all {len(photos)} are used."
    largest, sides = max(sizes_px, default=0), short_sides(photos) if sizes_px else []
    if small := sum(side < largest for side in sides):
        yield (
            f"{small} of {len(sides)} photos looked into are smaller than {largest} pixels and enlarged to "
            "learn where to look. Lower --sizes to see them as they are."
        )
    if outdated := kept.outdated():
        names = ", ".join(path.name for path in outdated)
        yield (
            f"in {kept.folder.parent}, {names} of an older version cannot be used any more. Features are "
            "computed anew; delete the old ones."
        )


def kept_for(
    settings: AdaptSettings,
    looking: CacheSettings,
    of: Subject,
    photos: Sequence[Path],
    folder: Path,
    device: torch.device,
) -> tuple[Cache | None, Answers | None]:
    """What each phase learns from, below `folder`, not built yet; None of a phase without steps.

    Raises:
        TrainingError: neither has any, or the photos are too small to learn to answer from.
    """
    cache = Cache(folder, photos, looking, device=device) if settings.attention_steps else None
    if not settings.prediction_steps:
        if cache is None:
            raise TrainingError(
                "Neither --attention-steps nor --prediction-steps leaves a step. Leave one out."
            )
        return cache, None
    asked = AnswerSettings(
        of.source,
        looking.teacher,
        looking.taps[0],
        native_sizes(photos, of.input),
        enlarge=of.input.fixed_px is not None,
        frames=looking.frames,
        weights=of.weights,
    )
    return cache, Answers(folder, photos, asked, device=device)


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


def card_of(
    run: Adaptation, looking: CacheSettings, of: Subject, args: argparse.Namespace, command: str
) -> dict[str, Any]:
    """What the checkpoint's card says of a finished run."""
    settings = run.settings
    attention = {
        tap: {loss: weight for loss, weight in weights.items() if f"{tap}/{loss}" in run.last}
        for tap, weights in run.weights.items()
    }  # a block without attention is taught none
    losses: dict[str, Any] = {**attention, "rebuilding": settings.weight_rebuild} if attention else {}
    told: dict[str, Any] = {}
    left: set[str] = set()  # what is told of a first phase
    if run.answers is not None:
        losses |= {"predictions": settings.weight_predict, "bound": settings.weight_bound}
        told["answers"] = answers_told(run)
    elif attention:
        losses["predictions"] = 0
    if run.init is not None and not attention:
        left = {"squares", "blocks started"}
        told["attention"] = f"as in {Path(run.init).stem}, which was trained by {_command_of(run.init)}"
    return {
        "trained": {
            "what": f"the {args.kind.replace('-', ' ')} blocks; the network that they stand in is frozen",
            **{key: value for key, value in of.told(looking.sizes_px, args.init).items() if key not in left},
            **told,
            "teacher": "the network itself" if looking.teacher == of.source else looking.teacher,
            "losses": losses,
            "photos": run.photos,
            **({"frames": args.frames} if args.frames else {}),
            "sources": source_names(args.photos),
            "command": command,
            "seed": args.seed,
            "steps": run.total_steps,
            "wall_s": round(run.elapsed_s),
            "ran on": run.device.type,
            "loss": round(run.last["loss"], 5),
        },
        "metrics": {},
        "limits": (
            "Maps on pictures unlike the photos it was trained on (drawings, microscopy, text) are "
            "extrapolation."
        ),
    }


def _command_of(checkpoint: str) -> str:
    """How the attention of a checkpoint was trained, as its card has it."""
    trained = read_card(find_checkpoint(checkpoint)).entries.get("trained", {})
    return str(trained.get("attention") or trained.get("command") or "an unknown command")


def answers_told(run: Adaptation) -> str:
    """How the blocks were taught to answer, in a sentence for the card."""
    assert run.answers is not None, "asked of runs that were"
    settings, sizes = run.settings, ", ".join(f"{size} px" for size in run.answers.sizes_px)
    enlarged = "" if run.answers.settings.enlarge else ", never enlarged"
    return (
        f"windows of photos{enlarged}, seen at {sizes}; {settings.teacher_share:.0%} the teacher's answers, "
        "the rest the plain network's, each at its own size; where both name one class it was not to lose"
    )
