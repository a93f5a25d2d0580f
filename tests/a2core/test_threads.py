"""Threads follow a container's quota: control groups made up in a folder, as the kernel writes them."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import av
import cv2
import pytest
import torch

from a2core import threads
from a2core.media import read_media
from tests.a2core.media.media_files import counter_clip


@pytest.fixture(autouse=True)
def sixty_four_cores(monkeypatch):
    """A large machine, on which nobody has set OMP_NUM_THREADS."""
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


class Machine:
    """A process as the kernel tells about it, its control groups in a folder."""

    def __init__(self, folder: Path) -> None:
        self.process, self.tree = folder / "proc self", folder / "sys fs cgroup"
        self.process.mkdir()
        self.tree.mkdir()

    def told(self, memberships: list[str], mounts: list[tuple[str, Path, str]]) -> Path:
        (self.process / "cgroup").write_text("".join(f"{line}\n" for line in memberships))
        lines = ["22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"]
        for seen_from, point, kind in mounts:
            escaped = str(point).replace(" ", "\\040")
            lines.append(f"31 22 0:27 {seen_from} {escaped} rw,nosuid shared:9 - {kind}\n")
        (self.process / "mountinfo").write_text("".join(lines))
        return self.process

    def group(self, path: str, **files: str) -> None:
        folder = self.tree / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("cpu_", "cpu.", 1)).write_text(text + "\n")

    def v2(self, path: str, seen_from: str = "/") -> Path:
        return self.told([f"0::{path}"], [(seen_from, self.tree, "cgroup2 cgroup2 rw,nsdelegate")])

    def v1(self, path: str, seen_from: str = "/") -> Path:
        memberships = ["5:memory:/elsewhere", f"4:cpu,cpuacct:{path}", "1:name=systemd:/elsewhere", "0::/"]
        other = self.tree.parent / "memory"
        return self.told(
            memberships,
            [("/", other, "cgroup cgroup rw,memory"), (seen_from, self.tree, "cgroup cgroup rw,cpu,cpuacct")],
        )


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),  # a part of a core counts as one
        ("50000 100000", 1),
        ("max 100000", 64),
        ("9900000 100000", 64),  # more than there are
        ("0 0", 64),
        ("", 64),
        ("three cores", 64),
    ],
)
def test_the_quota_of_a_container_is_the_number_of_cores(machine, text, cores):
    machine.group("", cpu_max=text)
    assert threads.usable_cores(machine.v2("/")) == cores


def test_of_nested_groups_the_smallest_quota_counts_wherever_it_stands(machine):
    machine.group("kubepods", cpu_max="400000 100000")
    machine.group("kubepods/pod 7", cpu_max="150000 50000")
    machine.group("kubepods/pod 7/app", cpu_max="max 100000")
    machine.group("kubepods/other", cpu_max="100000 100000")  # no ancestor of ours
    assert threads.usable_cores(machine.v2("/kubepods/pod 7/app")) == 3
    machine.group("kubepods/pod 7/app", cpu_max="100000 100000")
    assert threads.usable_cores(machine.v2("/kubepods/pod 7/app")) == 1
    assert threads.usable_cores(machine.v2("/kubepods")) == 4


def test_version_1_of_control_groups_has_its_own_files(machine):
    machine.group("slice", cpu_cfs_quota_us="500000", cpu_cfs_period_us="100000")
    machine.group("slice/job", cpu_cfs_quota_us="-1", cpu_cfs_period_us="100000")
    assert threads.usable_cores(machine.v1("/slice/job")) == 5
    assert threads.usable_cores(machine.v1("/")) == 64


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_container_that_is_told_its_path_from_outside_finds_its_quota_at_the_mount(machine, version):
    machine.group("", cpu_max="300000 100000") if version == "v2" else machine.group(
        "", cpu_cfs_quota_us="300000", cpu_cfs_period_us="100000"
    )
    told = getattr(machine, version)
    assert threads.usable_cores(told("/docker/3f", seen_from="/docker/3f")) == 3
    assert threads.usable_cores(told("/docker/3f", seen_from="/docker/3")) == 3
    assert threads.usable_cores(told("/../../outside")) == 3


def test_a_process_pinned_to_some_cores_uses_those_and_a_system_without_groups_or_pinning_all(
    machine, tmp_path, monkeypatch
):
    assert threads.usable_cores(tmp_path / "none") == 64
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7})
    machine.group("", cpu_max="800000 100000")
    assert threads.usable_cores(machine.v2("/")) == 3
    monkeypatch.delattr(os, "sched_getaffinity")  # macOS, Windows
    assert threads.usable_cores(tmp_path / "none") == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.usable_cores(tmp_path / "none") == 1


@pytest.mark.parametrize(
    ("said", "wanted"), [("3", 3), ("5,2", 5), (" 2 ", 2), ("many", 7), ("0", 7), ("", 7)]
)
def test_the_users_own_number_wins(monkeypatch, said, wanted):
    monkeypatch.setattr(threads, "usable_cores", lambda: 7)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads.threads_wanted() == wanted


@pytest.fixture
def threads_put_back():
    before = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.mark.usefixtures("threads_put_back")
def test_torch_and_opencv_work_with_so_many_and_torch_keeps_what_the_user_set(monkeypatch):
    monkeypatch.setattr(threads, "usable_cores", lambda: 3)
    assert threads.use_cores() == 3
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 3)
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert threads.use_cores() == 2
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (1, 2)


@pytest.mark.usefixtures("threads_put_back")
def test_the_command_line_sets_them_when_it_starts(monkeypatch):
    monkeypatch.setattr(threads, "usable_cores", lambda: 3)
    monkeypatch.setattr(sys, "argv", ["a2core", "checkpoints"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("a2core", run_name="__main__")
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, 3)


def test_a_clip_is_decoded_by_no_more_threads_than_the_quota_allows(tmp_path, monkeypatch):
    seen = []
    real = av.open

    class Watched:
        """A container that says, when it is closed, how many threads it was decoded with."""

        def __init__(self, *args, **options):
            self.container = real(*args, **options)

        def __getattr__(self, name):
            return getattr(self.container, name)

        def close(self):
            seen.extend(track.codec_context.thread_count for track in self.container.streams.video)
            self.container.close()

    path = counter_clip(tmp_path / "clip.webm", "VP80", 8)
    monkeypatch.setattr(av, "open", Watched)
    monkeypatch.setattr(threads, "usable_cores", lambda: 3)
    read_media(path)
    assert set(seen) == {3}
    seen.clear()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    read_media(path)
    assert set(seen) == {2}
