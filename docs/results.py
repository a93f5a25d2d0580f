"""Rewrites the tables of docs/results.md from docs/measures: `python docs/results.py`, from the root.

A table stands between `<!-- measured: CHECKPOINT KIND -->` and `<!-- end -->`; it is what
docs/measures/CHECKPOINT.json holds of this kind (photos, regions, clips, classes, parts, tracks), as
`python -m a2core evaluate CHECKPOINT … --json docs/measures/CHECKPOINT.json` measured it. Nobody types it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from a2core.training.evaluate.tables import section_text

HERE = Path(__file__).resolve().parent
RESULTS, MEASURES = HERE / "results.md", HERE / "measures"
PLACE = re.compile(r"(<!-- measured: (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str, folder: Path = MEASURES) -> str:
    """The text with every table as the measures in `folder` have it.

    Raises:
        SystemExit: a table of which there are no measures.
    """

    def table(place: re.Match[str]) -> str:
        start, checkpoint, kind, end = place.groups()
        path = folder / f"{checkpoint}.json"
        measures = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if kind not in measures:
            raise SystemExit(f"{path} has nothing of {kind}. Measure it, or leave its place out of the text.")
        told = [section_text(kind, size, entry) for size, entry in measures[kind].items()]
        commands = dict.fromkeys(entry["command"] for entry in measures[kind].values())
        shell = "\n".join(["```sh", *commands, "```"])
        return "\n\n".join([start + shell, *told, end])

    return PLACE.sub(table, text)


if __name__ == "__main__":
    RESULTS.write_text(written(RESULTS.read_text(encoding="utf-8")), encoding="utf-8")
