"""What must be known of a network to build it and to look into it: one frozen object, or a JSON file.

    timm/convnext_tiny                      of a library, with its published weights
    timm/vit_tiny_patch16_224@random        with random ones
    torchvision/resnet50@flowers.pth        with weights of one's own: .safetensors or .pth
    mypackage.models:make@trained.pth       made by a function of one's own
    flowers.json                            all that can be said, below

    {"source": "torchvision/resnet50", "weights": "flowers.pth", "labels": "flowers.txt",
     "mean": [0.48, 0.46, 0.41], "std": [0.23, 0.22, 0.23]}

Whoever names a specification vouches for it: a function is run, and a `.pth` is opened (for its tensors
alone). So none comes from an upload, and a checkpoint's card may only name what our libraries make.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from a2core.errors import NetworkError
from a2core.languages import sentence

PUBLISHED, RANDOM = "published", "random"
WEIGHT_FILES = (".safetensors", ".pth", ".pt", ".bin")
_LARGEST_BYTES = 2**20
_KEYS = ("source", "options", "weights", "labels", "mean", "std", "size", "blocks", "at", "name", "code")


@dataclass(frozen=True)
class InputSpec:
    """The pictures that a network takes.

    Attributes:
        mean, std: one for each channel, for pixel values in [0, 1].
        multiple_px: both sides are multiples of it.
        usual_px: the side of the squares that it was trained on.
        fixed_px: (height, width) where it takes pictures of one size only.
        interpolation: how pictures were made smaller for it, "bilinear" or "bicubic"; "" for an average.
    """

    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    multiple_px: int = 32
    usual_px: int = 224
    fixed_px: tuple[int, int] | None = None
    interpolation: str = ""

    @property
    def channels(self) -> int:
        """How many it takes."""
        return len(self.mean)

    def for_channels(self, count: int) -> InputSpec:
        """The same for a network of another number of channels: grey for one, the three in turn for more."""
        if count == self.channels:
            return self
        if count == 1:
            return replace(self, mean=(sum(self.mean) / self.channels,), std=(sum(self.std) / self.channels,))
        turns = [index % self.channels for index in range(count)]
        return replace(self, mean=tuple(self.mean[i] for i in turns), std=tuple(self.std[i] for i in turns))

    def remarks(self) -> tuple[str, ...]:
        """What is done to a picture that whoever looks at its maps should know."""
        found: list[str] = []
        if self.fixed_px is not None:
            height, width = self.fixed_px
            found.append(
                sentence(
                    "This network takes {width} × {height} pixels only: the picture is squeezed to it.",
                    width=width,
                    height=height,
                )
            )
        if self.channels == 1:
            found.append("This network takes grey pictures: it sees the brightness alone.")
        elif self.channels != 3:
            found.append(
                sentence(
                    "This network takes {channels} channels: red, green and blue are given in turn.",
                    channels=self.channels,
                )
            )
        return tuple(found)


@dataclass(frozen=True)
class NetworkSpec:
    """Where a network comes from, with which weights, and what is known of its input and classes.

    Attributes:
        source: "timm/NAME", "torchvision/NAME", a name of `backbones.BACKBONES`, or
            "package.module:function".
        weights: `PUBLISHED`, `RANDOM`, or a file.
        options: arguments for whatever makes it.
        labels: its classes; None where the source knows them.
        mean, std: of its input; None where the source knows them.
        size_px: the one size of pictures that it takes; None where the source or a trial tells.
        blocks: a checkpoint whose blocks belong into it; "" for none.
        at: modules behind which fresh blocks are put where it has none; empty for the usual places.
        name: what it is called on screen.
        folder: where the files that it names are.
        code: seen from there, the folder in which the module of its function lies; the current one will do.
    """

    source: str
    weights: str = PUBLISHED
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    size_px: tuple[int, int] | None = None
    blocks: str = ""
    at: tuple[str, ...] = ()
    name: str = ""
    folder: Path = Path()
    code: str = ""

    @property
    def title(self) -> str:
        """What it is called: its name, else its source and whose weights."""
        of = "" if self.weights == PUBLISHED else f", {self.weights} weights"
        if self.weights not in (PUBLISHED, RANDOM):
            of = f", {Path(self.weights).name}"
        return self.name or self.source + of

    @property
    def runs_code(self) -> bool:
        """Whether a function of somebody's makes it."""
        return ":" in self.source


def is_spec(text: str) -> bool:
    """Whether `text` means a network rather than a checkpoint."""
    source = text.rpartition("@")[0] or text
    if text.endswith(".json"):
        return _holds_source(Path(text))
    return source.startswith(("timm/", "torchvision/")) or (":" in source and not Path(text).exists())


def read_spec(text: str) -> NetworkSpec:
    """The specification that `text` names: SOURCE, SOURCE@WEIGHTS or a JSON file.

    Raises:
        NetworkError: a file that cannot be read or says something else, by its entry.
    """
    if text.endswith(".json"):
        return _read_file(Path(text))
    source, at, weights = text.rpartition("@")
    return NetworkSpec(source if at else text, weights if at else PUBLISHED)


def _holds_source(path: Path) -> bool:
    """A checkpoint's card is JSON too, and is none."""
    try:
        told = json.loads(path.read_bytes()[:_LARGEST_BYTES])
    except (OSError, ValueError, RecursionError):
        return path.is_file() and not path.with_suffix(".safetensors").exists()
    return isinstance(told, dict) and "architecture" not in told


def _read_file(path: Path) -> NetworkSpec:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NetworkError(
            "The specification {path} cannot be read ({why}).", path=path, why=error.strerror
        ) from error
    if len(data) > _LARGEST_BYTES:
        raise NetworkError(
            "{file} has {count} bytes: too many for a specification.", file=path.name, count=len(data)
        )
    try:
        told = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise NetworkError(
            "The specification {file} is no JSON ({why}).", file=path.name, why=str(error)
        ) from error
    check = _Checked(path.name)
    if not isinstance(told, dict) or "source" not in told:
        raise NetworkError(
            'The specification {file} names no source. Begin with {{"source": "timm/…"}}.', file=path.name
        )
    unknown = [key for key in told if key not in _KEYS]
    if unknown:
        raise NetworkError(
            "{file} says {entry!r}, which nobody reads. It may say {known}.",
            file=path.name,
            entry=unknown[0],
            known=", ".join(_KEYS),
        )
    folder, labels = path.parent, told.get("labels")
    spec = NetworkSpec(
        source=check.text(told["source"], "source"),
        weights=check.text(told.get("weights", PUBLISHED), "weights"),
        options=check.options(told.get("options", {})),
        labels=read_labels(folder / labels) if isinstance(labels, str) else check.texts(labels, "labels"),
        mean=check.numbers(told.get("mean"), "mean"),
        std=check.numbers(told.get("std"), "std", above=0.0),
        size_px=check.size(told.get("size")),
        blocks=check.text(told.get("blocks", ""), "blocks", empty=True),
        at=check.texts(told.get("at"), "at") or (),
        name=check.text(told.get("name", path.stem), "name"),
        folder=folder,
        code=check.text(told.get("code", ""), "code", empty=True),
    )
    if (spec.mean is None) != (spec.std is None) or len(spec.mean or ()) != len(spec.std or ()):
        raise NetworkError(
            "{file} needs mean and std together, one number of each for a channel.", file=path.name
        )
    return spec


def read_labels(path: Path) -> tuple[str, ...]:
    """Names of classes, a line each, in the order of the logits; or a JSON list of them.

    Raises:
        NetworkError: no such file, or none in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NetworkError("The labels {path} cannot be read ({why}).", path=path, why=str(error)) from error
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = [line.strip() for line in text.splitlines() if line.strip()]
    if not isinstance(told, list) or not told:
        raise NetworkError("{file} holds no labels. Give a text file with a class a line.", file=path.name)
    return tuple(str(label) for label in told)


class _Checked:
    """Entries of a specification, each handed on if it is what it has to be."""

    def __init__(self, name: str) -> None:
        self.name = name

    def fault(self, key: str, wanted: str) -> NetworkError:
        return NetworkError("In {name}, {key!r} has to be {wanted}.", name=self.name, key=key, wanted=wanted)

    def text(self, value: Any, key: str, *, empty: bool = False) -> str:
        if not isinstance(value, str) or not (value or empty):
            raise self.fault(key, "a text")
        return value

    def texts(self, value: Any, key: str) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
            raise self.fault(key, "a list of texts")
        return tuple(value)

    def numbers(self, value: Any, key: str, *, above: float = -math.inf) -> tuple[float, ...] | None:
        if value is None:
            return None
        sound = isinstance(value, list) and value and all(_is_number(v) and v > above for v in value)
        if not sound:
            raise self.fault(key, "a list of numbers" + (" above 0" if above == 0 else ""))
        return tuple(float(v) for v in value)

    def size(self, value: Any) -> tuple[int, int] | None:
        if value is None:
            return None
        sides = [value, value] if isinstance(value, int) else value
        whole = isinstance(sides, list) and len(sides) == 2 and all(type(v) is int and v > 0 for v in sides)
        if not whole:
            raise self.fault("size", "pixels, or [height, width]")
        return sides[0], sides[1]

    def options(self, value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.fault("options", "an object of arguments")
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
