"""Pictures and clips that can be traced: whose they are, and their frames, shared by content on the server.

Not in here: where they come from (`samples.py`, `uploads.py`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from a2core import Clip
from a2core.canvas import data_url
from viz_app.server import visitors
from viz_app.server.store import PUBLIC, Entry, loose

FRAMES = 16  # of a clip, unless somebody chooses another number
DECODED_SIDE_PX = 1344  # of a picture, twice the largest size: sharp enough, quick to shrink
MOVING_SIDE_PX = 672  # of a clip's frames, which are many: as large as any size
THUMBNAIL_PX = 112  # drawn at half that size, for sharp screens


@dataclass(frozen=True)
class Cut:
    """Which frames are taken: `count` of them between two times in seconds."""

    start_s: float
    end_s: float
    count: int


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture or clip that can be traced: a sample, or what a visitor brought.

    The frames are the server's, which shares them by content and may let them go; what a file is called
    and what is said of it are this visitor's alone.

    Attributes:
        id: names its file in an address.
        content: names its frames and their times.
        held: the frames as a Clip without a name.
        frames: how many there are.
        thumbnail: a data URL.
        spot: where the first probe is put, as (x, y) fractions; None for where the block changes its input
            the most.
        cut: of a clip whose frames can be chosen: which were.
        name, notes: of the clip, as the visitor sees them.
        public: no visitor brought it.
    """

    id: str
    title: str
    alt: str
    credit: str
    content: str
    held: Entry[Clip]
    frames: int
    thumbnail: str
    spot: tuple[float, float] | None = None
    cut: Cut | None = None
    name: str = ""
    notes: tuple[str, ...] = ()
    public: bool = False

    @property
    def clip(self) -> Clip:
        """The frames.

        Raises:
            A2Error: the server has let them go.
        """
        return replace(self.held.value, name=self.name, notes=self.notes)

    @property
    def plays(self) -> bool:
        """Whether there is anything to play."""
        return self.frames > 1

    @property
    def is_clip(self) -> bool:
        """Whether there is anything to choose: several frames, or one that was cut out of several."""
        return self.plays or self.cut is not None


def picture_of(
    clip: Clip,
    *,
    id: str,
    title: str = "",
    alt: str = "",
    credit: str = "",
    thumbnail: str | None = None,
    spot: tuple[float, float] | None = None,
    cut: Cut | None = None,
    public: bool = False,
) -> Picture:
    """`clip` as a Picture, its frames kept by the server for this visitor, or for good if `public`.

    Raises:
        A2Error: there is no room for them.
    """
    bare = replace(clip, name="", notes=())
    content = content_of(clip)
    held: Entry[Clip] = (
        loose(bare)
        if public
        else visitors.server().store.put(("clip", content), bare, visitors.visitor(), name=title)
    )
    if thumbnail is None:
        thumbnail = data_url(clip.frames[0], quality=80, max_side_px=THUMBNAIL_PX)
    return Picture(
        id,
        title,
        alt,
        credit,
        content,
        held,
        len(clip.frames),
        thumbnail,
        spot,
        cut,
        clip.name,
        clip.notes,
        public,
    )


def content_of(clip: Clip) -> str:
    """What names the frames of `clip` and their times: equal ones have the same, whatever they are called."""
    digest = hashlib.sha256(f"{clip.kind} {clip.frames.shape}".encode())
    digest.update(clip.times_s.tobytes())
    digest.update(clip.frames.tobytes())
    return digest.hexdigest()[:24]


def holder_of(picture: Picture) -> str:
    """Who holds what is worked out about `picture`: everybody, or this visitor."""
    return PUBLIC if picture.public else visitors.visitor()
