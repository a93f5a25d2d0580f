"""`python -m a2core site`: the explorer as a folder of static files."""

from __future__ import annotations

import argparse
from pathlib import Path

from a2core.cli.looking import network_of
from a2core.cli.writing import writing

HELP = "write the explorer as a folder of static files, which traces pictures in the visitor's own browser"
EXAMPLES = """example:
  npm ci                              # once: brings ONNX Runtime Web
  python -m a2core site public
  python -m http.server -d public     # or any other static host, below any path
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write: a new one, or a site's")
    parser.add_argument(
        "--checkpoint", default="a2-lite0", help="name in checkpoints/ or path (default: %(default)s)"
    )
    parser.add_argument("--photo", type=Path, help="what it opens on (default: a cat from scikit-image)")
    parser.add_argument("--credit", default="", help="whose photo that is")
    parser.add_argument("--runtime", type=Path, metavar="FOLDER",
                        help="npm's package onnxruntime-web (default: where npm ci puts it)")  # fmt: skip
    parser.set_defaults(network=None, device="cpu")


def run(args: argparse.Namespace) -> int:
    """Write the site."""
    from a2core.site import build_site

    model = network_of(args)
    with writing(args.out, "OUT"):
        built = build_site(model, args.out, runtime=args.runtime, photo=args.photo, credit=args.credit)
    print(
        f"wrote {built.folder}: {len(built.files)} files, {built.first_visit_bytes / 1e6:.1f} MB, which is "
        "what a first visit in English brings"
    )
    return 0
