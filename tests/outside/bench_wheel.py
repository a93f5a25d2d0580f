"""The wheel as a stranger has it: a new environment, a folder outside of the repository, the two commands.

    python tests/outside/bench_wheel.py [--extras app] [--environment FOLDER]

Builds the wheel, installs it with the pins of requirements.txt (4 GB with torch for CUDA, so this is run by
hand and not with the tests), and then, in an empty folder: `a2core trace` of a photo, `a2-explorer` until it
says that it is well, the time that `import a2core` takes, and mypy over a program that uses it. Prints what
docs/install.md tells. An environment that is there is used as it is, and the wheel put into it anew.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """\
import a2core

trace: a2core.Trace = a2core.load_model("a2-lite0").trace(a2core.read_media("photo.png"), size=224)
row = a2core.effective_attention(trace.blocks["blocks.5"], (0, 2, 3))
total: float = float(row.sum())
"""
WRONG = PROGRAM + 'name: int = trace.blocks["blocks.5"].name\n'
PHOTO = """\
from PIL import Image
Image.effect_mandelbrot((448, 320), (-2, -1.2, 1, 1.2), 60).convert("RGB").save("photo.png")
"""
PATIENCE_S = 300


def main() -> int:
    """Everything in turn; the first thing that fails ends it with its own words."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--extras", default="app")
    parser.add_argument("--environment", type=Path, help="to make or to use (default: one that goes again)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        environment = (args.environment or folder / "environment").absolute()
        wheel = build(folder)
        print(f"wheel: {wheel.stat().st_size / 1e6:.1f} MB")
        install(wheel, args.extras, environment)
        print(f"environment with [{args.extras}]: {tell_sizes(environment)}")
        empty = folder / "empty"
        empty.mkdir()
        use(environment / "bin", empty)
    return 0


def build(folder: Path) -> Path:
    """The wheel of this tree."""
    run([sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "-q", "-w", str(folder)], ROOT)
    return next(folder.glob("*.whl"))


def install(wheel: Path, extras: str, environment: Path) -> None:
    """Into a new environment, or one that is there."""
    if not environment.exists():
        run([sys.executable, "-m", "venv", str(environment)], ROOT)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    pins = ["-c", str(ROOT / "requirements.txt")]
    run([*pip, *pins, f"{wheel}[{extras}]" if extras else str(wheel), "mypy"], ROOT)
    run([*pip, "--force-reinstall", "--no-deps", str(wheel)], ROOT)


def tell_sizes(environment: Path) -> str:
    """All of it, and without what torch brings for CUDA."""
    packages = next(environment.glob("lib/python*/site-packages"))
    sizes = {
        path.name: sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
        for path in packages.iterdir()
        if path.is_dir()
    }
    cuda = sum(size for name, size in sizes.items() if name.startswith(("nvidia", "triton", "cuda")))
    torch = sizes.get("torch", 0)
    rest = sum(sizes.values()) - cuda - torch
    return f"{rest / 1e6:.0f} MB, torch itself {torch / 1e6:.0f} MB, its CUDA libraries {cuda / 1e6:.0f} MB"


def use(commands: Path, empty: Path) -> None:
    """What a stranger does first, in an empty folder, where nothing of the repository is found."""
    python = str(commands / "python")
    run([python, "-c", PHOTO], empty)
    first = run(
        [str(commands / "a2core"), "trace", "photo.png", "--size", "224", "--out", "trace.npz"], empty
    )
    assert "blocks.5: n=256" in first, first
    print(f"a2core trace photo.png: {first.splitlines()[-1]}")
    print(f"import a2core: {import_s(python, empty)}")
    (empty / "mine.py").write_text(PROGRAM, encoding="utf-8")
    (empty / "wrong.py").write_text(WRONG, encoding="utf-8")
    print("mypy of a program outside:", run([python, "-m", "mypy", "mine.py"], empty).strip())
    wrong = subprocess.run(
        [python, "-m", "mypy", "wrong.py"], cwd=empty, env=environ(), capture_output=True, text=True
    )
    assert wrong.returncode == 1, wrong.stdout
    assert '"str", variable has type "int"' in wrong.stdout, wrong.stdout
    print("a wrong type in it: seen")
    print(f"a2-explorer: well after {explorer_s(commands / 'a2-explorer', empty):.1f} s")


def import_s(python: str, folder: Path) -> str:
    """Seconds of processor time, of torch alone and with us: other programs' work is not in it."""
    code = "import time; import {0}; print(time.process_time())"
    torch, ours = (float(run([python, "-c", code.format(name)], folder)) for name in ("torch", "a2core"))
    return f"{ours:.2f} s of processor time, {torch:.2f} s of it torch"


def explorer_s(command: Path, folder: Path) -> float:
    """Seconds until the explorer, begun in `folder`, says that it is well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    asked = [str(command), "--port", str(port), "--address", "127.0.0.1", "--server.headless", "true"]
    server = subprocess.Popen(asked, cwd=folder, env=environ(), stdout=subprocess.DEVNULL)
    try:
        while time.monotonic() < begun + PATIENCE_S:
            assert server.poll() is None, "it ended"
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
                    assert answer.read() == b"ok"
                    return time.monotonic() - begun
            except urllib.error.URLError:
                time.sleep(0.2)
        raise TimeoutError("the explorer did not answer")
    finally:
        server.terminate()
        server.wait()


def environ() -> dict[str, str]:
    """Ours without what points to the repository, and with a home in which nothing can be written."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("A2_", "PYTHON", "VIRTUAL"))
    }
    return {**kept, "HOME": "/nonexistent", "A2_DEVICE": "cpu"}


def run(command: list[str], folder: Path) -> str:
    """What a command says; its own words where it fails."""
    home = environ() if folder != ROOT else None
    done = subprocess.run(command, cwd=folder, env=home, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        raise SystemExit(f"{shutil.which(command[0]) or command[0]} failed")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
