"""`python -m viz_app`, installed as `a2-explorer`: start the explorer; arguments are Streamlit's."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web import cli


def main() -> None:
    """Run app.py as `streamlit run` does, with the arguments of the command line."""
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]]
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
