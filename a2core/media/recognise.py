"""Tells what a file is by its first bytes, whatever its suffix says."""

from __future__ import annotations

from typing import Literal, NamedTuple

HEAD_BYTES = 4096
"""How much of a file's beginning is looked at."""


class FileKind(NamedTuple):
    """What a file is."""

    kind: Literal["picture", "video", "other"]
    what: str
    """The format ("PNG", "MP4"), or for others the rest of a sentence: what it is and the way out."""


def recognise(head: bytes) -> FileKind:
    """What a file is that begins with these bytes, at most HEAD_BYTES of them."""
    picture = _picture_format(head)
    if picture:
        return FileKind("picture", picture)
    video = _video_format(head)
    if video:
        return FileKind("video", video)
    return FileKind("other", _what_it_is_instead(head))


def _picture_format(head: bytes) -> str | None:
    """The name of a picture format that is read here, or None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    # "BM" alone also begins plain text, so the size of the header that follows is looked at too.
    if head[:12] == b"\x00\x00\x00\x0cjP  \r\n\x87\n" or head.startswith(b"\xff\x4f\xff\x51"):
        return "JPEG 2000"
    if head[4:8] == b"ftyp":
        brands = _brands(head)
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIC_BRANDS and head[8:12] not in (b"isom", b"mp41", b"mp42", b"crx "):
            return "HEIC"
    if head[:4] == b"\x00\x00\x01\x00" and head[4:6] != b"\0\0":
        return "ICO"
    if head[:1] == b"P" and head[1:2] in b"1234567fF" and head[2:3] in b" \t\r\n#" and len(head) > 2:
        return "Netpbm"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    return "TGA" if _is_tga(head) else None


def _brands(head: bytes) -> set[bytes]:
    """What an ISO base media file says it is: AVIF and HEIC may both call themselves mif1 first."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))}


def _is_tga(head: bytes) -> bool:
    """Whether this may be a TGA: it has no mark at its beginning, but few values that its fields may have."""
    if len(head) < 18:
        return False
    coloured_by_map = head[2] in (1, 9)
    return (
        head[2] in (1, 2, 3, 9, 10, 11)
        and head[1] == coloured_by_map
        and (head[7] in (15, 16, 24, 32) if coloured_by_map else head[3:8] == bytes(5))
        and head[16] in ((8,) if coloured_by_map or head[2] in (3, 11) else (15, 16, 24, 32))
        and head[12:14] != b"\0\0"
        and head[14:16] != b"\0\0"
        and head[17] & 0xC0 == 0
    )


def _video_format(head: bytes) -> str | None:
    """The name of a video container that is read here, or None."""
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "WebM" if b"webm" in head[:64] else "MKV"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    if head[4:8] == b"ftyp" and head[8:12] not in _FTYP_BRANDS:
        return "MOV" if head[8:12] == b"qt  " else "MP4"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"pnot") and int.from_bytes(head[:4], "big") in range(
        8, 2**31
    ):
        return "MOV"  # written before there was an ftyp
    return None


_OTHER_FILES: tuple[tuple[int, bytes, str], ...] = (
    # (offset, magic bytes, what such a file is)
    (0, b"%PDF", "is a PDF document: export the page as a picture."),
    (0, b"PK\x03\x04", "is a ZIP archive or an office document: unpack it, or export the picture from it."),
    (0, b"Rar!", "is a RAR archive: unpack it first."),
    (0, b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive: unpack it first."),
    (0, b"\x1f\x8b", "is a gzip archive: unpack it first."),
    (0, b"8BPS", "is a Photoshop document: export it as PNG or JPEG."),
    (0, b"%!PS", "is a PostScript drawing: export it as PNG."),
    (0, b"\x00\x00\x02\x00", "is a Windows cursor: save it as PNG."),
    (0, b"icns", "is a macOS icon: save it as PNG."),
    (0, b"\x00\x00\x00\x0cJXL ", "is a JPEG XL picture, which is not read here: save it as PNG or JPEG."),
    (0, b"\xff\x0a", "is a JPEG XL picture, which is not read here: save it as PNG or JPEG."),
    (0, b"\x76\x2f\x31\x01", "is an OpenEXR picture, which is not read here: save it as PNG or JPEG."),
    (0, b"FUJIFILMCCD-RAW", "is a raw camera file: develop it and save it as JPEG."),
    (128, b"DICM", "is a DICOM medical image: export it as PNG."),
    (0, b"\x93NUMPY", "is a NumPy array: save it as a PNG picture."),
    (0, b"\x89HDF", "is an HDF5 data file: save its picture as PNG."),
    (0, b"\x80\x04\x95", "is a Python pickle, which is never opened here: save its picture as PNG."),
    (0, b"MZ", "is a Windows program."),
    (0, b"\x7fELF", "is a program."),
    (0, b"ID3", "holds sound only, no picture."),
    (0, b"fLaC", "holds sound only, no picture."),
    (8, b"WAVE", "holds sound only, no picture."),
    (0, b"OggS", "is an Ogg file, which is not read here: convert it to WebM."),
    (0, b"\x30\x26\xb2\x75", "is a Windows Media file, which is not read here: convert it to MP4."),
    (0, b"FLV\x01", "is a Flash video, which is not read here: convert it to MP4."),
    (0, b"\x00\x00\x01\xba", "is an MPEG program stream, which is not read here: convert it to MP4."),
    (0, b"\x00\x00\x01\xb3", "is a bare MPEG stream, which is not read here: convert it to MP4."),
    (0, b"#EXTM3U", "is a playlist, not a video: download the video itself."),
)

_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}

_FTYP_BRANDS: dict[bytes, str] = {
    b"crx ": "is a raw camera file: develop it and save it as JPEG.",
    **dict.fromkeys((b"M4A ", b"M4B "), "holds sound only, no picture."),
}


def _what_it_is_instead(head: bytes) -> str:
    """The predicate for a file that is neither: what it looks like and, where one exists, the way out."""
    if head[4:8] == b"ftyp":
        return _FTYP_BRANDS[head[8:12]]
    for offset, magic, answer in _OTHER_FILES:
        if head[offset : offset + len(magic)] == magic:
            return answer
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:
        return "is an MPEG transport stream, which is not read here: convert it to MP4."
    if not head.strip(b"\0"):
        return "holds nothing but zeros: its copy or download failed."
    text = _as_text(head)
    if text is not None:
        begin = text.lstrip("\ufeff \t\r\n").lower()
        if "<svg" in begin:
            return "is an SVG drawing: export it as PNG."
        if begin.startswith(("<!doctype html", "<html")):
            return "is a web page (HTML), not the picture on it: open the page and save the picture itself."
        return "is a text file."
    return "is neither a picture nor a video that can be read here."


def _as_text(head: bytes) -> str | None:
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = head.decode(encoding, errors="strict")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 4:  # not merely a letter cut in two
            return None
        text = head[: error.start].decode(encoding, errors="ignore")
    return text if all(c.isprintable() or c in "\t\r\n\f\ufeff" for c in text) else None
