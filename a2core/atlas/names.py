"""What people call primitives: a file beside the atlas, sent along with it."""

from __future__ import annotations

import json
from pathlib import Path

from a2core.checkpoints import write_atomically
from a2core.errors import AtlasError

FILE = "names.json"
LONGEST = {"name": 80, "note": 2000}
_TOO_LONG = {
    "name": "This name has {count} characters. Use at most {most}.",
    "note": "This note has {count} characters. Use at most {most}.",
}

Told = dict[str, dict[str, dict[str, str]]]  # block to primitive to name and note


class Names:
    """The names of one atlas; read anew each time, since others may write them too.

    Args:
        folder: the atlas's.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def all(self) -> Told:
        """Every name, by block and primitive.

        Raises:
            AtlasError: the file is damaged.
        """
        try:
            return parse_names(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AtlasError(
                "{file} beside the atlas cannot be read ({fault}). Allow it.", file=FILE, fault=error.strerror
            ) from error

    def of(self, block: str, primitive: int) -> dict[str, str]:
        """{"name", "note"} of one primitive, "" where it has none.

        Raises:
            AtlasError: the file is damaged.
        """
        return self.all().get(block, {}).get(str(primitive), dict.fromkeys(LONGEST, ""))

    def give(self, block: str, primitive: int, name: str | None, note: str | None) -> dict[str, str]:
        """Change what is given, keep what is None; {"name", "note"} as they are then.

        Raises:
            AtlasError: a text that is too long, or the file cannot be read or written.
        """
        told = self.all()
        entry = give_name(told, block, primitive, name, note)
        if name is None and note is None:
            return entry
        try:
            write_atomically(self.path, written_names(told))
        except OSError as error:
            raise AtlasError(
                "Names cannot be written beside the atlas ({fault}). Copy it to a folder of yours.",
                fault=error.strerror,
            ) from error
        return entry


def give_name(told: Told, block: str, primitive: int, name: str | None, note: str | None) -> dict[str, str]:
    """Change in `told` what is given, keep what is None; {"name", "note"} as they are then.

    Raises:
        AtlasError: a text that is too long.
    """
    entry = dict(told.get(block, {}).get(str(primitive), dict.fromkeys(LONGEST, "")))
    for key, text in (("name", name), ("note", note)):
        if text is None:
            continue
        entry[key] = " ".join(text.split()) if key == "name" else text.strip()
        if len(entry[key]) > LONGEST[key]:
            raise AtlasError(_TOO_LONG[key], count=len(entry[key]), most=LONGEST[key])
    told.setdefault(block, {})[str(primitive)] = entry
    if not any(entry.values()):
        del told[block][str(primitive)]
    return entry


def parse_names(data: bytes) -> Told:
    """Names as `written_names` writes them.

    Raises:
        AtlasError: they are something else.
    """
    try:
        told = json.loads(data.decode("utf-8"))
        return {
            str(block): {
                str(int(primitive)): {key: str(entry.get(key, ""))[: LONGEST[key]] for key in LONGEST}
                for primitive, entry in entries.items()
            }
            for block, entries in told.items()
        }
    except (ValueError, AttributeError, RecursionError) as error:
        raise AtlasError(
            "This is no file of names ({fault}). Take one that was exported, or mend {file}.",
            fault=str(error),
            file=FILE,
        ) from error


def written_names(told: Told) -> bytes:
    """Names as a JSON file: block, primitive, name and note."""
    return (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()
