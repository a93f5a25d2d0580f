"""`python -m a2core export`: a page to explore, a figure, a table; or the network itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from a2core.cli.looking import add_network, network_of
from a2core.cli.writing import writing
from a2core.errors import A2Error
from a2core.export import figure_png, rho_csv
from a2core.languages import ENGLISH, LANGUAGES
from a2core.media import read_media
from a2core.tracing.probe import cell_of_pixel

HELP = "write a page to explore, or of one pixel a figure for a paper or a table of ρ; or the network as ONNX"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("media", type=Path, nargs="?", help="picture; of a clip, its first frame")
    parser.add_argument("--onnx", type=Path, metavar="OUT.onnx",
                        help="instead: the network with its maps; beside it OUT-tail-BLOCK.onnx")  # fmt: skip
    parser.add_argument("--half", action="store_true", help="of --onnx: weights in float16, half the bytes")
    parser.add_argument("--pixel", type=int, nargs=2, metavar=("X", "Y"),
                        help="as the network sees it, from the top left; .html needs none")  # fmt: skip
    parser.add_argument("--out", type=Path, help="file to write: .html, .png or .csv")
    parser.add_argument("--block", help="a block, or a layer of the network's own attention: blocks.4, "
                        "blocks.11.attn (default: the first)")  # fmt: skip
    parser.add_argument("--primitive", type=int, metavar="N", help="of a layer, the head (default: all)")
    parser.add_argument("--token", type=int, metavar="N",
                        help="of a layer, a token before the picture's, 0 being the class token")  # fmt: skip
    parser.add_argument("--lang", choices=LANGUAGES, default=ENGLISH,
                        help="of a page: in which it is written (default: %(default)s)")  # fmt: skip
    parser.add_argument("--size", type=int, default=448, help="long side in pixels (default: %(default)s)")
    add_network(parser)


def run(args: argparse.Namespace) -> int:
    """Trace one picture and write a page to explore it, or what one of its pixels receives."""
    if args.onnx is not None:
        return _write_network(args)
    if args.media is None or args.out is None:
        raise A2Error(
            "Say which picture, and --out FILE to write; or --onnx OUT.onnx for the network itself."
        )
    kind = args.out.suffix
    if kind not in (".html", ".png", ".csv"):
        raise A2Error(
            f"--out {args.out.name} ends neither in .html (a page to explore) nor in .png (a figure) nor in "
            ".csv (ρ). Name it so."
        )
    if kind != ".html" and args.pixel is None and args.token is None:
        raise A2Error(f"A {kind} is about one pixel. Say which with --pixel X Y.")
    clip = read_media(args.media, max_frames=1).first_frame()
    model = network_of(args)
    trace = model.trace(clip, size=args.size)
    known = [*trace.blocks, *trace.attention]
    name = args.block or known[0]
    attended = trace.blocks.get(name) or trace.attention.get(name)
    if attended is None:
        raise A2Error(f"{trace.checkpoint} has no block {name!r}. It has {', '.join(known)}.")
    if name in trace.blocks and args.token is not None:
        raise A2Error(f"{name} has no tokens before the picture's. Say --pixel X Y, or a layer with --block.")
    if name not in trace.blocks and kind == ".csv":
        raise A2Error(f"{name} is softmax attention and has no ρ. Write a figure (.png) or a page (.html).")
    position = args.pixel and (0, *cell_of_pixel(attended, trace.model_input.shape, *args.pixel))
    data: bytes | str
    if kind == ".html":
        view = {"block": args.block, "probe": position, "pinned": position is not None or None}
        view |= {"primitive": args.primitive, "token": args.token}
        told = {key: value for key, value in view.items() if value is not None}
        data = trace.to_html(card=model.card, view=told, language=args.lang)
    elif kind == ".png":
        where = position if args.token is None else args.token
        data = figure_png(trace, name, where, primitive=args.primitive)
    else:
        data = rho_csv(trace, name, [position])
    with writing(args.out, "--out"):
        args.out.write_bytes(data if isinstance(data, bytes) else data.encode())
    print(f"wrote {args.out}")
    return 0


def _write_network(args: argparse.Namespace) -> int:
    if args.onnx.suffix != ".onnx" or args.media is not None or args.out is not None:
        raise A2Error("--onnx names one file that ends in .onnx, and is given without a picture and --out.")
    from a2core.export.onnx import write_onnx

    model = network_of(args)
    with writing(args.onnx, "--onnx"):
        written = write_onnx(model, args.onnx, half=args.half)
    for file in written:
        print(
            f"wrote {file.path}, {file.size_bytes / 1e6:.1f} MB; read back by onnxruntime, it is at most "
            f"{file.furthest:.0e} of an output's largest value from torch"
        )
    return 0
