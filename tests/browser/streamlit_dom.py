"""Where tests lean on how Streamlit 1.67.0 builds its pages, which it does not promise to keep.

A class `st-key-…` is promised: it is a key of ours.
"""

from __future__ import annotations

__all__ = ["APP", "COLUMN", "DROP", "ELEMENT", "HEADER", "IDLE", "MAIN", "PAGE_WIDTH", "SKELETON"]

APP = ".stApp"  # all of the page
HEADER = "[data-testid=stHeader]"
MAIN = "[data-testid=stMain]"  # what scrolls
ELEMENT = "[data-testid=stElementContainer]"  # whatever one call has drawn
COLUMN = "[data-testid=stColumn]"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"  # the run is over
SKELETON = "[data-testid=stSkeleton]"  # a part whose script is still on its way
DROP = "input[data-testid=stFileUploaderDropzoneInput]"
PAGE_WIDTH = f"document.querySelector('{MAIN}').scrollWidth"  # a script: how wide the content is
