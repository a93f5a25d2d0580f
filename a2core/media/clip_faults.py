"""Why a clip shows nothing: cut off, sound only, damaged. Looks at bytes, decodes nothing."""

from __future__ import annotations

import re
from pathlib import Path

from a2core.errors import MediaError
from a2core.languages import sentence


def unopened(path: Path, container: str, who: str) -> MediaError:
    """Why FFmpeg finds no video in a file."""
    with path.open("rb") as file:
        begin = file.read(1 << 20)
        file.seek(max(0, path.stat().st_size - (1 << 20)))
        both = begin + file.read()
    sound = re.search(rb"soun|auds|\x86.{1,8}?A_[A-Z]", both, re.DOTALL)
    if sound and not re.search(rb"vide|vids|\x86.{1,8}?V_[A-Z]", both, re.DOTALL):
        return MediaError("{who} holds sound only, no picture. Choose a clip with a video track.", who=who)
    if ends_early(path, container) or (container in ("MP4", "MOV") and b"moov" not in both):
        return MediaError(
            "{who} is cut off: the {container} file ends before the index that its frames need. "
            "Copy or download it again.",
            who=who,
            container=container,
        )
    return MediaError(
        "{who} is damaged or of an unusual kind: no video can be found in this {container} "
        "file. Copy it again, or convert it to MP4 (H.264).",
        who=who,
        container=container,
    )


def cut_short(held_s: float, announced_s: float) -> str:
    """The note on a clip of which only the beginning is there."""
    return sentence(
        "Cut off: only {held_s:.1f} of its {announced_s:.1f} seconds could be read.",
        held_s=held_s,
        announced_s=announced_s,
    )


def promised_more(held_s: float, announced_s: float) -> str:
    """The note on a clip whose header is wrong."""
    return sentence(
        "Its header announces {announced_s:.1f} seconds, but its frames end at {held_s:.1f}.",
        announced_s=announced_s,
        held_s=held_s,
    )


def ends_early(path: Path, container: str) -> bool:
    """Whether a file is shorter than its own outermost sizes say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
        if container == "AVI":
            return size < int.from_bytes(head[4:8], "little") + 8
        if container in ("WebM", "MKV"):
            segment = head.find(b"\x18\x53\x80\x67")
            if segment < 0 or segment + 5 > len(head):
                return False
            first = head[segment + 4]
            width = 9 - first.bit_length()
            length = int.from_bytes(head[segment + 4 : segment + 4 + width], "big") & ((1 << 7 * width) - 1)
            # All ones: a live recording, which does not know its length.
            return length != (1 << 7 * width) - 1 and segment + 4 + width + length > size
        at = 0
        for _ in range(100_000):
            file.seek(at)
            header = file.read(16)
            if len(header) < 8:
                return len(header) > 0
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length == 0:  # up to the end of the file
                return False
            if length < 8:
                return True
            at += length
            if at > size:
                return True
        return False
