"""The app's server, in which clips are not traced further than their first frames until they may be.

`python held_server.py FOLDER run viz_app/app.py …`: a clip's tracing stays at its first report of progress
until the file `go` is in FOLDER, and the file `log` tells how each began and ended. What ends it is what
ends it in the app: in the midst of such a report nobody waits for it any more.
"""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from streamlit.web import cli

from a2core.tracing.model import Model

REPORTS_EVERY_S = 0.02


def hold(folder: Path) -> None:
    """Have every tracing of a clip wait, reporting all the while."""
    trace = Model.trace
    told = threading.Lock()

    def tell(line: str) -> None:
        with told, (folder / "log").open("a") as log:
            log.write(f"{line}\n")

    def held(self, clip, *, progress=None, **settings):
        if len(clip.frames) < 2:
            return trace(self, clip, **settings)

        def report(share):
            while not (folder / "go").exists():
                progress(share)
                threading.Event().wait(REPORTS_EVERY_S)
            progress(share)

        tell("began")
        try:
            return trace(self, clip, progress=report, **settings)
        except BaseException as error:
            tell(f"ended by {type(error).__name__}")
            raise
        finally:
            tell("over")

    Model.trace = held


if __name__ == "__main__":
    hold(Path(sys.argv.pop(1)))
    cli.main(prog_name="streamlit")
