"""Draws docs/house.svg, the house in one picture: `python docs/house.py`, from the repository root.

A box a package, in rows; a line where modules of one import modules of another, the thicker the more, but for
those that a way over other boxes stands for. Lines go downwards only: `tests/test_imports.py` holds that.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# From what rests on all to what all rests on; a name of a package, or of a module by itself.
ROWS = (
    ("viz_app/views",),
    ("viz_app/server", "viz_app/ui", "viz_app/components"),
    ("a2core/cli",),
    ("a2core/training", "a2core/atlas", "a2core/bench", "a2core/rival_networks"),
    ("a2core/site", "a2core/checkpoints", "a2core/export"),
    ("a2core/lesson",),
    ("a2core/canvas",),
    ("a2core/tracing",),
    ("a2core/networks", "a2core/card"),
    ("a2core/blocks", "a2core/media"),
    ("a2core/errors", "a2core/threads"),
)
BOX_PX, HIGH_PX, GAP_PX, ROW_PX, WIDE_PX = 168, 44, 32, 84, 760
STYLE = (
    "text{font:600 14px system-ui,sans-serif;fill:#22231f}.n{font-weight:400;font-size:11px;fill:#6b6a63}"
    "rect{fill:#fcfbf8;stroke:#3f4a9c;stroke-width:1.2}.app rect{stroke:#1f9a90}"
    "path{fill:none;stroke:#8c93a8;opacity:.55}"
    "@media(prefers-color-scheme:dark){text{fill:#e8e6df}.n{fill:#a5a39a}rect{fill:#1f222a;stroke:#a9b1f5}}"
)


def home_of(module: str) -> str | None:
    """The box that a dotted module name stands in."""
    path = module.replace(".", "/")
    boxes = [box for row in ROWS for box in row]
    return next((box for box in boxes if path == box or path.startswith(f"{box}/")), None)


def files_of(box: str) -> list[Path]:
    """The Python files of a box."""
    folder = ROOT / box
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imports() -> Counter[tuple[str, str]]:
    """How many imports go from one box to another; the app takes the core's public names, from a2core."""
    found: Counter[tuple[str, str]] = Counter()
    public = {
        alias.name: home_of(node.module or "")
        for node in ast.parse((ROOT / "a2core" / "__init__.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for box in (box for row in ROWS for box in row):
        for path in files_of(box):
            text = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
                    targets = {home_of(node.module) or home_of(name) for name in names}
                    if node.module == "a2core":
                        targets = {public.get(a.name) or home_of(f"a2core.{a.name}") for a in node.names}
                    found.update((box, target) for target in targets if target and target != box)
            if box.startswith("viz_app"):
                used = {name for name in public if f"a2core.{name}" in text}
                found.update((box, home) for home in {public[name] for name in used} if home)
    return found


def needed(found: Counter[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Those for which there is no way over other boxes."""

    def reached(start: str, without: tuple[str, str]) -> set[str]:
        seen: set[str] = set()
        todo = [start]
        while todo:
            here = todo.pop()
            onwards = {other for one, other in found if one == here and (one, other) != without} - seen
            seen |= onwards
            todo += onwards
        return seen

    return {line: count for line, count in found.items() if line[1] not in reached(line[0], line)}


def drawing() -> str:
    """The picture as SVG."""
    at = {}
    for depth, row in enumerate(ROWS):
        left = (WIDE_PX - len(row) * BOX_PX - (len(row) - 1) * GAP_PX) / 2
        for index, box in enumerate(row):
            at[box] = left + index * (BOX_PX + GAP_PX), 16 + depth * ROW_PX
    high = 16 + len(ROWS) * ROW_PX
    lines, boxes = [], []
    for (one, other), count in sorted(needed(imports()).items()):
        (x, y), (to_x, to_y) = at[one], at[other]
        x, to_x = x + BOX_PX / 2, to_x + BOX_PX / 2
        y, to_y = (y + HIGH_PX, to_y) if to_y > y else (y + HIGH_PX / 2, to_y + HIGH_PX / 2)
        bend = (to_y - y) / 2
        curve = f"{x:.0f} {y + bend:.0f} {to_x:.0f} {to_y - bend:.0f} {to_x:.0f} {to_y:.0f}"
        width = min(4.0, 0.8 + count / 12)
        lines.append(f'<path d="M{x:.0f} {y:.0f}C{curve}" stroke-width="{width:.1f}"/>')
    for box, (x, y) in at.items():
        part, name = box.split("/")
        files = len(files_of(box))
        many = f"{part} · {files} files" if files > 1 else part
        boxes.append(
            f'<g class="{"app" if part == "viz_app" else "core"}"><rect x="{x:.0f}" y="{y}" width="{BOX_PX}" '
            f'height="{HIGH_PX}" rx="6"/><text x="{x + 12:.0f}" y="{y + 19}">{name}</text>'
            f'<text class="n" x="{x + 12:.0f}" y="{y + 35}">{many}</text></g>'
        )
    inside = "\n".join((f"<style>{STYLE}</style>", *lines, *boxes))
    size = f'viewBox="0 0 {WIDE_PX} {high}" width="{WIDE_PX}" height="{high}"'
    kind = 'xmlns="http://www.w3.org/2000/svg" role="img" aria-label="The house"'
    return f"<svg {kind} {size}>\n{inside}\n</svg>\n"


if __name__ == "__main__":
    (ROOT / "docs" / "house.svg").write_text(drawing(), encoding="utf-8")
