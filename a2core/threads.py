"""How many threads to work with: the cores that this process may use, not those that the machine has.

A container's quota of processor time is invisible to torch, OpenCV and FFmpeg: on a machine of 64 cores each
would start 64 threads in a container of two, which then wait for one another. A user who sets
OMP_NUM_THREADS, the variable that torch itself reads, has the last word for all three.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_PROCESS = Path("/proc/self")


def usable_cores(process: Path = _PROCESS) -> int:
    """Cores that this process may keep busy, 1 at least.

    The smallest of: the machine's, those that it is pinned to, and the quota of each control group (v1 or v2)
    on the way from its own to the outermost that can be seen. A part of a core counts as one: what is left
    of a quota would lie idle.

    Args:
        process: where the kernel tells about it: the files `cgroup` and `mountinfo`. Other systems have
            none, nor quotas.
    """
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # Linux
        cores = min(cores, len(os.sched_getaffinity(0)))
    quotas = [quota for group in _groups(process) if (quota := _quota_of(group)) is not None]
    return max(1, min([cores, *map(math.ceil, quotas)]))


def threads_wanted() -> int:
    """Threads for one piece of work: OMP_NUM_THREADS where it is set, else the usable cores."""
    return _set_by_user() or usable_cores()


def use_cores() -> int:
    """Give torch and OpenCV as many threads as are wanted; how many that is.

    For programs, when they start: importing the package changes nothing. Where OMP_NUM_THREADS is set, torch
    has read it already and is left as it is.
    """
    import cv2
    import torch

    wanted = threads_wanted()
    if _set_by_user() is None:
        torch.set_num_threads(wanted)
    cv2.setNumThreads(wanted)
    return wanted


def _set_by_user() -> int | None:
    """OMP_NUM_THREADS; of a list, a number for each level of nesting, the first. None: no number is set."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def _groups(process: Path) -> Iterator[Path]:
    """Folders of the control groups that share out processor time to the process, innermost first."""
    try:
        memberships = (process / "cgroup").read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        mounts = (process / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError:
        return
    groups: dict[str, PurePosixPath] = {}  # the process's own, by file system: "cgroup" (v1), "cgroup2"
    for line in filter(None, memberships):  # "4:cpu,cpuacct:/docker/3f" of v1, "0::/docker/3f" of v2
        _, controllers, name = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            groups["cgroup" if controllers else "cgroup2"] = PurePosixPath(name)
    for line in mounts:  # "32 31 0:29 /docker/3f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu"
        before, _, after = line.partition(" - ")
        place, kind = before.split(), after.split()
        if len(place) < 5 or len(kind) < 3 or kind[0] not in groups:
            continue
        if kind[0] == "cgroup" and "cpu" not in kind[2].split(","):
            continue
        # A container may see the tree from its own group on, and be told the group's path from further out.
        seen_from, mounted_at = PurePosixPath(_unescaped(place[3])), Path(_unescaped(place[4]))
        group = groups[kind[0]]
        below = group.relative_to(seen_from) if group.is_relative_to(seen_from) else PurePosixPath()
        if ".." in below.parts:  # a group outside of what this process may see
            below = PurePosixPath()
        yield from (mounted_at / step for step in (below, *below.parents))


def _quota_of(group: Path) -> float | None:
    """Cores that a control group may keep busy; None where it has no quota."""
    words = _words(group / "cpu.max")  # v2: "150000 100000", or "max 100000"
    if not words:  # v1, -1 for none
        words = [*_words(group / "cpu.cfs_quota_us"), *_words(group / "cpu.cfs_period_us")]
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        return None
    quota, period = map(int, words)
    return quota / period if quota > 0 and period > 0 else None


def _words(file: Path) -> list[str]:
    """What stands in a file; nothing where it is not there."""
    try:
        return file.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []


def _unescaped(path: str) -> str:
    r"""A path as mountinfo writes it: a space is \040."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), path)
