"""Words that several pages share, and text made fit to stand where it is shown; pure.

What one page alone says is in the `content.py` of its folder.
"""

from __future__ import annotations

import re

from viz_app.ui import language

NO_CHECKPOINT = "There is no checkpoint to use. Put a .safetensors file with its card into checkpoints/."
APP = "A² explorer"
PAGES = {
    "explore": "Explore",
    "learn": "Learn",
    "compare": "Compare",
    "experiment": "Experiment",
    "primitives": "Primitives",
    "about": "About",
}
READ_IN = "Read in {language}"
STOP = "Stop"
BLOCK = "Block"
A_CELL = "row {row}, column {col}"
UNEXPECTED = (
    "Something went wrong here that should not have. The details are in the server's log; reload the page "
    "to go on, or choose another picture."
)
NO_UPLOADS = (
    "No files here: in this frame the browser keeps back the cookie that uploads are checked by. {instead} "
    "Who runs the server can set `server.enableXsrfProtection = false`."
)
NO_CAMERA = (
    "The page around this one does not lend it the camera: the frame there needs "
    "<code>allow=&quot;camera&quot;</code>."
)
OWN_TAB, OWN_TAB_LINK = "Open the explorer by itself.", "[Open the explorer by itself]({url})."
NO_ROOM_FOR_FILE = "There is no room to keep the file of {title}: other frames of it cannot be chosen."

LINK_TITLE = "This page, on other screens"
LINK_CODE = "The link as a code for a phone’s camera"
COPIED = "The link is copied."
THIS_MACHINE_ONLY = (
    "It leads to this machine itself. For other screens open the explorer by the machine’s name in the "
    "network, and ask for the link again."
)
PICTURE_STAYS = (
    "The picture is your own and does not travel: whoever opens the link drops the same file there."
)
SITE_CODE = "The address for phones as a code"
SITE = (
    "For phones: the explorer in their own browser, with their own photos and camera, which stay on them. It "
    "opens on its own picture, not on this one."
)
SOMEBODY = "somebody unnamed"
NOTHING_KEPT = "Nothing kept yet"
BETWEEN = ", "  # parts of a line


def picture(name: str, title: str) -> str:
    """What a picture is called: `name` is a sample's, by which another language knows it."""
    return title


def block_word(word: str) -> str:
    """What the cells of a block are the size of, as a card or the canvas has it."""
    return word


def stop(here: int | None, count: int, title: str, pin: int) -> str:
    """Where in the list of kept pictures a page is; `here` counts from 0, `pin` from 1."""
    if here is None:
        return f"{count} kept" if count else NOTHING_KEPT
    return f"{here + 1} / {count} {title}" + (f", pin {pin}" if pin else "")


def waiting(what: str, ahead: int) -> str:
    """How a piece of work stands, for who waits for it and has `ahead` others before them."""
    return f"{what}: {ahead} before you" if ahead else what


def credit(author: str, licence: str) -> str:
    """Whose a picture is that was made smaller and cut; both may be links."""
    return f"Photo by {author}, {licence}, made smaller; crops of it are cut."


def used(share: str) -> str:
    """How much of what a block hands out is of one primitive."""
    return f"use {share}"


def reaches(share: str) -> str:
    """How evenly that is spread over the pictures of an atlas."""
    return f"reach {share}"


def over(count: int, said: str) -> str:
    """What was measured over so many pictures."""
    return f"over {count:,} pictures {said}"


def file_stem(picture_title: str) -> str:
    """A picture's title as the beginning of a file name that every system takes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", picture_title.rsplit(".", 1)[0]).strip("-").lower() or "picture"


def short_name(name: str, longest: int = 18) -> str:
    """A file name short enough for a label, its beginning and its suffix kept."""
    name = "".join(c if c.isprintable() else "?" for c in name) or "your picture"
    return name if len(name) <= longest else f"{name[: longest - 8]}…{name[-7:]}"


def as_markdown(text: str) -> str:
    """`text` so that Markdown shows it as it stands: a file may be called `*$x$_[1].png`."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])", r"\\\1", text)


language.in_each_language(__name__)
