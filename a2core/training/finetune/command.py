"""`python -m a2core train --mode fine-tune`: from labelled folders to a checkpoint and its card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from a2core.networks.paper import PAPER_NETWORKS
from a2core.networks.sources import needs_word
from a2core.training.finetune.run import FineTuning
from a2core.training.finetune.settings import FineTuneSettings, architecture, of_recipe, subject_to_tune
from a2core.training.finetune.team import Team
from a2core.training.photos.found import check_kept_apart
from a2core.training.photos.labelled import find_labelled, held_out
from a2core.training.state import disk_errors, given, source_names
from a2core.training.subject import Subject, sides_px, write_spec

# Options of the command that settings of the same name take.
SETTINGS = ("epochs", "batch_size", "learning_rate", "seed")
HELD_OUT = 0.1  # of the photos, for validation, when none are given
SMALLEST_PX = 32


def train(args: argparse.Namespace, *, command: str) -> int:
    """Fine-tune, from labelled photos to a checkpoint with its card in the run's folder.

    Raises:
        TrainingError: no photos, one class only, a size that the network does not take, another
            architecture in --init, a full disk, divergence, a run of other settings in --out, or processes
            that cannot share the work.
        NetworkError: a device, or a network, that cannot be had, or one that cannot have other classes.
    """
    of = subject_to_tune(args.network, args.at or (), from_scratch=args.from_scratch)
    kind, chosen = args.kind.replace("-", "_"), given(args, SETTINGS)
    title = of.source if of.known else of.title
    batch_size = chosen.get("batch_size", FineTuneSettings.batch_size)
    name = args.name or (title if of.source in PAPER_NETWORKS else f"{title}-{args.kind}")
    out = args.out or Path("runs") / name
    wanted = None if args.size is None else [args.size]
    (size_px,) = sides_px(of.input, wanted, [FineTuneSettings.size_px], option="--size", least=SMALLEST_PX)
    split = given(args, ("accumulate", "workers"))
    team = Team.join(args.device or "auto")
    try:
        labelled = find_labelled(args.photos)
        left_out = labelled.left_out
        if args.val:
            val = find_labelled(args.val, classes=labelled.classes)
            left_out += val.left_out
            check_kept_apart(labelled.photos, val.photos)
        else:
            labelled, val = held_out(labelled, HELD_OUT, args.seed)
        settings = FineTuneSettings(
            architecture=architecture(of, kind, labelled.classes, freeze_trunk=args.freeze_trunk),
            from_scratch=of.is_random,
            freeze_trunk=args.freeze_trunk,
            size_px=size_px,
            weights=of.weights,
            **{**of_recipe(args.recipe or "adamw", batch_size), **chosen},
        )
        run = FineTuning(labelled, val, settings, out, team=team, init=args.init, **split)
        leads = team.rank == 0
        if leads:
            print(
                f"{len(labelled.photos)} photos of {len(labelled.classes)} classes, {len(val.photos)} to "
                f"validate; {of.source} on {team.size} × {team.device.type}, {run.total_steps} steps"
            )
            if left_out:
                print(f"{left_out} photos that lie in no class's folder are left out")
        with disk_errors(out):
            run.run()
        if leads:
            with disk_errors(out):
                path = run.write_checkpoint(out / f"{name}.safetensors", card_of(run, of, args, command))
                if needs_word(of.source):
                    print(f"wrote {write_spec(of.source, path)}: what --network and NETWORKS take")
            for reader in (run.train, run.val):
                if reader.skipped.reasons:
                    print(reader.skipped.summary())
            print(f"validation top-1 {run.history[-1]['top-1']:.1%}; wrote {path}")
    finally:
        team.leave()
    return 0


def card_of(run: FineTuning, of: Subject, args: argparse.Namespace, command: str) -> dict[str, Any]:
    """What the checkpoint's card says of a finished run."""
    settings, train, val = run.settings, run.train.labelled, run.val.labelled
    if settings.freeze_trunk:
        what = "the blocks and the classifier; the trunk is frozen and stays as it was"
    else:
        what = f"the whole network, from {_start(of)}; all of its tensors are in the file"
    return {
        "trained": {
            "what": what,
            **of.told([settings.size_px], args.init),
            "losses": "cross-entropy of the labels",
            "recipe": settings.recipe,
            "photos": len(train.photos),
            "classes": len(train.classes),
            "sources": source_names(args.photos),
            "command": command,
            "seed": settings.seed,
            "epochs": settings.epochs,
            "steps": run.total_steps,
            "wall_s": round(run.elapsed_s),
            "loss": round(run.loss, 5),
            "ran on": f"{run.team.size} × {run.team.device.type}, {run.precision}",
        },
        "metrics": {
            "validation": {
                "measured on": f"{len(val.photos)} photos, squared at {settings.size_px} pixels, "
                + (
                    f"of {', '.join(source_names(args.val))}"
                    if args.val
                    else "held out of the training photos"
                ),
                "top-1": round(run.history[-1]["top-1"], 4),
                "by epoch": [round(entry["top-1"], 4) for entry in run.history],
            }
        },
        "limits": f"Knows {len(train.classes)} classes and was validated on photos of the same kind only.",
    }


def _start(of: Subject) -> str:
    """Which weights a run started from, in words."""
    if of.is_random:
        return "random weights"
    if of.weights:
        return "the weights of a file"
    return "the weights that it is made with" if needs_word(of.source) else "published weights"
