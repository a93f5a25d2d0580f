"""What was measured, as tables for people and as the entries of a checkpoint's card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from a2core.training.evaluate.compared import Compared
from a2core.training.evaluate.intervals import said
from a2core.training.evaluate.measures import OF_ATTENTION, OF_PRIMITIVES
from a2core.training.evaluate.on_photos import OURS
from a2core.training.evaluate.on_regions import Table
from a2core.training.evaluate.pictures import enlarged_words

# "dead" is of all pictures together (`on_regions.Row`).
COLUMNS = sorted({**OF_ATTENTION, **OF_PRIMITIVES, "dead": None}, key=lambda name: name == "redundancy")
OVER = "block over it, "
MEANING = {
    "classes": "primitives on classes",
    "parts": "primitives on parts",
    "tracks": "primitives on clips",
}


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as Markdown has it, its first column the names of the rows."""
    rows = list(rows)
    widths = [max(len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(w) if at == 0 else cell.rjust(w)
            for at, (cell, w) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    return "\n".join([line(columns), "|" + "---|" * len(columns), *map(line, rows)])


def table_of(table: Table) -> str:
    """One row a method, one column a measure; how far the block is over it where that was measured."""
    columns = [column for column in COLUMNS if any(column in row for row in table.values())]
    over = [f"{OVER}{c}" for c in columns if any(f"{OVER}{c}" in row for row in table.values())]
    rows = []
    for method, row in table.items():
        cells = [f"{row[c]:.3f}" if c in row else "–" for c in columns]
        cells += [said(row[c]) if c in row else "–" for c in over]
        rows.append([f"{method}, k = {row['k']}" if "k" in row else method, *cells])
    return markdown(["", *columns, *over], rows)


def photos_table(measured: Mapping[str, Any]) -> str:
    """Top-1 and top-5 of the network and of what stands beside it, and the block's lead in points."""
    rows = measured["rows"]
    labels = [label for label in ("top-1", "top-5") if label in rows[OURS]]
    lines = []
    for name, row in rows.items():
        cells = [f"{row[label]:.1%}".replace("%", " %") for label in labels]
        over = [row.get(f"{OVER.replace('block', 'blocks')}{label}") for label in labels]
        cells += ["–" if of is None else said({k: 100 * v for k, v in of.items()}, 2) for of in over]
        lines.append([name, *cells])
    return markdown(["", *labels, *(f"blocks over it, {label}, points" for label in labels)], lines)


def photos_words(measured: Mapping[str, Any]) -> str:
    """What is told beside that table: agreement, use, the size of the blocks."""
    use = ", ".join(f"{name} {said(of, 4)}" for name, of in measured["use"].items())
    return (
        f"agreement with the plain trunk {_plainly(measured['agreement'])}; use, KL in nats: {use}; "
        f"{measured['parameters']:,} parameters in the blocks"
    )


def _plainly(of: Mapping[str, float]) -> str:
    return f"{of['middle']:.3f} [{of['low']:.3f}, {of['high']:.3f}]"


def meaning_tables(blocks: Mapping[str, Mapping[str, Compared]], conditions: str) -> str:
    """What primitives mean, a table for each block: methods, then how far one is over others."""
    told = []
    for name, measures in blocks.items():
        for of in dict.fromkeys(found["of"] for found in measures.values()):
            mine = {measure: found for measure, found in measures.items() if found["of"] == of}
            methods = dict.fromkeys([of, *(method for found in mine.values() for method in found["rows"])])
            rivals = dict.fromkeys(rival for found in mine.values() for rival in found["over"])
            rows = [
                [
                    method,
                    *(_plainly(f["rows"][method]) if method in f["rows"] else "–" for f in mine.values()),
                ]
                for method in methods
            ] + [
                [
                    f"{of} over {rival}",
                    *(said(f["over"][rival]) if rival in f["over"] else "–" for f in mine.values()),
                ]
                for rival in rivals
            ]
            columns = [f"{measure}, over {found['by']}" for measure, found in mine.items()]
            told.append(f"{name}, {conditions}\n\n{markdown(['', *columns], rows)}")
    return "\n\n".join(told)


def section_text(section: str, size: str, entry: Mapping[str, Any]) -> str:
    """All that was measured of one kind at one size, with its conditions, as Markdown."""
    at = _px(size)
    if section == "photos":
        half = f", the {entry['half']} half" if entry["half"] else ""
        title = (
            f"{entry['photos']} photos of {entry['folder']}{half}, at {at}, all {entry['classes']} classes"
        )
        told = [f"{title}\n\n{photos_table(entry)}", photos_words(entry)]
    elif section in MEANING:
        told = [
            meaning_tables(
                entry["blocks"], f"{entry['pictures']} {entry['what']} of {entry['folder']} at {at}"
            )
        ]
    else:
        clips = f" as clips of {entry['frames']} frames" if section == "clips" else ""
        told = [
            f"{name} at {at}, {entry['pictures']} pictures{clips}\n\n{table_of(table)}"
            for name, table in entry["blocks"].items()
        ]
    enlarged = enlarged_words(entry["enlarged"], size)
    return "\n\n".join([*told, *([enlarged] if enlarged else [])])


def card_metrics(results: Mapping[str, Any]) -> dict[str, Any]:
    """The measures as a checkpoint's card holds them and the About page shows them: few, and in words."""
    metrics: dict[str, Any] = {}
    for section in ("regions", "clips"):
        for size, entry in results.get(section, {}).items():
            clips = f" as clips of {entry['frames']} frames" if section == "clips" else ""
            left = f", those of {entry['left out']} left out" if entry["left out"] else ""
            metrics[f"regions at {_px(size)}{clips}"] = {
                "measured on": f"{entry['pictures']} pictures of {entry['folder']}{clips}{left}",
                "command": entry["command"],
            } | {name: _card_lines(table) for name, table in entry["blocks"].items()}
    for size, entry in results.get("photos", {}).items():
        half = f", the {entry['half']} half" if entry["half"] else ""
        metrics[f"photos at {_px(size)}"] = {
            "measured on": f"{entry['photos']} photos of {entry['folder']}{half}, "
            f"all {entry['classes']} classes",
            "command": entry["command"],
        } | _card_photos(entry)
    for section, found in MEANING.items():
        for size, entry in results.get(section, {}).items():
            metrics[f"{found} at {_px(size)}"] = {
                "measured on": f"{entry['pictures']} {entry['what']} of {entry['folder']}",
                "command": entry["command"],
            } | {name: _card_meaning(measures) for name, measures in entry["blocks"].items()}
    return metrics


def _card_meaning(measures: Mapping[str, Compared]) -> dict[str, Any]:
    lines: dict[str, Any] = {}
    for measure, found in measures.items():
        for method, of in found["rows"].items():
            label = measure if method == found["of"] else f"{measure}, {method}"
            lines[label] = round(of["middle"], 3)
        for rival, of in list(found["over"].items())[:1]:
            lines[f"{measure}, over {rival}, 95 % interval"] = [of["low"], of["high"]]
    return lines


def _px(size: str) -> str:
    return "native size" if size == "native" else f"{size} pixels"


def _card_lines(table: Table) -> dict[str, Any]:
    lines = {
        label: round(table[method][measure], 3)
        for label, method, measure in _CARD_LINES
        if measure in table.get(method, {})
    }
    for label, method, measure in _OVER:
        over = table.get(method, {}).get(f"{OVER}{measure}")
        if over is not None:
            lines[f"{label}, 95 % interval"] = [over["low"], over["high"]]
    return lines


def _card_photos(entry: Mapping[str, Any]) -> dict[str, Any]:
    lines: dict[str, Any] = {}
    for label in ("top-1", "top-5"):
        for name, row in entry["rows"].items():
            if label in row:
                shown = {OURS: label, "plain trunk": f"{label} plain trunk"}.get(name, f"{label}, {name}")
                lines[shown] = row[label]
        over = entry["rows"]["plain trunk"].get(f"blocks over it, {label}")
        if over is not None:
            lines[f"{label} difference"] = over["middle"]
            lines[f"{label} difference, 95 % interval"] = [over["low"], over["high"]]
    lines["agreement with the plain trunk"] = entry["agreement"]["middle"]
    lines["use (KL, nats)"] = {name: of["middle"] for name, of in entry["use"].items()}
    return lines


# What a card says, by whom and by which measure; of measures that are not named here, the block's own.
_SAID = (
    ("click-AUC", "block", "click-AUC"),
    ("click-AUC, cosine", "cosine", "click-AUC"),
    ("click-AUC, target", "target", "click-AUC"),
    ("click-AUC, random", "random block", "click-AUC"),
    ("overlap", "block", "overlap gather"),
    ("overlap, k-means", "k-means", "overlap gather"),
    ("overlap, k-means of the data set", "k-means, data set", "overlap gather"),
    ("overlap, k-means by nearness", "k-means, data set, by nearness", "overlap gather"),
    ("overlap, NMF", "NMF", "overlap gather"),
    ("overlap, NMF of the data set", "NMF, data set", "overlap gather"),
    ("overlap, random", "random block", "overlap gather"),
    ("overlap of ρ", "block", "overlap rho"),
    ("median reach", "block", "median reach"),
    ("dead", "block", "dead"),
    ("redundancy", "block", "redundancy"),
)
_OVER = (
    ("click-AUC, over cosine", "cosine", "click-AUC"),
    ("overlap, over k-means of the data set", "k-means, data set", "overlap gather"),
)
_CARD_LINES = (
    *_SAID,
    *((name, "block", name) for name in COLUMNS if name not in {measure for _, _, measure in _SAID}),
)
