"""`python -m viz_app`, installed as `a2-explorer`: start the explorer; arguments are Streamlit's."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli


def main() -> None:
    """Run app.py as `streamlit run` does, with the arguments of the command line."""
    # Until st.navigation has run once, Streamlit 1.67 takes a folder `pages` beside app.py for scripts of its
    # own: whoever came first with a link to a page was told that there is none.
    PagesManager.uses_pages_directory = False
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]]
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
