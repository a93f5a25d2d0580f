"""The card of a checkpoint: JSON written by anybody, checked whole, once, and then believed.

    {"format": 1, "name": "a2-lite0", "sha256": "3f…", "size_bytes": 614880,
     "architecture": {"backbone": "tf_efficientnet_lite0", "blocks": {"blocks.4": {"in_channels": 112, …}}},
     "trained": {…}, "metrics": {…}, "cards": {"blocks.4": {"primitives": ["Usually gathered …", …]}}, …}

What any part of the project reads has the type that it reads, every number is finite, and every text can be
written out again. What nobody reads may be any JSON. `Card` keeps both: fields for us, and `entries`, the
plain dictionary that other programs know as `model.card`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from a2core.blocks.registry import DOUBLE_ATTENTION
from a2core.errors import CheckpointError
from a2core.networks.layout import Axes

CARD_FORMAT = 1
LARGEST_BYTES = 16 * 2**20
_DEEPEST = 32  # objects and lists within one another
_LONGEST_INTEGER = 2**63
_TRUNKS = ("published", "own")

Where = tuple[str | int, ...]  # keys and indices that lead to a value


@dataclass(frozen=True)
class Card:
    """A card in which everything has been found to be in order.

    Attributes:
        entries: all that it says, as JSON gives it.
        architecture: of that, the network, as `networks.build_network` takes it.
        backbone, trunk, labels, blocks: of the architecture: the trunk's name and whose weights it has
            ("published" or "own"), other classes than ImageNet's, and the settings of each block by the
            name of the module that it stands behind.
        sha256, size_bytes: of the file that it describes.
        trained: whether the blocks were, which nobody can see in their weights: whoever saved random ones
            wrote "untrained": true.
    """

    entries: Mapping[str, Any]
    architecture: Mapping[str, Any]
    backbone: str
    trunk: str
    labels: tuple[str, ...] | None
    blocks: Mapping[str, Mapping[str, Any]]
    sha256: str
    size_bytes: int
    trained: bool

    @property
    def kinds(self) -> set[str]:
        """What kinds of block the network has."""
        return {str(settings.get("kind", DOUBLE_ATTENTION)) for settings in self.blocks.values()}


def parse_card(data: bytes, name: str) -> Card:
    """The card in `data`, the content of a file called `name`.

    Raises:
        CheckpointError: too large, no JSON, of another format, or an entry that is missing or not what it
            has to be, by its name.
    """
    if len(data) > LARGEST_BYTES:
        raise _refused(name, f"it has {len(data)} bytes, more than the {LARGEST_BYTES} that a card may have")
    try:
        card = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # of UTF-8, of JSON, or a number of thousands of digits
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise CheckpointError(
            "The card {name} cannot be read ({reason}). Restore it.", name=name, reason=reason
        ) from error
    checked = _Checked(name)
    checked.object(card, ())
    if not _is_sound(card, _DEEPEST):
        raise checked.unsound(card, ())
    missing = sorted({"format", "architecture", "sha256", "size_bytes"} - set(card))
    if missing:
        raise CheckpointError(
            "The card {name} lacks {missing}. Restore the original.", name=name, missing=", ".join(missing)
        )
    if checked.whole(card["format"], ("format",)) != CARD_FORMAT:
        raise CheckpointError(
            "The card {name} has format {format}; this version reads {known}. Update a2core.",
            name=name,
            format=card["format"],
            known=CARD_FORMAT,
        )
    checked.optional(card, "name", (), checked.text)
    _check_told(checked, card)
    architecture = checked.object(card["architecture"], ("architecture",))
    _check_architecture(checked, architecture)
    sha256 = checked.text(card["sha256"], ("sha256",))
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise checked.fault(sha256, ("sha256",), "64 hexadecimal digits")
    return Card(
        entries=card,
        architecture=architecture,
        backbone=architecture["backbone"],
        trunk=architecture.get("trunk", _TRUNKS[0]),
        labels=tuple(architecture["labels"]) if "labels" in architecture else None,
        blocks=architecture["blocks"],
        sha256=sha256,
        size_bytes=checked.whole(card["size_bytes"], ("size_bytes",)),
        trained=not checked.optional(card, "untrained", (), checked.flag),
    )


def _check_architecture(checked: _Checked, architecture: Mapping[str, Any]) -> None:
    at: Where = ("architecture",)
    checked.text(checked.required(architecture, "backbone", at), (*at, "backbone"))
    if "trunk" in architecture and architecture["trunk"] not in _TRUNKS:
        raise checked.fault(architecture["trunk"], (*at, "trunk"), f"{_TRUNKS[0]!r} or {_TRUNKS[1]!r}")
    if "labels" in architecture and not checked.texts(architecture["labels"], (*at, "labels")):
        raise checked.fault([], (*at, "labels"), "the names of the classes")
    checked.optional(architecture, "classifier", at, checked.texts)
    for name, told in (checked.optional(architecture, "layouts", at, checked.object) or {}).items():
        _check_layout(checked, checked.object(told, (*at, "layouts", name)), (*at, "layouts", name))
    blocks = checked.object(checked.required(architecture, "blocks", at), (*at, "blocks"))
    for name, settings in blocks.items():
        _check_block(checked, checked.object(settings, (*at, "blocks", name)), (*at, "blocks", name))


def _check_layout(checked: _Checked, told: Mapping[str, Any], at: Where) -> None:
    """How a module puts its positions, as `networks.layout.Layout` takes it."""
    unknown = [name for name in told if name not in ("axes", "prefix")]
    if unknown:
        raise checked.fault(told[unknown[0]], (*at, unknown[0]), "nothing: only axes and prefix are read")
    if told.get("axes") not in get_args(Axes):
        raise checked.fault(told.get("axes"), (*at, "axes"), " or ".join(map(repr, get_args(Axes))))
    checked.optional(told, "prefix", at, checked.whole)


_SIZES = ("in_channels", "c_m", "c_n", "inner", "heads", "reduction", "dims")
_NEED_NOT_BE_GIVEN = ("c_n", "inner")  # null: the block's own choice, but for double attention


def _check_block(checked: _Checked, settings: Mapping[str, Any], at: Where) -> None:
    """Settings of one block, which its class takes as arguments and looks at more closely."""
    checked.optional(settings, "kind", at, checked.text)
    ours = settings.get("kind", DOUBLE_ATTENTION) == DOUBLE_ATTENTION
    for name in ("in_channels", "c_m", "c_n") if ours else ("in_channels",):
        checked.required(settings, name, at)
    for name, value in settings.items():
        if name in _SIZES and not (value is None and name in _NEED_NOT_BE_GIVEN and not ours):
            checked.whole(value, (*at, name), least=1)
        elif isinstance(value, list | dict):
            raise checked.fault(value, (*at, name), "a text, a number, true, false or null")


def _check_told(checked: _Checked, card: Mapping[str, Any]) -> None:
    """What the card tells of its training, its measures and its primitives."""
    trained = card.get("trained")  # what somebody else wrote of it may be a sentence
    if isinstance(trained, dict) and "frames" in trained:
        checked.whole(trained["frames"], ("trained", "frames"), least=1)
    for title, entry in (checked.optional(card, "metrics", (), checked.object) or {}).items():
        if isinstance(entry, dict):
            for name in ("measured on", "command"):
                checked.optional(entry, name, ("metrics", title), checked.text)
    for block, told in (checked.optional(card, "cards", (), checked.object) or {}).items():
        at = ("cards", block)
        checked.object(told, at)
        for name in ("label", "seen"):
            checked.optional(told, name, at, checked.text)
        checked.optional(told, "primitives", at, checked.texts)
        for index, numbers in enumerate(checked.optional(told, "numbers", at, checked.items) or []):
            checked.object(numbers, (*at, "numbers", index))


class _Checked:
    """Values of one card, each handed on if it is what it has to be.

    Raises:
        CheckpointError: from every method, when it is not: the fault names the entry.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def fault(self, value: Any, where: Where, wanted: str) -> CheckpointError:
        return _refused(self.name, f"{_path(where)} is {_called(value)} instead of {wanted}")

    def object(self, value: Any, where: Where) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fault(value, where, "an object")
        return value

    def items(self, value: Any, where: Where) -> list[Any]:
        if not isinstance(value, list):
            raise self.fault(value, where, "a list")
        return value

    def text(self, value: Any, where: Where) -> str:
        if not isinstance(value, str) or not value:
            raise self.fault(value, where, "a text")
        return value

    def texts(self, value: Any, where: Where) -> list[Any]:
        for index, inner in enumerate(self.items(value, where)):
            self.text(inner, (*where, index))
        return value

    def whole(self, value: Any, where: Where, *, least: int = 0) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.fault(value, where, f"a whole number from {least} on")
        return value

    def flag(self, value: Any, where: Where) -> bool:
        if not isinstance(value, bool):
            raise self.fault(value, where, "true or false")
        return value

    def required(self, of: Mapping[str, Any], key: str, where: Where) -> Any:
        if key not in of:
            raise _refused(self.name, f"{_path((*where, key))} is missing")
        return of[key]

    def optional(
        self, of: Mapping[str, Any], key: str, where: Where, check: Callable[[Any, Where], Any]
    ) -> Any:
        return check(of[key], (*where, key)) if key in of else None

    def unsound(self, value: Any, where: Where) -> CheckpointError:
        """The fault of the first entry in `value`, which is not sound, that is not sound by itself."""
        if isinstance(value, dict | list):
            if len(where) >= _DEEPEST:
                return _refused(self.name, f"{_path(where[:3])} is nested too deeply")
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                if isinstance(key, str) and not _is_whole(key):
                    return _refused(self.name, f"{_path(where)} has the name {key!a}, no whole characters")
                if not _is_sound(inner, _DEEPEST - len(where) - 1):
                    return self.unsound(inner, (*where, key))
        wanted = "a text of whole characters" if isinstance(value, str) else "a finite number of 64 bits"
        return self.fault(value, where, wanted)


def _is_sound(value: Any, room: int) -> bool:
    """Whether what JSON gave can be shown and written again: finite numbers, whole characters, not too deep.

    `room`: so many objects and lists may still lie within one another.
    """
    kind = type(value)
    if kind is str:
        return _is_whole(value)
    if kind is float:
        return math.isfinite(value)
    if kind is int:
        return -_LONGEST_INTEGER <= value < _LONGEST_INTEGER
    if kind is dict:
        return room > 0 and all(map(_is_whole, value)) and all(_is_sound(v, room - 1) for v in value.values())
    if kind is list:
        return room > 0 and (_are_finite(value) or all(_is_sound(inner, room - 1) for inner in value))
    return True


def _are_finite(values: list[Any]) -> bool:
    """Whether all are plain numbers and finite: most of a long card is lists of these."""
    return all(type(value) is float for value in values) and math.isfinite(sum(values))


def _refused(name: str, reason: str) -> CheckpointError:
    return CheckpointError(
        "The card {name} cannot be used: {reason}. Restore the original.", name=name, reason=reason
    )


def _is_whole(text: str) -> bool:
    """Whether a text can be written out: JSON can name half a character, one surrogate of two."""
    return text.isascii() or not re.search("[\ud800-\udfff]", text)


def _called(value: Any) -> str:
    """A value in a fault, in few characters."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return f"the text {value[:40]!a}" if value else "an empty text"
    if isinstance(value, int | float):
        return str(value) if abs(value) < 1e15 or isinstance(value, float) else "a number of too many digits"
    empty = "" if value else "empty "
    return f"an {empty}object" if isinstance(value, dict) else f"an {empty}list" if empty else "a list"


def _path(where: Where) -> str:
    """The way to an entry: architecture.blocks["blocks.4"].c_n."""
    if not where:
        return "its content"
    steps = [
        f".{step}"
        if isinstance(step, str) and step.isidentifier() and step.isascii()
        else f"[{_quoted(step)}]"
        for step in where
    ]
    return "".join(steps).removeprefix(".")


def _quoted(step: str | int) -> str:
    return str(step) if isinstance(step, int) else json.dumps(step[:80])
