"""A network as ONNX files, to run without torch: in a browser, on a phone, in somebody's own program.

One file is the whole network: of pictures (batch, channels, height, width) of any number and size, sides
multiples of what the network takes, the logits; and of every site SITE what a trace keeps of it:

    double attention      SITE/gather, /distribute (batch, n, h, w), /primitives (batch, m, n), /output Z
    non-local, attention  SITE/queries, /keys (batch, heads, d, N)
    squeeze-excitation    SITE/gates (batch, c)
    covariance pooling    SITE/statistics (batch, m, n)
    all of them           SITE/input X (batch, c, h, w), /change (batch, h, w)

Beside it, of every site with double attention, the network's tail as a file of its own, to intervene: it
takes X, G and V (`input`, `primitives`, `distribute`), hands out Y = X + expand(G V) (`handed_out`), and
answers with the logits and what the sites behind did then. A primitive is switched off or scaled by its row
of V, a bag transplanted by G. Files of their own, not one with several entrances, which ONNX does not have,
nor weights shared in a file beside: whoever shows pictures loads one file, and a tail when somebody
experiments.

The metadata say the rest, as JSON: `card`, `labels`, `input` (mean, std, multiples) and `sites`.

No file is there before it has been read back by onnxruntime and agreed with torch at five sizes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.equations import expanded_bag, handed_out
from a2core.blocks.straight import StraightBag, straight, told_by
from a2core.checkpoints import write_atomically
from a2core.errors import NetworkError, first_line
from a2core.extras import quiet
from a2core.networks.insert import WithBlock
from a2core.tracing.graphs import exported, plain_copy
from a2core.tracing.model import Model
from a2core.tracing.record import watching

FORMAT = 1
CLOSE, CLOSE_HALF = 1e-4, 5e-2  # of an output's largest value; with weights in float16
# Pictures that a file is checked by: how many, and how many times the least side high and wide.
CHECKED = ((1, 7, 7), (3, 3, 5), (1, 9, 14), (3, 2, 2), (1, 5, 11))


@dataclass(frozen=True)
class Written:
    """A file that was written.

    Attributes:
        path: where.
        size_bytes: how large it is.
        furthest: how far it is from torch at most, in any output at any size, of the output's largest value.
    """

    path: Path
    size_bytes: int
    furthest: float


def write_onnx(model: Model, path: Path, *, half: bool = False) -> list[Written]:
    """Write the network as `path`, and the tail behind each block as STEM-tail-SITE.onnx beside it.

    Args:
        model: whose network; it is left as it is.
        path: ends in .onnx.
        half: keep the weights in float16, in half of the bytes; computed is in float32 all the same.

    Raises:
        NetworkError: the network cannot be exported, or what was exported does not agree with torch.
        OSError: the files cannot be written.
    """
    refuse(model)
    files: list[tuple[Path, bytes, float]] = []
    with model.looking(), torch.no_grad():
        whole = _Whole(model)
        tails = {name: tail for name in model.blocks if (tail := _tail_behind(model, name)) is not None}
        names = {name: path.with_name(f"{path.stem}-tail-{name}.onnx") for name in tails}
        about = _about(model, whole, {name: of.name for name, of in names.items()})
        step = model.input.multiple_px
        picture = torch.zeros(2, model.input.channels, 3 * step, 5 * step)
        data = _drawn(whole, {"picture": picture}, whole.names(), about, half)
        files.append((path, data, _checked(data, _samples(model), half)))
        read = _reference(model, picture.to(model.device))
        for name, tail in tails.items():
            given = {key: read[f"{name}/{key}"] for key in ("input", "primitives", "distribute")}
            said = {"tail": json.dumps({"format": FORMAT, "site": name, "of": path.name})}
            data = _drawn(tail, given, tail.names(), said, half)
            files.append((names[name], data, _checked(data, _changed_samples(model, name), half)))
    for where, data, _ in files:
        write_atomically(where, data)
    return [Written(where, len(data), furthest) for where, data, furthest in files]


def refuse(model: Model) -> None:
    """Refuse a network that has no file of the kind.

    Raises:
        NetworkError: why.
    """
    why = ""
    if model.takes_clips:
        why = "takes whole clips: exported are networks for pictures"
    elif model.answers_with:
        why = f"answers with {model.answers_with}, not with classes"
    elif model.input.fixed_px is not None:
        why = "takes pictures of one size only, while what is exported takes any"
    elif not model.blocks:
        why = "has no blocks, so there is nothing to see in it"
    if why:
        raise NetworkError(f"{model.name} cannot be exported: it {why}. Choose another network.")


class _Noting(nn.Module):
    """Stands where a block stood, and notes what it was given and did."""

    def __init__(self, site: str, block: nn.Module, book: dict[str, Tensor], *, inputs: bool) -> None:
        super().__init__()
        self.site, self.inner, self.book, self.inputs = site, straight(block), book, inputs

    @property
    def names(self) -> tuple[str, ...]:
        """What it notes."""
        return tuple(
            f"{self.site}/{key}" for key in (*(("input",) if self.inputs else ()), *self.inner.tells)
        )

    def forward(self, x: Tensor) -> Tensor:
        y, told = self.inner(x)
        if self.inputs:
            told = {"input": x, **told}
        self.book.update({f"{self.site}/{key}": of for key, of in told.items()})
        return y


def _taken(book: dict[str, Tensor], names: Sequence[str]) -> tuple[Tensor, ...]:
    """What was noted, in order; the book is left as it was found, as older exporters insist."""
    noted = tuple(book[name] for name in names)
    book.clear()
    return noted


class _Whole(nn.Module):
    """The network, with what its sites noted."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.book: dict[str, Tensor] = {}
        self.network = plain_copy(model.network).float()
        places = {name: of for name, of in self.network.named_modules() if isinstance(of, WithBlock)}
        by_block = {id(block): name for name, block in model.blocks.items()}
        self.noted: list[_Noting] = []
        for name, place in places.items():
            block: Any = model.network.get_submodule(name).block
            layout = place._layout
            if id(block) not in by_block or (layout is not None and layout.axes != "NCHW"):
                raise NetworkError(
                    f"The block behind {name!r} does not stand behind features (batch, channels, h, w), so "
                    "the network cannot be exported. Choose one of convolutions."
                )
            noting = _Noting(by_block[id(block)], block, self.book, inputs=True)
            self.noted.append(noting)
            place.block = noting
        if len(self.noted) != len(model.blocks):
            raise NetworkError("The network has blocks written by others, which cannot be exported.")

    def names(self) -> tuple[str, ...]:
        return ("logits", *(name for noting in self.noted for name in noting.names))

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        logits = self.network(picture)
        return (logits, *_taken(self.book, self.names()[1:]))


class _Tail(nn.Module):
    """What stands behind a block, from what it read, a bag and weights on."""

    def __init__(self, block: DoubleAttention, behind: Sequence[nn.Module], names: Mapping[int, str]) -> None:
        super().__init__()
        self.book: dict[str, Tensor] = {}
        self.block = StraightBag(block)
        links: list[nn.Module] = []
        self.noted: list[_Noting] = []
        for link in behind:
            if id(link) in names:
                self.noted.append(_Noting(names[id(link)], link, self.book, inputs=False))
                links.append(self.noted[-1])
            else:
                links.append(plain_copy(nn.Sequential(link)))
        self.behind = nn.Sequential(*links)

    def names(self) -> tuple[str, ...]:
        return ("logits", "handed_out", *(name for noting in self.noted for name in noting.names))

    def forward(self, input: Tensor, primitives: Tensor, distribute: Tensor) -> tuple[Tensor, ...]:
        y = self.block.handed_out(input.flatten(2), primitives, distribute.flatten(2))
        y = y.unflatten(2, tuple(input.shape[2:]))
        logits = self.behind(y)
        return (logits, y, *_taken(self.book, self.names()[2:]))


def _tail_behind(model: Model, name: str) -> _Tail | None:
    """The network behind a block; None where it is no double attention, or does not run by itself."""
    block = model.blocks[name]
    if not isinstance(block, DoubleAttention):
        return None
    side = 3 * model.input.multiple_px
    behind = model.onwards(name, np.zeros((2, side, side, 3), np.uint8)).behind
    if behind is None:
        return None
    return _Tail(block, behind, {id(each): other for other, each in model.blocks.items()})


def _about(model: Model, whole: _Whole, tails: Mapping[str, str]) -> dict[str, str]:
    """The metadata: JSON by name."""
    sites = []
    for noting in whole.noted:
        block: Any = model.blocks[noting.site]
        site = {"name": noting.site, "kind": block.kind, "attends": block.attends, "outputs": noting.names}
        site |= {"channels": block.in_channels, "tail": tails.get(noting.site)}
        if isinstance(block, DoubleAttention):
            site |= {"m": block.c_m, "n": block.c_n}
        elif block.attends == "pairs":
            site |= {"scale": block.score_scale, "softmax": bool(block.row_sums_to_one)}
        sites.append(site)
    takes = model.input
    return {
        "format": json.dumps({"a2core": FORMAT, "name": model.name, "trained": model.trained}),
        "card": json.dumps(model.card, ensure_ascii=False),
        "labels": json.dumps(model.labels, ensure_ascii=False),
        "input": json.dumps(
            {
                "channels": takes.channels,
                "mean": takes.mean,
                "std": takes.std,
                "of": "pixels / 255, as (pixels / 255 - mean) / std",
                "multiple_px": takes.multiple_px,
                "usual_px": takes.usual_px,
            }
        ),
        "sites": json.dumps(sites, ensure_ascii=False),
    }


def _drawn(
    module: _Whole | _Tail,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    about: Mapping[str, str],
    half: bool,
) -> bytes:
    """The file's bytes: all axes free but those of channels."""
    import onnx

    free = torch.export.Dim.DYNAMIC
    fixed = {"primitives": (1, 2)}
    axes = {
        name: {axis: free for axis in range(given.dim()) if axis not in fixed.get(name, (1,))}
        for name, given in inputs.items()
    }
    proto = exported(module.eval().cpu(), {key: of.cpu() for key, of in inputs.items()}, axes, outputs)
    if half:
        _halve(proto)
    onnx.helper.set_model_props(proto, dict(about))
    proto.producer_name = "a2core"
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString(deterministic=True))


def _halve(proto: Any) -> None:
    """Keep weights in float16, made float32 again before anything is computed."""
    import onnx

    casts = []
    for tensor in proto.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 64:
            name = tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}/half"))
            casts.append(onnx.helper.make_node("Cast", [f"{name}/half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def _reference(model: Model, picture: Tensor) -> dict[str, Tensor]:
    """What the network does by torch, each block in its own way, by the names of a file's outputs."""
    with watching(model.blocks) as read:
        logits = model.network(picture)
    told = {
        f"{name}/{key}": of for name, x in read.items() for key, of in told_by(model.blocks[name], x).items()
    }
    return {"picture": picture, "logits": logits, **told}


def _samples(model: Model) -> Any:
    """What goes into the network and what comes out, at each size that is checked."""
    for seed, (count, high, wide) in enumerate(CHECKED):
        step, made = model.input.multiple_px, torch.Generator().manual_seed(seed)
        picture = torch.randn(count, model.input.channels, high * step, wide * step, generator=made)
        yield _reference(model, picture.to(model.device))


def _changed_samples(model: Model, name: str) -> Any:
    """The same for the tail behind a block, of which primitives were scaled or switched off."""
    block: Any = model.blocks[name]
    for seed, found in enumerate(_samples(model)):
        given = {key: found[f"{name}/{key}"] for key in ("input", "primitives", "distribute")}
        factors = torch.rand(block.c_n, generator=torch.Generator().manual_seed(seed)).to(model.device)
        given["distribute"] = given["distribute"] * (2 * factors * (factors > 0.3))[:, None, None]
        outputs = []
        for x, bag, weights in zip(*given.values(), strict=True):
            expanded = expanded_bag(block, bag.cpu().numpy(), model.device)
            outputs.append(handed_out(block, x[None], expanded, weights.flatten(1)))
        y = torch.cat(outputs)
        side = 3 * model.input.multiple_px
        onwards = model.onwards(name, np.zeros((2, side, side, 3), np.uint8))
        with watching({other: of for other, of in model.blocks.items() if other != name}) as read:
            logits = onwards(y.clone(), lambda: found["picture"])  # noqa: B023 - called at once
        told = {
            f"{other}/{key}": of
            for other, x in read.items()
            for key, of in told_by(model.blocks[other], x).items()
        }
        yield {**given, "handed_out": y, "logits": logits, **told}


def _checked(data: bytes, samples: Any, half: bool) -> float:
    """How far the file is from torch at most, of an output's largest value.

    Raises:
        NetworkError: too far, or onnxruntime does not run it.
    """
    onnxruntime: Any = quiet("onnxruntime")
    options, furthest = onnxruntime.SessionOptions(), 0.0
    options.log_severity_level = 4
    close = CLOSE_HALF if half else CLOSE
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no base of their own
        raise NetworkError(f"onnxruntime refuses the exported network ({first_line(error)}).") from error
    inputs, outputs = ([of.name for of in ends] for ends in (session.get_inputs(), session.get_outputs()))
    for sample in samples:
        by_torch = {name: of.float().cpu().numpy() for name, of in sample.items()}
        size = " × ".join(map(str, by_torch[inputs[0]].shape))
        try:
            found = session.run(None, {name: by_torch[name] for name in inputs})
        except Exception as error:  # likewise
            raise NetworkError(f"onnxruntime fails at an input of {size} ({first_line(error)}).") from error
        for name, values in zip(outputs, found, strict=True):
            expected = by_torch[name]
            same = values.shape == expected.shape and bool(np.isfinite(values).all())
            off = (
                float(np.abs(values - expected).max() / max(np.abs(expected).max(), 1e-12))
                if same
                else np.inf
            )
            furthest = max(furthest, off)
            if off > close:
                raise NetworkError(
                    f"The exported network differs from torch by {off:.1e} of the largest value in {name}, "
                    f"at an input of {size}: more than {close:.0e}. Nothing was written."
                    + (" Export without float16 weights." if half else "")
                )
    return furthest
