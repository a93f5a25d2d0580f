"""`python -m viz_app`, installed as `a2-explorer`: start the explorer.

Not in here: anything of Streamlit's before its absence could be said.
"""

from __future__ import annotations

import argparse
import os
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import a2core
from a2core import A2Error
from viz_app.server import metrics

EPILOG = """\
Everything else goes to Streamlit as it is: --server.address 127.0.0.1 for this machine only,
--server.baseUrlPath explore for a path behind a proxy, --server.maxUploadSize 50 (MB).
Without --port it is the first free one from 8501 on."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run app.py as `streamlit run` does; exits with 2 after a sentence where something is in the way."""
    try:
        given = _settings(sys.argv[1:] if arguments is None else arguments)
        a2core.need_extra("app", "The explorer")
        metrics.serve()
    except A2Error as error:
        print(f"a2-explorer: {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        sys.exit(2)
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *given]
    sys.exit(cli.main())


def _settings(arguments: Sequence[str]) -> list[str]:
    """What Streamlit is given; networks and checkpoints go into the environment, which the app reads.

    Raises:
        A2Error: a port that cannot be had, or a folder of checkpoints that is none.
    """
    args, others = _parser().parse_known_args(arguments)
    if args.networks:
        os.environ["A2_NETWORKS"] = shlex.join(args.networks)
    if args.checkpoints is not None:
        if not args.checkpoints.is_dir():
            raise A2Error(f"There is no folder {args.checkpoints}. Name one that holds checkpoints.")
        os.environ["A2_CHECKPOINTS"] = str(args.checkpoints.absolute())
    given = [] if args.address is None else ["--server.address", args.address]
    if args.port is not None:
        _try_port(args.address or "", args.port)
        given += ["--server.port", str(args.port)]
    return [*given, *others]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="a2-explorer",
        description="The A² explorer, in a browser.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"a2-explorer {a2core.__version__}")
    parser.add_argument("--port", "--server.port", type=int, metavar="N", help="to answer at")
    parser.add_argument("--address", "--server.address", metavar="HOST", help="to answer at (default: all)")
    parser.add_argument(
        "--networks",
        nargs="+",
        metavar="NETWORK",
        help="of yours, beside ours: names, specifications, folders",
    )
    parser.add_argument(
        "--checkpoints", type=Path, metavar="FOLDER", help="instead of those that came with it"
    )
    return parser


def _try_port(address: str, port: int) -> None:
    """Raise an A2Error that says why, unless one can listen there: Streamlit would say it much later."""
    if not 0 < port < 65536:
        raise A2Error(f"There is no port {port}. Choose one from 1024 to 65535.")
    try:
        found = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, at in found[:1]:
            with socket.socket(family, kind, protocol) as trial:
                if os.name != "nt":  # there it would let two have one port
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(at)
    except PermissionError as error:
        raise A2Error(f"Port {port} is for the system. Choose one from 1024 on, such as 8501.") from error
    except OSError as error:
        raise A2Error(
            f"Nothing can listen at port {port} of {address or 'this machine'} ({error.strerror}): another "
            f"explorer may be running there. Choose another one: --port {min(port + 1, 65535)}."
        ) from error


if __name__ == "__main__":
    main()
