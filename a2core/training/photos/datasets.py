"""Photos of torchvision's datasets, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from a2core.errors import TrainingError

# Of torchvision's datasets those that are files on disk, with the parts that each comes in, the one to
# train on first; none where it comes whole.
DATASETS: dict[str, tuple[str, ...]] = {
    "Imagenette": ("train", "val"),
    "Caltech101": (),
    "Caltech256": (),
    "Flowers102": ("train", "val", "test"),
    "OxfordIIITPet": ("trainval", "test"),
    "Food101": ("train", "test"),
    "ImageNet": ("train", "val"),
}
# Where torchvision's datasets keep the paths of their files, beside the labels or without them.
_LISTS = ("_samples", "samples", "_image_files", "_images")


def photos_of_dataset(source: str, root: Path) -> list[tuple[Path, str]]:
    """(path, class name) of every photo of a dataset given as NAME or NAME:PART, kept below `root`.

    Raises:
        TrainingError: no such dataset or part, or one that cannot be had.
    """
    from torchvision import datasets

    name, _, part = source.partition(":")
    if name not in DATASETS:
        raise TrainingError(
            f"{source!r} is neither a folder nor a dataset. "
            f"Give an image folder or one of {', '.join(DATASETS)}."
        )
    parts = DATASETS[name]
    if part and part not in parts:
        known = f"Its parts are {', '.join(parts)}." if parts else f"It comes whole: give {name}."
        raise TrainingError(f"{name} has no part {part!r}. {known}")
    options: dict[str, Any] = {"split": part or parts[0]} if parts else {}
    if name != "ImageNet":  # which is not offered for download
        options["download"] = True
    try:
        dataset: Any = getattr(datasets, name)(str(root / name.lower()), **options)
    except Exception as error:  # torchvision raises whatever its download raises
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(
            f"The dataset {name} cannot be had here ({reason}). Download it elsewhere and give its folder."
        ) from error
    if hasattr(dataset, "categories"):  # the Caltechs
        base = next(Path(dataset.root).glob("*_ObjectCategories"))
        return [(path, name) for name in dataset.categories for path in sorted((base / name).glob("*.jpg"))]
    files = next(getattr(dataset, key) for key in _LISTS if hasattr(dataset, key))
    labels = dataset._labels if hasattr(dataset, "_labels") else [label for _, label in files]
    paths = [Path(file[0] if isinstance(file, tuple) else file) for file in files]
    names = [dataset.classes[label] for label in labels]
    return [
        (path, name if isinstance(name, str) else name[0]) for path, name in zip(paths, names, strict=True)
    ]
