"""`python -m a2core cards`: what each primitive of a checkpoint is used for, written into its card.

Over photos of any kind, cropped nowhere: the five classes, as the network itself predicts them, whose
photos hand out most of the primitive, as far as so many photos can tell; what share of the cells its
gather map usually holds; where in the frame it tends to look, on a grid of 7×7; how often it is used.
Words and numbers only: no picture of anybody goes into a card.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from a2core.blocks.double_attention import DoubleAttention
from a2core.card import parse_card
from a2core.checkpoints import read_card, write_atomically
from a2core.errors import CheckpointError, TrainingError
from a2core.load import checkpoint_of, load_model
from a2core.tracing.model import Model
from a2core.training.evaluate.feature_maps import run_watched
from a2core.training.evaluate.measures import reach_share
from a2core.training.photos.found import find_photos
from a2core.training.photos.read import Skipped, read_photo, square
from a2core.training.subject import sides_px

SIZE_PX, SMALLEST_PX = 352, 64  # unless another is asked for; below it, maps are a few cells
FRAME = 7  # the frame is told in 7×7 fields
CLASSES = 5  # in the numbers of each primitive
FEWEST_PHOTOS = 5  # of a class that may be named
ERRORS = 2  # a class's mean is taken so many standard errors lower: few photos have to say it louder
DEAD_SHARE = 0.1  # of an equal share of ρ: below it a primitive counts as unused
BATCH = 16
NO_CLASS = -1


@dataclass
class Tally:
    """What a block's primitives did, one entry a photo."""

    use: list[Tensor] = field(default_factory=list)  # (n,) mean ρ
    reach: list[Tensor] = field(default_factory=list)  # (n,) share of N
    frame: list[Tensor] = field(default_factory=list)  # (n, 7, 7), each sums to 1


@dataclass(frozen=True)
class PrimitiveCard:
    """What is known of one primitive.

    `classes` holds (name, how many times the average photo's ρ its photos hand out, at least), best first;
    `use` is its mean ρ times n, 1 being an equal share; `reach` a share of N; `frame` (7, 7), sums to 1.
    """

    classes: tuple[tuple[str, float], ...]
    use: float
    reach: float
    frame: np.ndarray


def cards(args: argparse.Namespace) -> int:
    """Look at the photos, write one card a primitive into the checkpoint's card, print the first few.

    Raises:
        TrainingError: no photos, none that can be read, or no double attention in the checkpoint.
        CheckpointError: no such checkpoint, or a card that cannot be written.
    """
    path, model = checkpoint_of(args.checkpoint), load_model(args.checkpoint, device="cpu")
    wanted = None if args.size is None else [args.size]
    (size_px,) = sides_px(model.input, wanted, [SIZE_PX], option="--size", least=SMALLEST_PX)
    photos, skipped = find_photos(args.photos, limit=args.limit), Skipped()
    tallies, predicted = look(model, photos, size_px, skipped)
    written: dict[str, Any] = {}
    for name, tally in tallies.items():
        found, before = (
            primitive_cards(tally, predicted, model.labels),
            model.card.get("cards", {}).get(name, {}),
        )
        numbers = before.get("numbers", [])
        kept = numbers if len(numbers) == len(found) else [{}] * len(found)  # what `evaluate` wrote of each
        written[name] = {
            **before,
            "seen": f"{len(predicted)} photos at {size_px} pixels",
            "primitives": [sentence(card) for card in found],
            "numbers": [{**of, **_numbers(card)} for of, card in zip(kept, found, strict=True)],
        }
        print(f"\n{name}, {len(predicted)} photos")
        for index, card in list(enumerate(found))[:5]:
            print(f"  primitive {index}: {sentence(card)}")
    amend_card(path, {"cards": written})
    if skipped.reasons:
        print(skipped.summary())
    print(f"\nwrote {sum(len(of['primitives']) for of in written.values())} cards into {path.stem}.json")
    return 0


@torch.inference_mode()
def look(
    model: Model, photos: Sequence[Path], size_px: int, skipped: Skipped
) -> tuple[dict[str, Tally], np.ndarray]:
    """What every double attention block did on the photos, and the class predicted for each, (P,).

    Where the network answers without classes, that is NO_CLASS.

    Raises:
        TrainingError: no double attention, none of the photos can be read, or a block that cannot be
            looked into (`run_watched`).
    """
    tallies = {name: Tally() for name, block in model.blocks.items() if isinstance(block, DoubleAttention)}
    if not tallies:
        raise TrainingError(f"{model.name} has no double attention block, so no primitives to describe.")
    predicted: list[int] = []
    for start in tqdm(range(0, len(photos), BATCH), desc="photos", unit="batch", leave=False):
        batch = [read_photo(path, skipped) for path in photos[start : start + BATCH]]
        pictures = [square(photo, size_px) for photo in batch if photo is not None]
        if not pictures:
            continue
        read, logits = run_watched(model, np.stack(pictures))
        for name, tally in tallies.items():
            _note(tally, model.blocks[name], read[name])
        predicted += [NO_CLASS] * len(pictures) if model.answers_with else logits.argmax(dim=1).tolist()
    if not predicted:
        raise TrainingError(f"None of the {len(photos)} photos could be read. Give JPEG or PNG files.")
    return tallies, np.array(predicted)


def _note(tally: Tally, block: Any, x: Tensor) -> None:
    attended = block.attend(x)
    tally.use += list(attended.distribute.mean(dim=2))
    tally.reach += list(reach_share(attended.gather))
    tally.frame += list(in_fields(attended.gather.unflatten(2, x.shape[2:])))


def in_fields(maps: Tensor) -> Tensor:
    """Sums of maps (..., h, w) over 7×7 fields of equal size, cells on a border shared: (..., 7, 7)."""
    rows, cols = (_overlaps(size).to(maps) for size in maps.shape[-2:])
    return rows @ maps @ cols.T


def _overlaps(cells: int) -> Tensor:
    """(7, cells): the share of each cell that lies in each of 7 equal parts of them."""
    edges, parts = torch.arange(cells + 1) * FRAME, torch.arange(FRAME + 1) * cells
    low = torch.maximum(edges[None, :-1], parts[:-1, None])
    high = torch.minimum(edges[None, 1:], parts[1:, None])
    return (high - low).clamp_min(0) / FRAME


def primitive_cards(tally: Tally, predicted: np.ndarray, labels: Sequence[str]) -> list[PrimitiveCard]:
    """The cards of a block's primitives, in order; classes with fewer than 5 photos are never named.

    How much a class's photos hand out is their mean ρ less two standard errors: of hundreds of classes
    with a handful of photos each, some would come out on top by chance.
    """
    use, reach = torch.stack(tally.use).double().numpy(), torch.stack(tally.reach).numpy()  # (P, n)
    frame = torch.stack(tally.frame).mean(dim=0).numpy()  # (n, 7, 7)
    overall = use.mean(axis=0)
    classes, counts = np.unique(predicted, return_counts=True)
    classes = classes[(counts >= FEWEST_PHOTOS) & (classes != NO_CLASS)]
    lift = np.zeros((len(classes), use.shape[1]))
    for k, c in enumerate(classes):
        of_class = use[predicted == c]
        error = of_class.std(axis=0, ddof=1) / np.sqrt(len(of_class))
        lift[k] = (of_class.mean(axis=0) - ERRORS * error) / np.maximum(overall, 1e-12)
    found = []
    for i in range(use.shape[1]):
        best = [k for k in np.argsort(-lift[:, i], kind="stable")[:CLASSES] if lift[k, i] > 1]
        found.append(
            PrimitiveCard(
                classes=tuple((labels[classes[k]], float(lift[k, i])) for k in best),
                use=float(overall[i] * use.shape[1]),
                reach=float(np.median(reach[:, i])),
                frame=frame[i],
            )
        )
    return found


def sentence(card: PrimitiveCard) -> str:
    """One line for people: "Usually gathered left of centre".

    Of classes nothing is said: that a primitive shows up a little more often on neck braces than on others
    reads, on a face, as what it is. The card has the numbers.
    """
    usual = f"sually gathered {place(card.frame)}"
    return f"Hardly used; u{usual}" if card.use < DEAD_SHARE else f"U{usual}"


def place(frame: np.ndarray) -> str:
    """Where in the frame a 7×7 map lies, in words."""
    weight = frame / frame.sum()
    offset = (np.arange(FRAME) - FRAME // 2) / FRAME
    down, right = float(weight.sum(axis=1) @ offset), float(weight.sum(axis=0) @ offset)
    vertical = "top" if down < -0.06 else "bottom" if down > 0.06 else ""
    horizontal = "left" if right < -0.06 else "right" if right > 0.06 else ""
    if vertical and horizontal:
        return f"at the {vertical} {horizontal}"
    if vertical:
        return f"towards the {vertical}"
    if horizontal:
        return f"{horizontal} of centre"
    middle, rim = weight[2:5, 2:5].sum(), 1 - weight[1:-1, 1:-1].sum()
    if middle > 1.3 * 9 / 49:
        return "in the centre"
    return "around the edges" if rim > 1.15 * 24 / 49 else "anywhere in the frame"


def _numbers(card: PrimitiveCard) -> dict[str, Any]:
    return {
        "classes": {name: round(times, 2) for name, times in card.classes},
        "use": round(card.use, 3),
        "reach": round(card.reach, 4),
        "frame": [[round(float(value), 3) for value in row] for row in card.frame],
    }


def with_scores(
    cards: Mapping[str, Any], scores: Mapping[str, Mapping[str, Sequence[Any]]]
) -> dict[str, Any]:
    """The cards of a checkpoint's primitives with what was measured of each, by block and name."""
    written = dict(cards)
    for name, by in scores.items():
        entry = dict(written.get(name, {}))
        count = max((len(values) for values in by.values()), default=0)
        numbers = entry.get("numbers", [])
        known = numbers if len(numbers) == count else [{}] * count
        entry["numbers"] = [
            {**of, **{label: values[at] for label, values in by.items()}} for at, of in enumerate(known)
        ]
        written[name] = entry
    return written


def amend_card(path: Path, changes: Mapping[str, Any]) -> None:
    """Replace entries of the card of checkpoint `path`, whole or not at all.

    Raises:
        CheckpointError: no card that fits the file, changes that make it none, or one that cannot be written.
    """
    card = {**read_card(path).entries, **changes}
    text = json.dumps(card, indent=1, ensure_ascii=False)
    text = re.sub(r"\[[-\d.,\seE]+\]", lambda numbers: re.sub(r"\s+", " ", numbers[0]), text)
    target = path.with_suffix(".json")
    parse_card(text.encode(errors="surrogatepass"), target.name)
    try:
        write_atomically(target, (text + "\n").encode())
    except OSError as error:
        raise CheckpointError(
            f"Cannot write {target} ({error.strerror}). Free space or copy the checkpoint."
        ) from error
