"""Make the image of deploy/Dockerfile where no engine for containers is: its steps in clean roots of Debian.

    python deploy/try_image.py FOLDER --arg TORCH_INDEX=https://pypi.org/simple

As root, with debootstrap. `python:3.11-slim-bookworm` is made of Debian 12 with its own Python 3.11. Each
stage is a root of its own; what it copies is copied, what it runs is run in `chroot`. Then the last root is
mounted to be read only, but for /tmp, and its entry point runs as the image's user until the image's health
check is content. pip goes by this machine's settings (PIP_* and its files); --bind shows the roots a folder
that those name.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SYSTEM = ("proc", "dev", "sys")
OF_PIP = ("/etc/pip.conf", "/etc/xdg/pip", "/etc/ssl/certs/ca-certificates.crt", "/etc/resolv.conf")
FOLDERS = ("bin", "usr/bin", "usr/local/bin")
COMPILERS = ("cc", "gcc", "g++", "clang", "make", "ld")
STARTS_WITHIN_S = 300
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass
class Stage:
    """A root that is being made."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    entry: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def inside(self, path: str) -> Path:
        """Where a path of the image lies here."""
        return self.root / str(Path(self.folder, path)).lstrip("/")

    def command(self, *words: str) -> list[str]:
        """`words` in the root, as its user, in its folder."""
        env = {"PATH": PATH, "HOME": "/root", **self.args, **self.env}
        go = f"cd {shlex.quote(self.folder)} && exec {shlex.join(words)}"
        named = [f"{name}={value}" for name, value in env.items()]
        return ["chroot", f"--userspec={self.user}", str(self.root), "env", "-i", *named, "sh", "-c", go]


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Each instruction and what it says, lines that go on joined."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined if line.strip()]


def run(*words: str) -> None:
    """Run a command of this machine; an end of the script where it fails."""
    subprocess.run(words, check=True)


def base(where: Path) -> Path:
    """A Debian 12 with Python, made once."""
    root = where / "base"
    if not (root / "usr/local/bin/python").is_symlink():
        shutil.rmtree(root, ignore_errors=True)
        packages = "--include=python3,python3-venv,ca-certificates"
        run("debootstrap", "--variant=minbase", packages, "bookworm", str(root))
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    return root


def mount(root: Path, folders: list[str]) -> list[Path]:
    """Show a root the system's folders, and `folders` of this machine; what was mounted."""
    mounted = []
    for folder in (*SYSTEM, *(name.lstrip("/") for name in folders)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        run("mount", "--rbind", "--make-rslave", f"/{folder}", str(root / folder))
        mounted.append(root / folder)
    return mounted


def unmount(mounted: list[Path]) -> None:
    """Take away what was mounted, the last first."""
    for place in reversed(mounted):
        subprocess.run(["umount", "--recursive", "--lazy", str(place)], check=False)


def begin(where: Path, name: str, given: dict[str, str], binds: list[str]) -> tuple[Stage, list[Path]]:
    """A new stage from the base, with pip's settings of this machine."""
    root = where / name
    shutil.rmtree(root, ignore_errors=True)
    run("cp", "-a", str(base(where)), str(root))
    for path in map(Path, OF_PIP):
        at = root / str(path).lstrip("/")
        if path.is_dir():
            shutil.copytree(path, at, dirs_exist_ok=True)
        elif path.exists():
            at.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, at)
    of_pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return Stage(root, args={**of_pip, **given}), mount(root, binds)


def copy(stage: Stage, said: str, stages: dict[str, Stage]) -> None:
    """A COPY instruction."""
    words = said.split()
    source = REPOSITORY
    if words[0].startswith("--from="):
        source = stages[words.pop(0).partition("=")[2]].root
    *names, to = words
    target = stage.inside(to)
    for name in names:
        path = source / name.lstrip("/")
        if path.is_dir():
            run("cp", "-a", f"{path}/.", str(_made(target)))
        else:
            shutil.copy(path, _made(target) / path.name if len(names) > 1 or to.endswith("/") else target)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def do(stage: Stage, word: str, said: str, given: dict[str, str], stages: dict[str, Stage]) -> None:
    """One instruction but FROM."""
    if word == "RUN":
        print(f"RUN {said[:100]}", flush=True)
        run(*stage.command("sh", "-c", said))
    elif word == "COPY":
        copy(stage, said, stages)
    elif word == "ARG":
        name, _, default = said.partition("=")
        stage.args[name] = given.get(name, default)
    elif word == "ENV":
        for name, _, value in (one.partition("=") for one in shlex.split(said)):
            stage.env[name] = value.replace("$PATH", stage.env.get("PATH", PATH))
    elif word == "WORKDIR":
        stage.folder = said
        _made(stage.inside("."))
    elif word == "USER":
        stage.user = said
    elif word == "HEALTHCHECK":
        stage.health = json.loads(said.partition(" CMD ")[2])
    elif word == "ENTRYPOINT":
        stage.entry = json.loads(said)
    elif word != "EXPOSE":
        sys.exit(f"{word} is an instruction that this script does not know.")


def try_it(stage: Stage) -> float:
    """Run the image's entry point, its root read only, until it is healthy; after how many seconds it was."""
    places = [stage.root, stage.root / "tmp"]
    run("mount", "--bind", str(stage.root), str(stage.root))
    run("mount", "-o", "remount,bind,ro", str(stage.root))
    run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(stage.root / "tmp"))
    mounted = [*places, *mount(stage.root, [])]
    began = time.monotonic()
    with subprocess.Popen(stage.command(*stage.entry)) as server:
        try:
            while subprocess.run(stage.command(*stage.health), capture_output=True, check=False).returncode:
                if server.poll() is not None or time.monotonic() - began > STARTS_WITHIN_S:
                    sys.exit("The image's entry point does not answer.")
                time.sleep(1)
            return time.monotonic() - began
        finally:
            server.terminate()
            server.wait()
            unmount(mounted)


def main() -> None:
    """Make it, try it, tell."""
    parser = argparse.ArgumentParser(description="Make the image without an engine, and try it.")
    parser.add_argument("where", type=Path, help="a folder with 15 GB of room")
    parser.add_argument("--file", type=Path, default=REPOSITORY / "deploy" / "Dockerfile")
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help="as of docker build")
    parser.add_argument("--bind", action="append", default=[], metavar="FOLDER", help="shown to each step")
    asked = parser.parse_args()
    given = dict(one.split("=", 1) for one in asked.arg)
    _made(asked.where)
    stages: dict[str, Stage] = {}
    mounted: list[Path] = []
    try:
        for word, said in instructions(asked.file):
            if word == "FROM":
                unmount(mounted)
                name = said.partition(" AS ")[2] or "image"
                stage, mounted = begin(asked.where, name, given, asked.bind)
                stages[name] = stage
            else:
                do(stage, word, said, given, stages)
    finally:
        unmount(mounted)
    found = {name for name in COMPILERS for folder in FOLDERS if (stage.root / folder / name).exists()}
    seconds = try_it(stage)
    size = subprocess.run(["du", "-sm", str(stage.root)], capture_output=True, text=True, check=True).stdout
    print(
        f"{size.split()[0]} MB, as {stage.user}, healthy after {seconds:.0f} s; compilers: {found or 'none'}"
    )
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
