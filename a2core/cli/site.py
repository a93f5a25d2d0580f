"""`python -m a2core site`: the explorer as a folder of static files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from a2core.cli.looking import network_of
from a2core.cli.writing import writing
from a2core.errors import A2Error

if TYPE_CHECKING:
    from a2core.atlas.read import Atlas
    from a2core.tracing.model import Model

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
    parser.add_argument("--atlas", type=Path, metavar="FOLDER",
                        help="whose exemplars it shows (default: one beside the checkpoints)")  # fmt: skip
    parser.add_argument("--runtime", type=Path, metavar="FOLDER",
                        help="npm's package onnxruntime-web (default: where npm ci puts it)")  # fmt: skip
    parser.set_defaults(network=None, device="cpu")


def run(args: argparse.Namespace) -> int:
    """Write the site."""
    from a2core.site import build_site

    model = network_of(args)
    atlas, without = _atlas_of(args.atlas, model)
    with writing(args.out, "OUT"):
        built = build_site(
            model, args.out, runtime=args.runtime, photo=args.photo, credit=args.credit, atlas=atlas
        )
    exemplars = f"; exemplars bring {built.exemplars_bytes / 1e6:.1f} MB more" if atlas else without
    print(
        f"wrote {built.folder}: {len(built.files)} files, {built.first_visit_bytes / 1e6:.1f} MB, which is "
        f"what a first visit in English brings{exemplars}; the lesson {built.lesson_bytes / 1e6:.1f} MB"
    )
    return 0


def _atlas_of(folder: Path | None, model: Model) -> tuple[Atlas | None, str]:
    """The atlas that is named, or one beside the checkpoints; and why there is none."""
    from a2core.atlas.read import Atlas
    from a2core.site.exemplars import atlas_beside

    if folder is not None:
        return Atlas(folder), ""
    try:
        return atlas_beside(model), f"; without exemplars, since no atlas of {model.name} is here"
    except A2Error as error:
        return None, f"; without exemplars: {error}"
