"""A network's parts as ONNX graphs without their weights: what an engine other than torch runs.

The parts are what a clip goes through in turn: the trunk up to a block, frame by frame; the block, all
frames together; the trunk behind it; and so on. A graph holds which operations there are, in ten kilobytes,
and names the weights, which come from the network as it is in memory. So the graphs of one architecture serve
every checkpoint of it. Those of the checkpoints that are shipped lie in `drawn/`; others are drawn when
somebody asks for it (`load_model(…, engine="onnxruntime")`), which takes half a minute, and are kept in the
user's cache.

Graphs are found by a digest of all that they were drawn from: the modules with their settings, and the names
and shapes of their weights. A network that differs in any of it finds none.
"""

from __future__ import annotations

import atexit
import contextlib
import copy
import hashlib
import io
import os
import shutil
import stat
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.straight import StraightBag, straight
from a2core.errors import NetworkError, first_line
from a2core.extras import need_extra
from a2core.networks.paddings import fix_paddings

FORMAT = 1  # of the graphs: other numbers find none of these
SHIPPED = Path(__file__).parent / "drawn"
_LARGEST_BYTES = 2**24
# Of a trial picture: no two sides alike, so that an exporter takes none for another.
_BATCH, _FRAMES, _SIDES = 2, 3, (3, 5)


@dataclass(frozen=True)
class Part:
    """One part of a network: of the trunk, or a block.

    Attributes:
        block: the block's name; "" of the trunk.
        module: its own modules, made straight, or the block's.
        size: how many modules it stands for: how long it takes, near enough.
    """

    block: str
    module: nn.Module
    size: int

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what it returns."""
        return ("y", *self.module.tells) if isinstance(self.module, StraightBag) else ("y",)


class _Block(nn.Module):
    def __init__(self, inner: StraightBag) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y, told = self.inner(x)
        return (y, *told.values())


def parts_of(chain: Sequence[nn.Module], blocks: Mapping[str, nn.Module]) -> list[Part]:
    """The parts of a network that is such a chain (`Passage.chain`), copied.

    Raises:
        NetworkError: why there are none: a block that is no double attention for pictures, or stands inside
            of a link of the chain; a layer that cannot be written down.
    """
    names = {block: name for name, block in blocks.items()}
    links = [link for link in chain if link in names]
    if len(names) < len(blocks) or sorted(map(id, links)) != sorted(map(id, names)):
        raise NetworkError("a block runs more than once, or stands inside of a part that runs as a whole")
    parts: list[Part] = []
    run: list[nn.Module] = []

    def close() -> None:
        if run:
            trunk = plain_copy(nn.Sequential(*run))
            parts.append(Part("", trunk, sum(1 for _ in trunk.modules())))
            run.clear()

    for link in chain:
        if link in names:
            if not isinstance(link, DoubleAttention):
                raise NetworkError(f"the block {names[link]!r} is no double attention")
            close()
            parts.append(Part(names[link], straight(link), 4))
        else:
            run.append(link)
    close()
    return parts


def plain_copy(network: nn.Module) -> nn.Module:
    """A copy that can be written down: paddings fixed, and laid out channels first.

    Of one that is laid out channels last, strides would be written down too.
    """
    return fix_paddings(copy.deepcopy(network)).to(memory_format=torch.contiguous_format)


def digest(parts: Sequence[Part]) -> str:
    """Tells what was drawn from parts like these, 16 hex digits."""
    said = hashlib.sha256(f"{FORMAT}".encode())
    for part in parts:
        said.update(f"\n{bool(part.block)}".encode())
        for name, module in part.module.named_modules():
            kind = type(module)
            said.update(f"\n{name} {kind.__module__}.{kind.__qualname__} {module.extra_repr()}".encode())
        for name, tensor in part.module.state_dict().items():
            said.update(f"\n{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
    return said.hexdigest()[:16]


def find(key: str) -> list[bytes] | None:
    """The graphs with this digest, one for each part: those that are shipped, or kept in the cache."""
    for folder in (SHIPPED, cache_folder()):
        with (
            contextlib.suppress(OSError, zipfile.BadZipFile, KeyError, RuntimeError, zlib.error),
            zipfile.ZipFile(folder / f"{key}.zip") as kept,
        ):
            inside = sorted(kept.infolist(), key=lambda info: info.filename)
            if sum(info.file_size for info in inside) <= _LARGEST_BYTES:
                return [kept.read(info) for info in inside]
    return None


def keep(key: str, graphs: Sequence[bytes], folder: Path | None = None) -> None:
    """Keep graphs, in the user's cache unless said otherwise; one that cannot be written to is no fault."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as kept:
        for number, graph in enumerate(graphs):
            info = zipfile.ZipInfo(f"{number:03}.onnx")  # of no date: the same graphs, the same file
            kept.writestr(info, graph, zipfile.ZIP_DEFLATED)
    folder = folder or cache_folder()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{key}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(packed.getvalue())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(folder / f"{key}.zip")
        finally:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()


def cache_folder() -> Path:
    """Where this user's programs keep what they can make anew."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME", "") or "~/.cache"
    try:
        folder = Path(base).expanduser()
    except RuntimeError:  # nobody's home, as in some containers
        folder = _of_this_user_alone(Path(tempfile.gettempdir()))
    return folder / "a2nets" / "graphs"


def _of_this_user_alone(shared: Path) -> Path:
    """A folder in one that all write to, into which nobody else can have put a graph: it would be run."""
    if not hasattr(os, "getuid"):  # Windows, where each user has a temporary folder of their own
        return shared
    folder = shared / f"a2nets-{os.getuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700)
    with contextlib.suppress(OSError):
        found = folder.lstat()  # of the thing itself: a link leads to where somebody else says
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return folder
    try:
        return _fresh(shared)
    except OSError:
        return Path(os.devnull)  # nothing is found in it, and nothing can be kept


@cache
def _fresh(shared: Path) -> Path:
    """A folder of this process alone, which goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="a2nets-", dir=shared))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def draw(parts: Sequence[Part], channels: int, multiple_px: int) -> list[bytes]:
    """Draw the graph of each part, its weights left out.

    Args:
        parts: of the network.
        channels: of the pictures that it takes.
        multiple_px: both sides are multiples of it.

    Raises:
        NetworkError: the libraries are missing, or the exporter cannot write a part down.
    """
    height, width = (multiple_px * side for side in _SIDES)
    x, graphs = torch.zeros(_BATCH * _FRAMES, channels, height, width), []
    for part in parts:
        given = x.unflatten(0, (_BATCH, _FRAMES)) if part.block else x
        free = {axis: torch.export.Dim.DYNAMIC for axis in range(given.dim()) if axis != given.dim() - 3}
        if given.dim() == 2:
            free = {0: torch.export.Dim.DYNAMIC}
        module = _Block(part.module) if isinstance(part.module, StraightBag) else part.module
        drawn = exported(module, {"x": given}, {"x": free}, part.outputs)
        graphs.append(without_weights(drawn, part.module))
        with torch.no_grad():
            x = module(given)[0].flatten(0, 1) if part.block else module(given)
    return graphs


def exported(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    free: Mapping[str, Mapping[int, Any]],
    outputs: Sequence[str],
) -> Any:
    """`module` as an onnx.ModelProto.

    Args:
        module: takes the inputs in their order.
        inputs: by name, of any size.
        free: axes of each that may have any length, as torch.export has it.
        outputs: names of what it returns.

    Raises:
        NetworkError: the libraries are missing, or the exporter cannot write it down.
    """
    need_extra("onnx", "Exporting", NetworkError)
    try:
        with torch.no_grad(), _quiet(), _in_new_memory(module):
            program = torch.export.export(
                module, tuple(inputs.values()), dynamic_shapes=tuple(dict(free[name]) for name in inputs)
            )
            drawn = torch.onnx.export(
                program,
                dynamo=True,
                input_names=list(inputs),
                output_names=list(outputs),
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # torch.export raises of many kinds, for one reason
        raise NetworkError(
            f"The network cannot be exported: {first_line(error)}. Export one whose operations ONNX knows "
            "and whose way does not depend on the picture's size."
        ) from error
    proto: Any = drawn.model_proto  # type: ignore[union-attr]
    for message in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.initializer):
        del message.metadata_props[:]  # stack traces: where on this machine each line stood
    for node in proto.graph.node:
        node.doc_string = ""
    del proto.graph.value_info[:]
    return proto


@contextlib.contextmanager
def _in_new_memory(module: nn.Module) -> Iterator[None]:
    """No layer writes over what it read; to say that in what ONNX has took the exporter most of its time."""
    over = [layer for layer in module.modules() if getattr(layer, "inplace", False) is True]
    try:
        for layer in over:
            setattr(layer, "inplace", False)  # noqa: B010  an attribute that only some layers have
        yield
    finally:
        for layer in over:
            setattr(layer, "inplace", True)  # noqa: B010


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter says on the screen how far it is, and that it copies."""
    import logging
    import warnings

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def without_weights(proto: Any, module: nn.Module) -> bytes:
    """The graph, naming what stands in the module's state instead of holding it."""
    import onnx

    state = module.state_dict()
    for tensor in proto.graph.initializer:
        tensor.name = _named(proto, tensor.name)
        held = onnx.numpy_helper.to_array(tensor)
        own = state.get(tensor.name)
        if own is None or tuple(own.shape) != held.shape or not (own.numpy() == held).all():
            if held.size > 64:
                raise NetworkError(f"The exporter made a weight of its own, {tensor.name!r}.")
            continue
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", "weights"), ("offset", "0"), ("length", str(held.nbytes))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
    return bytes(proto.SerializeToString(deterministic=True))


def _named(proto: Any, name: str) -> str:
    """A block's weights by the block's own names, in all of the graph."""
    short = name.removeprefix("inner.")
    if short != name:
        for node in proto.graph.node:
            node.input[:] = [short if given == name else given for given in node.input]
    return short
