"""Pictures and clips found in folders."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

PICTURES = frozenset(
    {
        *(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
        *(".ppm", ".pgm", ".avif", ".heic", ".heif", ".jp2"),
    }
)
CLIPS = frozenset({".mp4", ".webm", ".mov", ".avi", ".mkv", ".m4v"})
# Folders that systems and programs put among photos, full of copies, thumbnails and what was thrown away.
NO_FOLDERS = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"}


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is none of the user's photos: `._1.jpg`, `.ipynb_checkpoints`."""
    return name.startswith(".") or name in NO_FOLDERS


def files_below(
    folder: Path,
    suffixes: Collection[str],
    fault: Callable[[Path, OSError], None],
    _above: tuple[tuple[int, int], ...] = (),
) -> Iterator[Path]:
    """All files below `folder` with one of `suffixes`, nothing hidden; links are followed, but in no circle.

    In no particular order. `fault` is told of each folder that cannot be looked into, and may raise.
    """
    try:
        at = folder.stat()
        paths = [path for path in folder.iterdir() if not is_hidden(path.name)]
    except OSError as error:
        fault(folder, error)
        return
    here = (at.st_dev, at.st_ino)
    if here in _above:
        return
    for path in paths:
        if path.is_dir():
            yield from files_below(path, suffixes, fault, (*_above, here))
        elif path.suffix.lower() in suffixes and path.is_file():
            yield path
