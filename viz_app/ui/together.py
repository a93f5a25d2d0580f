"""What is drawn together reaches the browser together.

Streamlit sends whatever has been drawn every hundredth of a second, and a browser goes through the whole page
for each part that comes. Where many visitors are served at once, drawing a fragment takes longer than that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Keep back what is drawn until all of it is; for what takes no time that a visitor should see pass.

    A run that another has overtaken ends here, with nothing of it sent.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        yield
        return
    drawn: list[ForwardMsg] = []
    # A method of this one context, in front of its class's.
    context.__dict__["enqueue"] = drawn.append
    try:
        yield
    finally:
        del context.__dict__["enqueue"]
        for message in drawn:
            context.enqueue(message)
