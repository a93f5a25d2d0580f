"""The app's server, with every trace that it makes counted.

`python counted_server.py FILE run viz_app/app.py …`, in the root of the repository whose app it is: each
trace, once it is made, writes a line `frames width height sha` to FILE, of the clip that it was made of.
"""

import hashlib
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from streamlit.web import cli

from a2core.tracing.model import Model


def count(path: Path) -> None:
    """Have each trace write its line to `path`."""
    trace = Model.trace
    lock = threading.Lock()

    def counted(self, clip, **settings):
        made = trace(self, clip, **settings)
        frames, height, width, _ = clip.frames.shape
        digest = hashlib.sha256(clip.frames.tobytes()).hexdigest()
        with lock, path.open("a") as lines:
            lines.write(f"{frames} {width} {height} {digest}\n")
        return made

    Model.trace = counted


if __name__ == "__main__":
    count(Path(sys.argv.pop(1)))
    cli.main(prog_name="streamlit")
