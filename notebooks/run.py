"""Runs the notebooks; with --write it also keeps what they show.

A cell that fails fails the run. A widget's state is not kept, so that files stay small.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
LARGEST_BYTES = 150_000  # of a notebook with its outputs
VIEW = "application/vnd.jupyter.widget-view+json"


def run(path: Path) -> Any:
    """The notebook at `path`, with what its cells show; the first cell that fails raises."""
    notebook = nbformat.read(path, as_version=4)
    settings = {"timeout": 600, "kernel_name": "python3", "store_widget_state": False}
    client = NotebookClient(notebook, resources={"metadata": {"path": str(HERE.parent)}}, **settings)
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran says nothing
    return notebook


def quiet(notebook: Any) -> Any:
    """Without references to widgets of a kernel that is gone: the picture beside them stays."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(VIEW, None)
    return notebook


def main() -> int:
    """All of them in turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--write", action="store_true", help="keep the outputs")
    args = parser.parse_args()
    for path in sorted(HERE.glob("*.ipynb")):
        text = nbformat.writes(quiet(run(path))) + "\n"
        assert len(text.encode()) <= LARGEST_BYTES, (
            f"{path.name} is {len(text.encode())} bytes with its outputs"
        )
        if args.write:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.name}: every cell ran, {len(text.encode()) / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
