"""What people call primitives: a file beside the atlas, sent along with it."""

from __future__ import annotations

import json
from pathlib import Path

from a2core.checkpoints import write_atomically
from a2core.errors import AtlasError

FILE = "names.json"
LONGEST = {"name": 80, "note": 2000}

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
            told = json.loads(self.path.read_text(encoding="utf-8"))
            return {
                str(block): {
                    str(int(primitive)): {key: str(entry.get(key, "")) for key in LONGEST}
                    for primitive, entry in entries.items()
                }
                for block, entries in told.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            raise AtlasError(
                f"{FILE} beside the atlas cannot be read ({error}). Mend it or take it away."
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
        entry = self.of(block, primitive)
        given = {
            key: " ".join(text.split()) if key == "name" else text.strip()
            for key, text in (("name", name), ("note", note))
            if text is not None
        }
        for key, text in given.items():
            if len(text) > LONGEST[key]:
                raise AtlasError(f"This {key} has {len(text)} characters. Use at most {LONGEST[key]}.")
        if not given:
            return entry
        told = self.all()
        entry = {**entry, **given}
        told.setdefault(block, {})[str(primitive)] = entry
        if not any(entry.values()):
            del told[block][str(primitive)]
        try:
            write_atomically(self.path, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())
        except OSError as error:
            raise AtlasError(
                f"Names cannot be written beside the atlas ({error.strerror}). Copy it to a folder of yours."
            ) from error
        return entry
