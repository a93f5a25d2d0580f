"""Bytes or a path in, a Clip out: every way in for pictures and clips.

Every limit and check on what people upload lives in this package, so nothing behind it needs to doubt
its frames. A file is judged by its content, never by its suffix, and refused from its header where that
is possible, before anything is decoded. The package knows nothing of networks: it neither crops nor
normalises.
"""

from a2core.media.clip import Clip, read_media
from a2core.media.made import made_clip

__all__ = ["Clip", "made_clip", "read_media"]
