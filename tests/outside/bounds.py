"""The bounds of pyproject.toml, tried: tests in a new environment with the lowest or the newest of all.

    python tests/outside/bounds.py lowest      # each dependency at the bound that pyproject.toml states
    python tests/outside/bounds.py newest      # each at the newest that the index has today
    python tests/outside/bounds.py lowest --python python3.13 --in low --tests tests/a2core -n 2

The package is installed as its users install it, with the extra `all`, and the tests of the tree run there.
Not a part of the tests: an environment takes gigabytes, and minutes to fetch. A bound is a release, so
that it can be installed: `tests/test_package.py` holds each to its form.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What the tests themselves need, as requirements.txt pins it; nothing of ours.
TOOLS = ("pytest", "pytest-xdist", "hypothesis", "hatchling")
# The core and what looks at it; of the app what needs no browser.
TESTS = (
    "tests/a2core/blocks",
    "tests/a2core/networks",
    "tests/a2core/tracing",
    "tests/a2core/media",
    "tests/a2core/canvas",
    "tests/a2core/export",
    "tests/a2core/atlas",
    "tests/a2core/lesson",
    "tests/viz_app/views",
)


def bounds() -> dict[str, str]:
    """The lowest version of each direct dependency, by its name, as pyproject.toml states it.

    Raises:
        ValueError: a dependency states no lower bound.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    found = {}
    for one in stated:
        if one.startswith("a2nets["):
            continue
        said = re.fullmatch(r"([A-Za-z0-9_.-]+)>=([0-9.]+)(,<[0-9.]+)?", one)
        if said is None:
            raise ValueError(f"{one} states no lower bound")
        found[said[1]] = said[2]
    return found


def tools() -> list[str]:
    """The pins of TOOLS."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    return [line for line in lines if line.split("==")[0] in TOOLS]


def install(which: str, folder: Path, base: str) -> Path:
    """Make the environment in `folder` with the interpreter `base`; the environment's own."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([base, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    constraints = folder / "bounds.txt"
    lines = [f"{name}=={version}" for name, version in bounds().items()] if which == "lowest" else []
    constraints.write_text("\n".join(lines) + "\n", encoding="utf-8")
    newest = ["--upgrade", "--upgrade-strategy", "eager"] if which == "newest" else []
    subprocess.run([*pip, *newest, "-c", str(constraints), f"{ROOT}[all]", *tools()], check=True)
    return python


def main(argv: list[str] | None = None) -> int:
    """Install, say what is installed, run the tests; their exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", choices=("lowest", "newest"))
    parser.add_argument("--python", default=sys.executable, help="the interpreter, 3.11 or newer")
    parser.add_argument("--in", dest="folder", type=Path, help="where the environment is made, and stays")
    parser.add_argument("--tests", nargs="+", default=list(TESTS))
    args, others = parser.parse_known_args(argv)
    with tempfile.TemporaryDirectory(prefix="a2-bounds-") as temporary:
        python = install(args.which, (args.folder or Path(temporary)).absolute(), args.python)
        print(said_by(python, "--version"))
        listed = said_by(python, "-m", "pip", "list", "--format=freeze").splitlines()
        print(*(one for one in listed if one.split("==")[0].lower() in bounds()), flush=True)
        run = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args.tests, *others]
        return subprocess.run(run, cwd=ROOT).returncode


def said_by(python: Path, *arguments: str) -> str:
    """What an interpreter prints."""
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
