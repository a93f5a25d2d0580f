"""Names given to primitives by their exemplars, and how often they hold on other pictures (docs/atlas.md).

    python docs/naming.py exemplars SHEETS            what whoever gives names looks at, and nothing else
    python docs/naming.py photos SHEETS diverse/val   what whoever judges looks at: crops in a shuffled order
    python docs/naming.py table diverse/val           the counts; the misses, their credits, names that held
    python docs/naming.py classes ATLAS               whether the classes of `labels` come again elsewhere

Names stand in docs/naming_names.csv, which was committed before any sheet of photos was drawn. Judgements
stand in docs/naming_judged.csv, one letter for each crop of a sheet, row by row: y where the named thing
touches the marked square, n where it does not or cannot be told. Which crop is which is nowhere in the
sheets: it comes again from SEED when the table is made.
"""

from __future__ import annotations

import csv
import io
import math
import re
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import a2core
from a2core.atlas.crops import centre, window
from a2core.atlas.measure import codes
from a2core.atlas.names import LONGEST
from a2core.atlas.slim import read_credits

HERE = Path(__file__).resolve().parent
ATLAS = HERE.parent / "checkpoints" / "atlas" / "a2-lite0"
LICENCE = "https://creativecommons.org/licenses/by/2.0/"
NOTE = (
    "Named by its exemplars alone. In {hits} of the {of} unseen photos that use it most this was where it "
    "gathers, and in {chance} of {others} where others gather (docs/atlas.md)."
)
SEED = 18
NONE = "no name found"
OF_A_BLOCK, PHOTOS = 10, 50
CLASSES, LEAST_OF_A_CLASS = 3, 3  # as `atlas measure` names them
LEAST_USE = 0.1  # of an equal share: below it a primitive counts as dead, as on cards
KINDS = ("strong", "weak", "elsewhere", "beside")  # what a crop of a sheet is: see `drawn_crops`
EACH = 8  # of each kind in a sheet, and crops in a row of it
CROP = 0.375  # of the picture's long side, as the atlas's exemplars
CROP_PX, THUMB_PX, GAP_PX = 150, 64, 4
MISS_PX, MISSES_ACROSS = 72, 14
DRAWS = 10_000  # of the bootstrap


class Crop(NamedTuple):
    """Where primitive `at` of `block` is gathered most in a test photo, and why that is in the sheet."""

    photo: str
    block: str
    at: int
    kind: str


class Looked(NamedTuple):
    """What the primitives of one block did in one photo: mean ρ and θ's largest cell, (n,) each."""

    use: np.ndarray
    cell: np.ndarray
    rows: int
    cols: int


def chosen_primitives(atlas: a2core.Atlas) -> dict[str, list[int]]:
    """Ten of each block, evenly over the ranks of use of those that are not dead."""
    found = {}
    for block, count in atlas.blocks.items():
        alive = [row for row in atlas.primitives(block) if row["use"] * count >= LEAST_USE]
        by_use = [row["primitive"] for row in sorted(alive, key=lambda row: -row["use"])]
        found[block] = [by_use[int((k + 0.5) * len(by_use) / OF_A_BLOCK)] for k in range(OF_A_BLOCK)]
    return found


def chosen_photos(atlas: a2core.Atlas, folder: Path) -> list[str]:
    """Fifty photos of `folder` that the atlas has not seen: neither their name nor their content."""
    photos = atlas.photos(range(len(atlas))).values()
    names = {f"{Path(photo.path).parent.name}/{Path(photo.path).name}" for photo in photos}
    out = [path.name for path in sorted(folder.glob("*.jpg")) if f"{folder.name}/{path.name}" not in names]
    return sorted(np.random.default_rng(SEED).permutation(out)[:PHOTOS].tolist())


def looked_at(folder: Path, names: list[str], size_px: int) -> dict[str, dict[str, Looked]]:
    """What every primitive did in each photo: photo to block to that."""
    model = a2core.load_model("a2-lite0", device="cpu")
    found = {}
    for name in names:
        trace = model.trace(a2core.read_media(folder / name), size=size_px)
        found[name] = {
            block: Looked(
                of.distribute.mean(axis=(1, 2, 3)), of.gather.reshape(of.n, -1).argmax(axis=1), *of.grid[1:]
            )
            for block, of in trace.blocks.items()
        }
    return found


def drawn_crops(
    block: str, primitive: int, looked: dict[str, dict[str, Looked]], alive: list[int]
) -> list[Crop]:
    """The crops of one sheet in their shuffled order.

    strong: the photos with the largest mean ρ of the primitive; weak: drawn among the others; elsewhere: any
    photos, where any other primitive is gathered most; beside: the strong photos again, likewise.
    """
    rng = np.random.default_rng([SEED, int(block[-1]), primitive])
    names = sorted(looked, key=lambda name: -looked[name][block].use[primitive])
    strong, weak = names[:EACH], rng.permutation(names[EACH:])[:EACH].tolist()
    others = [one for one in alive if one != primitive]
    crops = [Crop(name, block, primitive, "strong") for name in strong]
    crops += [Crop(name, block, primitive, "weak") for name in weak]
    for kind, among in (("elsewhere", rng.permutation(names)[:EACH].tolist()), ("beside", strong)):
        crops += [Crop(name, block, int(rng.choice(others)), kind) for name in among]
    return [crops[at] for at in rng.permutation(len(crops))]


def tile(picture: Image.Image, cell: int, rows: int, cols: int) -> Image.Image:
    """The crop around a cell, which is marked, and below it the whole picture with the crop marked."""
    x, y = centre(cell, rows, cols)
    box = window(*picture.size, x, y, round(CROP * max(picture.size)))
    scale = CROP_PX / max(box[2] - box[0], box[3] - box[1])
    found = Image.new("RGB", (CROP_PX, CROP_PX + THUMB_PX + 14), "white")
    crop = picture.crop(box)
    found.paste(crop.resize([round(side * scale) for side in crop.size], Image.Resampling.LANCZOS))
    draw = ImageDraw.Draw(found)
    wide, high = picture.width / cols, picture.height / rows
    cell_box = [(cell % cols) * wide, (cell // cols) * high]
    corners = [(cell_box[0] - box[0]) * scale, (cell_box[1] - box[1]) * scale]
    corners += [corners[0] + wide * scale - 1, corners[1] + high * scale - 1]
    draw.rectangle([at - 1 if k < 2 else at + 1 for k, at in enumerate(corners)], outline="black")
    draw.rectangle(corners, outline="white")
    thumb = picture.copy()
    thumb.thumbnail((CROP_PX, THUMB_PX))
    mark = ImageDraw.Draw(thumb)
    mark.rectangle([at * thumb.width / picture.width for at in box], outline="yellow")
    found.paste(thumb, (40, CROP_PX + 12))
    return found


def sheet(tiles: list[Image.Image], across: int) -> Image.Image:
    """Tiles side by side, numbered from 1."""
    wide, high = tiles[0].width + GAP_PX, tiles[0].height + GAP_PX
    found = Image.new("RGB", (across * wide, -(-len(tiles) // across) * high), "white")
    draw, font = ImageDraw.Draw(found), ImageFont.load_default(size=18)
    for at, one in enumerate(tiles):
        left, top = at % across * wide, at // across * high
        found.paste(one, (left, top))
        draw.text((left + 2, top + CROP_PX + 8), str(at + 1), "black", font)
    return found


def exemplar_sheets(out: Path) -> None:
    """A sheet of exemplars for each primitive, from the shipped atlas alone."""
    atlas = a2core.Atlas(ATLAS)
    for block, primitives in chosen_primitives(atlas).items():
        for primitive in primitives:
            tiles = []
            for one in atlas.exemplars(block, primitive, "mean"):
                picture = Image.open(io.BytesIO(atlas.small(one.photo))).convert("RGB")
                tiles.append(tile(picture, one.row * one.cols + one.col, one.rows, one.cols))
            sheet(tiles, 6).save(out / f"{block}-{primitive}.png")


def all_crops(folder: Path) -> tuple[dict[str, dict[str, Looked]], dict[tuple[str, int], list[Crop]]]:
    """What was done in the photos, and the crops of every sheet."""
    atlas = a2core.Atlas(ATLAS)
    looked = looked_at(folder, chosen_photos(atlas, folder), atlas.told["size_px"])
    crops = {}
    for block, primitives in chosen_primitives(atlas).items():
        least = LEAST_USE / atlas.blocks[block]
        alive = [row["primitive"] for row in atlas.primitives(block) if row["use"] >= least]
        for primitive in primitives:
            crops[block, primitive] = drawn_crops(block, primitive, looked, alive)
    return looked, crops


def picture_of(folder: Path, crop: Crop, looked: dict[str, dict[str, Looked]]) -> Image.Image:
    """The tile of a crop."""
    of = looked[crop.photo][crop.block]
    picture = Image.open(folder / crop.photo).convert("RGB")
    return tile(picture, int(of.cell[crop.at]), of.rows, of.cols)


def photo_sheets(out: Path, folder: Path) -> None:
    """A sheet of crops of test photos for each primitive."""
    looked, crops = all_crops(folder)
    for (block, primitive), of in crops.items():
        if names()[block, primitive] == NONE:
            continue
        tiles = [picture_of(folder, crop, looked) for crop in of]
        sheet(tiles, EACH).save(out / f"photos-{block}-{primitive}.png")


def names() -> dict[tuple[str, int], str]:
    """What the primitives were called, in the order of their use."""
    with (HERE / "naming_names.csv").open(encoding="utf-8", newline="") as file:
        return {(row["block"], int(row["primitive"])): row["name"] for row in csv.DictReader(file)}


def judged(crops: dict[tuple[str, int], list[Crop]]) -> dict[tuple[str, int], list[tuple[Crop, bool]]]:
    """Each crop of every judged sheet, and whether the named thing was there."""
    found = {}
    with (HERE / "naming_judged.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            of = row["block"], int(row["primitive"])
            said = [letter == "y" for letter in row["judged"].replace(" ", "")]
            found[of] = list(zip(crops[of], said, strict=True))
    return found


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share in 95 of 100."""
    share = hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return middle - half, middle + half


def bootstrapped(rates: np.ndarray) -> str:
    """The mean of (primitives,) rates, and its interval when primitives are drawn anew."""
    rng = np.random.default_rng(SEED)
    means = rates[rng.integers(0, len(rates), (DRAWS, len(rates)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{rates.mean():.0%} ({low:.0%} to {high:.0%})".replace("%", " %")


def rows_of(
    block: str, found: dict[tuple[str, int], list[tuple[Crop, bool]]]
) -> tuple[list[str], np.ndarray]:
    """The table's lines of one block, and (primitives, kinds) rates of those that have a name."""
    lines, rates = [], []
    for (of, primitive), name in names().items():
        if of != block:
            continue
        if name == NONE:
            lines.append(f"| g{primitive} | *{NONE}* | | | | |")
            continue
        hits = [sum(yes for crop, yes in found[of, primitive] if crop.kind == kind) for kind in KINDS]
        low, high = wilson(hits[0], EACH)
        first = f"{hits[0]} ({low:.0%} to {high:.0%})".replace("%", " %")
        lines.append(f"| g{primitive} | {name} | {first} | {' | '.join(map(str, hits[1:]))} |")
        rates.append([count / EACH for count in hits])
    return lines, np.array(rates)


def table(folder: Path) -> None:
    """Print the table, and write the misses and whose photos they are."""
    looked, crops = all_crops(folder)
    found = judged(crops)
    for block in dict.fromkeys(block for block, _ in found):
        lines, rates = rows_of(block, found)
        print(f"\n| {block} | name | used most, of 8 | others, of 8 | elsewhere, of 8 | beside, of 8 |")
        print("|---|---|---|---|---|---|", *lines, sep="\n")
        print("| | mean |", " | ".join(bootstrapped(column) for column in rates.T), "|")
        print(f"over the {PHOTOS} photos: {bootstrapped((EACH * rates[:, 0] + 42 * rates[:, 1]) / PHOTOS)}")
        for kind, column in list(zip(KINDS, rates.T, strict=True))[1:]:
            print(f"used most, less {kind}: {bootstrapped(rates[:, 0] - column)}")
    missed = [crop for of in found.values() for crop, yes in of if crop.kind == "strong" and not yes]
    missed_picture(folder, missed, looked)
    write_names(found)
    write_credits(folder, sorted({crop.photo for crop in missed}))


def write_names(found: dict[tuple[str, int], list[tuple[Crop, bool]]]) -> None:
    """Have those names stand beside the shipped atlas that held: at least half, and more than by chance."""
    told: dict[str, dict[str, dict[str, str]]] = {}
    for (block, primitive), of in found.items():
        strong = [yes for crop, yes in of if crop.kind == "strong"]
        others = [yes for crop, yes in of if crop.kind in ("elsewhere", "beside")]
        hits, chance = sum(strong), sum(others)
        if hits * 2 >= len(strong) and wilson(hits, len(strong))[0] > chance / len(others):
            name = names()[block, primitive]
            if len(name) > LONGEST["name"]:
                name = re.split(", |: ", name)[0]
            note = NOTE.format(hits=hits, of=len(strong), chance=chance, others=len(others))
            a2core.give_name(told, block, primitive, name, note)
    (ATLAS / "names.json").write_bytes(a2core.written_names(told))


def missed_picture(folder: Path, missed: list[Crop], looked: dict[str, dict[str, Looked]]) -> None:
    """Every miss among the photos in which a primitive is used most, under its number."""
    high = MISS_PX + 16
    size = (MISSES_ACROSS * (MISS_PX + GAP_PX), -(-len(missed) // MISSES_ACROSS) * high)
    found = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(found), ImageFont.load_default(size=11)
    for at, crop in enumerate(missed):
        left, top = at % MISSES_ACROSS * (MISS_PX + GAP_PX), at // MISSES_ACROSS * high
        whole = picture_of(folder, crop, looked).crop((0, 0, CROP_PX, CROP_PX))
        found.paste(whole.resize((MISS_PX, MISS_PX), Image.Resampling.LANCZOS), (left, top + 14))
        draw.text((left + 1, top), f"{crop.block[-1]}: g{crop.at}", "black", font)
    found.save(HERE / "naming_misses.jpg", quality=75)


def write_credits(folder: Path, photos: list[str]) -> None:
    """Whose the photos of the misses are."""
    of = read_credits([folder / "labels.csv"])
    credits = [of[(folder / name).resolve()] for name in photos]
    lines = [f"1. {one.author}, <{one.link}>, [{one.licence}]({LICENCE})" for one in credits]
    head = "The photos of [naming_misses.jpg](naming_misses.jpg), cropped, made smaller, a cell marked:"
    text = "\n".join([head, "", *lines, ""])
    (HERE / "naming_credits.md").write_text(text, encoding="utf-8")


def classes_again(folder: Path) -> None:
    """Of the classes named for a primitive over half of an atlas, how many are over the other half."""
    photos = pq.ParquetFile(folder / "photos.parquet")
    code = np.concatenate(list(codes(photos))).astype(np.float64)
    columns = photos.read(["top", "same_as"])
    first = np.array([top[0] for top in columns["top"].to_pylist()])
    once = ~columns["same_as"].is_valid().to_numpy()
    names, labels = np.unique(first, return_inverse=True)
    half = np.random.default_rng(SEED).integers(0, 2, len(code))
    named = []
    for side in (0, 1):
        here = once & (half == side)
        count = np.bincount(labels[here], minlength=len(names))
        sums = np.stack([np.bincount(labels[here], use, len(names)) for use in code[here].T])
        lift = sums / np.maximum(count, 1) / code[here].mean(axis=0)[:, None]
        lift[:, count < LEAST_OF_A_CLASS] = 0
        named.append(np.argsort(-lift, axis=1, kind="stable")[:, :CLASSES])
    again = [len(set(a) & set(b)) for a, b in zip(*named, strict=True)]
    print(f"{once.sum():,} photos: of {CLASSES} classes {np.mean(again):.2f} are named again")


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    ways = {"exemplars": exemplar_sheets, "photos": photo_sheets, "table": table, "classes": classes_again}
    ways[what](*map(Path, paths))
