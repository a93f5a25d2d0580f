"""Names given to primitives by their exemplars, and how often they hold on other pictures (docs/atlas.md).

    python docs/naming.py exemplars SHEETS            what whoever gives names looks at, and nothing else
    python docs/naming.py photos SHEETS diverse/val   what whoever judges looks at: crops in a shuffled order

Names stand in docs/naming_names.csv, which was committed before any sheet of photos was drawn. Judgements
stand in docs/naming_judged.csv, one letter for each crop of a sheet, row by row: y where the named thing
touches the marked square, n where it does not or cannot be told. Which crop is which is nowhere in the
sheets: it comes again from SEED when the table is made.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import a2core
from a2core.atlas.crops import centre, window

HERE = Path(__file__).resolve().parent
ATLAS = HERE.parent / "checkpoints" / "atlas" / "a2-lite0"
SEED = 18
NONE = "no name found"
OF_A_BLOCK, PHOTOS = 10, 50
LEAST_USE = 0.1  # of an equal share: below it a primitive counts as dead, as on cards
KINDS = ("strong", "weak", "elsewhere", "beside")  # what a crop of a sheet is: see `drawn_crops`
EACH = 8  # of each kind in a sheet, and crops in a row of it
CROP = 0.375  # of the picture's long side, as the atlas's exemplars
CROP_PX, THUMB_PX, GAP_PX = 150, 64, 4


class Crop(NamedTuple):
    """A place of a test photo: where primitive `at` of `block` is gathered most, and why it is in the sheet."""

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


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    {"exemplars": exemplar_sheets, "photos": photo_sheets}[what](*map(Path, paths))
