"""What a block did, written down while it runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from torch import Tensor, nn

from a2core.blocks.double_attention import Attended
from a2core.blocks.position_block import Watchable
from a2core.errors import NetworkError
from a2core.networks.hooks import hooked
from a2core.networks.layout import grid_of_tokens
from a2core.tracing.arrays import frozen
from a2core.tracing.trace import BlockTrace


@contextlib.contextmanager
def recording(
    blocks: Mapping[str, nn.Module],
    *,
    frames_per_clip: int,
    picture_px: tuple[int, int],
    alone: bool = False,
    copies: int = 1,
) -> Iterator[dict[str, BlockTrace]]:
    """While open, blocks attend over a clip of `frames_per_clip` frames and write what they did.

    The dictionary fills when the recording closes, in the order of `blocks`. A block that runs more than
    once is recorded each time: as NAME, NAME#2, NAME#3. With `alone` the blocks attend over each frame by
    itself, in batches of any size. Blocks are as before afterwards, also when the network fails.

    Args:
        blocks: by name.
        frames_per_clip: of the clip that runs through the network while this is open.
        picture_px: its height and width, of which tokens in line get their rows and columns.
        alone: whether each frame is attended to by itself.
        copies: the batch holds so many variants of the clip, of which the first is recorded.

    Raises:
        NetworkError: a block was given more than the clip: what it did is not one map over the picture; or
            tokens that make no grid of the picture's shape.
    """
    seen: dict[str, BlockTrace] = {}
    # Relatives of double attention attend over the clip too; blocks of others show maps of their own.
    wanted = ("frames_per_clip", "observer")
    before = {
        name: {key: getattr(block, key) for key in wanted if hasattr(block, key)}
        for name, block in blocks.items()
    }
    recorders: dict[nn.Module, _Recorder] = {}
    for name, block in blocks.items():  # a block that stands at several places runs several times
        recorders.setdefault(block, _Recorder(name, block, frames_per_clip, picture_px, alone, copies))
    now = {"frames_per_clip": 1 if alone else frames_per_clip}
    try:
        for name, settings in before.items():
            block = blocks[name]
            if isinstance(block, Watchable):
                block.unwatched = settings
            for key in settings:
                setattr(block, key, now.get(key) or recorders[block])
        yield seen
        for recorder in recorders.values():
            seen |= recorder.close()
    finally:
        for name, settings in before.items():
            for key, value in settings.items():
                setattr(blocks[name], key, value)
            blocks[name].__dict__.pop("unwatched", None)


def refuse_silent(silent: Mapping[str, nn.Module]) -> None:
    """Refuse blocks that did not run, where they can be looked into.

    Raises:
        NetworkError: there is one.
    """
    name = next((name for name, block in silent.items() if hasattr(block, "observer")), None)
    if name is not None:
        raise NetworkError(
            "The block behind {name!r} did not run: the network never calls that module, at most "
            "what is inside it. Put the block behind a module that is called, or take it out with "
            "a2core.remove_blocks.",
            name=name,
        )


class _Recorder:
    """Turns what a block attended to over one clip into BlockTraces, one each time that it ran."""

    def __init__(
        self,
        name: str,
        block: nn.Module,
        frames: int,
        picture_px: tuple[int, int],
        alone: bool,
        copies: int,
    ) -> None:
        self.name, self.block, self.picture_px = name, block, picture_px
        self.frames, self.alone, self.copies = frames, alone, copies
        self.calls: list[list[np.ndarray]] = []  # alone: a part of the frames each

    def __call__(self, x: Tensor, attended: Attended, y: Tensor, grid: tuple[int, ...]) -> None:
        if getattr(self.block, "in_line", False):
            grid = (*grid[:-2], *self._cells(grid[-2]))
        x, y = x.float(), y.float()
        change = (y - x).norm(dim=1) / x.norm(dim=1).clamp_min(1e-12)
        maps = (attended.gather, attended.distribute, attended.output)
        if self.alone:
            grid = grid[-2:]  # a 3-D block sees a clip of one frame
            by_map = [part.unflatten(2, grid).transpose(0, 1) for part in maps]
            arrays = (attended.primitives, *by_map, change.unflatten(1, grid))
        elif len(x) != self.copies:
            raise NetworkError(
                "The block behind {name!r} is given {count} pictures for each that goes into the "
                "network, which cuts it up or repeats it, so no one map covers the picture. Put the "
                "block behind a module that sees the picture whole and once.",
                name=self.name,
                count=len(x),
            )
        else:
            shape = (self.frames, *grid) if len(grid) == 2 else grid  # a 3-D block brings its own T
            by_map = [part[0].unflatten(1, shape) for part in maps]
            arrays = (attended.primitives[0], *by_map, change[0].unflatten(0, shape))
        self.calls.append([frozen(array) for array in arrays])

    def _cells(self, tokens: int) -> tuple[int, int]:
        height, width = self.picture_px
        found = grid_of_tokens(tokens, height, width)
        if found is None:
            raise NetworkError(
                "Module {name!r} returns {tokens} tokens, which make no grid over {width} × {height} "
                "pixels. If some of them stand before the picture's, say how many: insert_blocks(…, "
                "layouts={{{name!r}: Layout('tokens', prefix=1)}}) for one.",
                name=self.name,
                tokens=tokens,
                width=width,
                height=height,
            )
        return found

    def close(self) -> dict[str, BlockTrace]:
        if self.alone and self.calls:
            self.calls = [self._joined()]
        names = [self.name if index == 0 else f"{self.name}#{index + 1}" for index in range(len(self.calls))]
        return {name: BlockTrace(name, *arrays) for name, arrays in zip(names, self.calls, strict=True)}

    def _joined(self) -> list[np.ndarray]:
        """The frames that were attended to alone, one after the other."""
        joined = []
        for axis, arrays in zip((0, 1, 1, 1, 0), zip(*self.calls, strict=True), strict=True):
            array = np.concatenate(arrays, axis=axis)
            array.flags.writeable = False
            joined.append(array)
        if len(joined[0]) != self.frames:
            raise NetworkError(
                "The block behind {name!r} ran {times} times for {frames} frames, so none of it is a "
                "frame's own. Trace the frames jointly, or one picture at a time.",
                name=self.name,
                times=len(joined[0]),
                frames=self.frames,
            )
        return joined


@contextlib.contextmanager
def watching(blocks: Mapping[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """While open, keep the input of each of `blocks`, (frames, c, h, w), as this thread first runs them."""
    seen: dict[str, Tensor] = {}
    thread = threading.get_ident()  # another visitor may run the same network at the same time

    def look(name: str) -> Callable[..., None]:
        def keep(module: nn.Module, args: tuple[Tensor, ...]) -> None:
            if threading.get_ident() == thread:
                seen.setdefault(name, args[0].detach().clone())

        return keep

    with hooked(block.register_forward_pre_hook(look(name)) for name, block in blocks.items()):
        yield seen
