"""Rewrites the tables of docs/results.md from docs/measures: `python docs/results.py`, from the root.

A table stands between `<!-- measured: CHECKPOINT KIND -->` and `<!-- end -->`; it is what
docs/measures/CHECKPOINT.json holds of this kind (photos, regions, clips, classes, parts, tracks), as
`python -m a2core evaluate CHECKPOINT … --json docs/measures/CHECKPOINT.json` measured it. Nobody types it.
Between `<!-- held: CHECKPOINT -->` and `<!-- end -->` stands what was to be shown, its figures, and whether
it was (`claims`): of each claim the words are typed, the figures and the verdict are not.
Between `<!-- beside: CHECKPOINT … -->` and `<!-- end -->` stand checkpoints beside one another, a row
each, by what they do to the answers; those joined by + are seeds of one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from a2core.training.evaluate.codes import K_MEANS
from a2core.training.evaluate.intervals import said
from a2core.training.evaluate.tables import markdown, section_text

HERE = Path(__file__).resolve().parent
RESULTS, MEASURES = HERE / "results.md", HERE / "measures"
HELD = re.compile(r"(<!-- held: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
BESIDE = re.compile(r"(<!-- beside: ([^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)
PLACE = re.compile(r"(<!-- measured: (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Claim(NamedTuple):
    """What was to be shown, what was found, and what limits it where it does not hold."""

    what: str
    found: str
    holds: bool
    limit: str = ""


def claims(of: Mapping[str, Any]) -> Iterator[Claim]:
    """The claims on a checkpoint's measures, in the order in which people ask."""
    photos = of["photos"]["224"]
    over = photos["rows"]["plain trunk"]["blocks over it, top-1"]
    yield Claim(
        "top-1 over the plain trunk on photos that chose nothing, 224 px: −1 point at least, 0 in the middle",
        f"{said({key: 100 * value for key, value in over.items()}, 2)} points; agreement "
        f"{photos['agreement']['middle']:.3f}",
        over["low"] >= -0.01 and over["middle"] >= 0,
    )
    use = photos["use"]
    yield Claim(
        "`use` of each block clearly above zero",
        ", ".join(f"{name} {said(found, 4)}" for name, found in use.items()),
        all(found["low"] > 0 for found in use.values()),
    )
    for size, measured in of["regions"].items():
        for name, table in measured["blocks"].items():
            yield from _of_regions(f"{name}, {size} px", table)
    yield from _of_meaning(of)


def _of_regions(where: str, table: Mapping[str, Mapping[str, Any]]) -> Iterator[Claim]:
    block, lead = table["block"], table["cosine"]["block over it, click-AUC"]
    yield Claim(
        f"{where}: click-AUC 0.005 over the fair cosine, interval above zero",
        f"{said(lead)} (block {block['click-AUC']:.3f})",
        lead["middle"] >= 0.005 and lead["low"] > 0,
        "it reads what the cosine reads, and has to say it in n maps",
    )
    yield Claim(
        f"{where}: median reach between 2 and 40 %, no dead primitive",
        f"{100 * block['median reach']:.0f} %, {100 * block['dead']:.0f} % dead",
        0.02 <= block["median reach"] <= 0.4 and block["dead"] == 0,
    )
    rivals = {
        name: table[name]["overlap gather"] for name in ("random block", K_MEANS, f"{K_MEANS}, by nearness")
    }
    yield Claim(
        f"{where}: best-of-n overlap over the random block and k-means of the data set, equal k",
        ", ".join([f"{block['overlap gather']:.3f}", *(f"{name} {of:.3f}" for name, of in rivals.items())]),
        block["overlap gather"] > max(rivals.values()),
        "nearness to a centre draws whole things; gather maps, softly, where to take from",
    )


def _of_meaning(of: Mapping[str, Any]) -> Iterator[Claim]:
    """How many of the measures of meaning are ahead of k-means of the data set, interval above zero."""
    blocks: dict[str, dict[str, Any]] = {}
    for section in ("classes", "parts", "tracks"):
        for measured in of.get(section, {}).values():
            for name, found in measured["blocks"].items():
                blocks.setdefault(name, {}).update(found)
    for name, found in blocks.items():
        leads = {m: f["over"][K_MEANS] for m, f in found.items() if K_MEANS in f["over"]}
        ahead = [measure for measure, lead in leads.items() if lead["low"] > 0]
        behind = [measure for measure, lead in leads.items() if lead["high"] < 0]
        told = [f"ahead: {', '.join(ahead) or 'none'}", f"behind: {', '.join(behind) or 'none'}"]
        told += [f"not told apart: {', '.join(m for m in leads if m not in (*ahead, *behind)) or 'none'}"]
        yield Claim(
            f"{name}: ahead of k-means of the data set on four measures of meaning, interval above zero",
            f"{len(ahead)} of {len(leads)} ({'; '.join(told)})",
            len(ahead) >= 4,
            "tied to one kind of thing only as far as finding things in a picture hardly suffers",
        )
        lead = found["deletion"]["over"]["by chance"]
        yield Claim(
            f"{name}: deletion by first order better than by chance: less area, interval below zero",
            said(lead),
            lead["high"] < 0,
        )


def beside(seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    """The cells of one row: parameters, and by size top-1 over the plain trunk in points, and agreement.

    Of several seeds the mean, with the lowest and the highest; of one its interval.
    """
    sizes = seeds[0]["photos"]
    cells = [f"{sizes['224']['parameters']:,}"]
    for size in sizes:
        found = [of["photos"][size]["rows"]["plain trunk"]["blocks over it, top-1"] for of in seeds]
        means = [over["middle"] for over in found]
        over = {"middle": sum(means) / len(means), "low": min(means), "high": max(means)}
        cells.append(said({key: 100 * of for key, of in (over if len(seeds) > 1 else found[0]).items()}, 2))
    agreements = [of["photos"]["224"]["agreement"]["middle"] for of in seeds]
    return [*cells, f"{sum(agreements) / len(agreements):.3f}"]


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

    def held(place: re.Match[str]) -> str:
        start, checkpoint, end = place.groups()
        measures = json.loads((folder / f"{checkpoint}.json").read_text(encoding="utf-8"))
        rows = [
            (
                claim.what,
                claim.found,
                "held" if claim.holds else "not held",
                "" if claim.holds else claim.limit,
            )
            for claim in claims(measures)
        ]
        return "\n".join([start, markdown(["to be shown", "found", "", "what limits it"], rows), "", end])

    def rows_of(place: re.Match[str]) -> str:
        start, names, end = place.groups()
        rows, sizes = [], []
        for name in names.split():
            files = [folder / f"{seed}.json" for seed in name.split("+")]
            seeds = [json.loads(path.read_text(encoding="utf-8")) for path in files]
            sizes = [size if size == "native" else f"{size} px" for size in seeds[0]["photos"]]
            called = files[0].stem + (f", {len(seeds)} seeds" if len(seeds) > 1 else "")
            rows.append([called, *beside(seeds)])
        over = (f"over the plain trunk, {size}" for size in sizes)
        columns = ["", "parameters", *over, "agreement, 224 px"]
        return "\n".join([start, markdown(columns, rows), "", end])

    text = BESIDE.sub(rows_of, text)
    return HELD.sub(held, PLACE.sub(table, text))


if __name__ == "__main__":
    RESULTS.write_text(written(RESULTS.read_text(encoding="utf-8")), encoding="utf-8")
