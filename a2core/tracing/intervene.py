"""Change what a block hands out and see what the network answers then.

A primitive can be switched off, kept alone or scaled, and a whole bag can be transplanted: gathered
from one picture, distributed into another. Only the part of the network behind the block runs again,
where the network was seen to be a chain of parts (`passage`); else all of it runs, the block made to hand
out what was changed.

What "off" means. A block computes Y = X + Σ_i V_ij ĝ_i at position j, where ĝ_i = expand(g_i), the
batch norm after the expansion included: columns of V sum to 1, so the expansion's bias and the norm
ride on the primitives, each carrying its share V_ij of them. An intervention gives each primitive a
factor s_i (0 off, 1 as it is) and one of two rules for what happens to the weights:

    zero           Y' = X + Σ_i s_i V_ij ĝ_i                     what was switched off goes missing
    renormalise    Y' = X + Σ_i V'_ij ĝ_i, V'_ij = s_i V_ij / Σ_k s_k V_kj    the rest takes its place

With every primitive off by `zero`, Y' = X: the network without the block, exactly (a block made with
residual=False then hands out zeros). By `renormalise` there is nothing left to share the weights
among, and it is refused.

Why a bag can be transplanted between pictures of any shape and clips of any length: G is (m, n), n
vectors without positions. Where they were gathered is summed away by θ, where they go is decided by
ρ of the receiving picture alone.
"""

from __future__ import annotations

import contextlib
import difflib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from a2core.blocks.double_attention import DoubleAttention
from a2core.blocks.equations import expanded_bag, handed_out
from a2core.errors import InterventionError, NetworkError
from a2core.languages import sentence
from a2core.media import Clip
from a2core.networks.passage import Onwards
from a2core.tracing.arrays import frozen
from a2core.tracing.factors import factors_of, weights_of
from a2core.tracing.model import Model
from a2core.tracing.outcome import Attribution, Outcome, rank_correlation
from a2core.tracing.record import recording
from a2core.tracing.trace import BlockTrace

_FRAMES_AT_ONCE = 8  # of the variants that go through the tail together


@dataclass(frozen=True)
class _Place:
    """One block with what is kept of it; N = T·h·w positions."""

    name: str
    block: DoubleAttention
    features: Tensor  # X, (T, c, h, w)
    expanded: Tensor  # ĝ, (c, n)
    distribute: Tensor  # V, (n, N)
    output: Tensor  # Y, (T, c, h, w)
    onwards: Onwards  # what follows


class Replay:
    """A network's run over one picture or clip, kept so that each block can be intervened in.

    Made by one forward pass; keeps the trace and, of each double attention block, the features that
    it read (c·T·h·w numbers), so it costs little more memory than the trace alone.

    Attributes:
        model: which network ran.
        trace: the Trace of the run as it was, equal to `model.trace(clip, size=size)`.
        blocks: names of the blocks that can be intervened in, in network order.

    Raises:
        InterventionError: a network without classes.
        A2Error: as `Model.trace`.
    """

    def __init__(self, model: Model, clip: Clip, *, size: int = 448) -> None:
        if model.answers_with:
            raise InterventionError(
                "{network} answers with {answer}, not with classes, so there is no answer to compare. Choose "
                "a classifier.",
                network=model.name,
                answer=model.answers_with,
            )
        self.model = model
        blocks = {
            name: block
            for name, block in model.blocks.items()
            if isinstance(block, DoubleAttention) and block.dims == 2
        }
        self.trace, seen = model.trace_with_features(clip, size, blocks)
        with torch.inference_mode(False), torch.no_grad(), model.looking():
            self._places = {name: self._keep(name, blocks[name], x) for name, x in seen.items()}
        once = [name for name in self.trace.blocks if f"{name}#2" not in self.trace.blocks]
        self.blocks = tuple(name for name in once if name in self._places)
        self._plain: dict[str, Tensor] = {}

    def _keep(self, name: str, block: DoubleAttention, features: Tensor) -> _Place:
        seen = self.trace.blocks[name]
        features = features.clone()  # an ordinary tensor again, of which gradients can be taken
        expanded = expanded_bag(block, seen.primitives, features.device)
        distribute = torch.tensor(seen.distribute, device=features.device).flatten(1)
        output = handed_out(block, features, expanded, distribute)
        onwards = self.model.onwards(name, self.trace.model_input)
        return _Place(name, block, features, expanded, distribute, output, onwards)

    def run(
        self,
        block: str,
        *,
        off: Iterable[int] = (),
        only: Iterable[int] | None = None,
        scale: Mapping[int, float] | None = None,
        renormalise: bool = False,
        donor: Replay | None = None,
    ) -> Outcome:
        """The network's answer when primitives of `block` are switched off, scaled or replaced.

        Args:
            block: name of the module that the block stands behind, as in `trace.blocks`.
            off: primitives to switch off, counted from 0.
            only: keep no others than these.
            scale: primitive to its factor s_i. What is off stays off.
            renormalise: share the weights ρ among what is left, by the factors (the module's header).
            donor: take the bag of this run in place of the picture's own.

        Raises:
            NetworkError: no such block, or one that is no double attention for pictures.
            InterventionError: a primitive that the block does not have, a factor that is no finite
                number, nothing left or a negative factor with `renormalise`, a donor of another
                network, or an answer that is not finite any more.
        """
        start = time.perf_counter()
        place = self._place(block)
        seen = self.trace.blocks[block]
        factors = factors_of(seen.n, off, only, scale, renormalise=renormalise)
        bag, expanded = seen.primitives, place.expanded
        if donor is not None:
            if donor.model is not self.model:
                raise InterventionError(
                    "The donor's bag was made by another network, whose primitives mean something else. "
                    "Run both pictures through the same model."
                )
            bag, expanded = donor.trace.blocks[block].primitives, donor._place(block).expanded
        with torch.inference_mode():
            weights = weights_of(place.distribute, factors, renormalise=renormalise)
            output = handed_out(place.block, place.features, expanded, weights)
            logits, behind = self._answer(place, output)
            before, after = _probabilities(self._plain_logits(place)), _probabilities(logits)
            if not np.isfinite(after).all():
                raise InterventionError(
                    "With these factors (largest {largest:.3g}) the network's answer is not finite any more. "
                    "Choose smaller ones.",
                    largest=np.abs(factors).max(),
                )
            moved = _array(_relative(output - place.output, place.output)).reshape(seen.grid)
            change = _array(_relative(output - place.features, place.features)).reshape(seen.grid)
        if not renormalise:
            bag = bag * factors.astype(np.float32)
        distribute = _array(weights).reshape(seen.distribute.shape) if renormalise else seen.distribute
        changed = replace(
            seen,
            primitives=frozen(bag),
            distribute=frozen(distribute),
            output=frozen(np.tensordot(bag, distribute, axes=1)),
            change=frozen(change),
        )
        return Outcome(
            labels=self.model.labels,
            before=before,
            after=frozen(after),
            moved=frozen(moved),
            blocks={block: changed, **{name: found for name, found in behind.items() if name != block}},
            elapsed_s=time.perf_counter() - start,
        )

    def first_order(
        self, block: str, label: str | int | None = None, *, renormalise: bool = False
    ) -> np.ndarray:
        """The first-order term of each primitive for a class, (n,) float32: see `Attribution`.

        One pass forwards and one backwards through what stands behind the block.

        Args:
            block: as for `run`.
            label: a class by name, or by its index among the logits; None is the best one. Of classes
                that share a name, the one with the highest probability is meant.
            renormalise: as for `run`; what a primitive adds is then counted against what takes its place.

        Raises:
            NetworkError: no such block.
            InterventionError: no such class.
        """
        place = self._place(block)
        index = self._class(place, label)
        with torch.inference_mode(False), torch.enable_grad():
            output = place.output.detach().float().requires_grad_()
            logits, _ = self._answer(place, output)
            (gradient,) = torch.autograd.grad(logits[:, index].mean(), output)
        slopes = place.expanded.T @ gradient.movedim(1, 0).flatten(1).to(place.expanded.dtype)  # (n, N)
        if renormalise:
            slopes = slopes - (slopes * place.distribute).sum(dim=0)
        return _array((slopes * place.distribute).sum(dim=1))

    def attribute(
        self,
        block: str,
        label: str | int | None = None,
        *,
        renormalise: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> Attribution:
        """First-order terms beside the true effect of ablating each primitive by itself.

        Args:
            block: as for `run`.
            label: as for `first_order`.
            renormalise: as for `run`.
            progress: called with (done, n) as the ablations go on; what it raises ends them.

        Raises:
            NetworkError, InterventionError: as `run` and `first_order`.
        """
        first = self.first_order(block, label, renormalise=renormalise)
        place = self._place(block)
        index = self._class(place, label)
        count = len(first)
        baseline = float(self._plain_logits(place)[:, index].mean())
        ablated: list[float] = []
        for logits in self._ablated(place, range(count), renormalise):
            ablated += (baseline - logits[..., index].mean(dim=1)).tolist()
            if progress is not None:
                progress(len(ablated), count)
        effects = np.array(ablated, dtype=np.float32)
        return Attribution(
            self.model.labels[index], frozen(first), frozen(effects), rank_correlation(first, effects)
        )

    def switch_off_each(
        self, block: str, primitives: Iterable[int], *, renormalise: bool = False
    ) -> np.ndarray:
        """The answer when each of `primitives` is switched off by itself, a row for each.

        Args:
            block: as for `run`.
            primitives: which, counted from 0.
            renormalise: as for `run`.

        Returns:
            (k, classes) float64 probabilities, of a clip their mean over its frames; read-only.

        Raises:
            NetworkError, InterventionError: as `run`.
        """
        place = self._place(block)
        rows = [
            logits.double().softmax(dim=2).mean(dim=1).cpu().numpy()
            for logits in self._ablated(place, primitives, renormalise)
        ]
        return frozen(np.concatenate(rows) if rows else np.zeros((0, len(self.model.labels))))

    def _ablated(self, place: _Place, primitives: Iterable[int], renormalise: bool) -> Iterator[Tensor]:
        """Logits (k, T, classes) with each primitive off by itself, a few variants at a time."""
        frames, count = len(place.features), place.distribute.shape[0]
        wanted, at_once = list(primitives), max(1, _FRAMES_AT_ONCE // frames)
        for start in range(0, len(wanted), at_once):
            with torch.inference_mode():
                variants = []
                for i in wanted[start : start + at_once]:
                    factors = factors_of(count, [i], None, None, renormalise=renormalise)
                    weights = weights_of(place.distribute, factors, renormalise=renormalise)
                    variants.append(handed_out(place.block, place.features, place.expanded, weights))
                logits, _ = self._answer(place, torch.cat(variants))
            yield logits.unflatten(0, (-1, frames))

    def _answer(self, place: _Place, output: Tensor) -> tuple[Tensor, dict[str, BlockTrace]]:
        """Logits (k·T, classes) when the block hands out `output` (k·T, c, h, w), and later blocks' traces.

        Blocks are observed as in a trace, so that they work in the same precision; what is recorded
        is of the first of the k.
        """
        model, frames, model_input = self.model, len(place.features), self.trace.model_input
        copies = len(output) // frames
        # In half precision the gradients of one position among hundreds would vanish.
        precision = contextlib.nullcontext() if output.requires_grad else model.autocast()
        with (
            model.looking(),
            recording(
                model.blocks,
                frames_per_clip=frames,
                picture_px=model_input.shape[1:3],
                copies=copies,
            ) as seen,
            precision,
        ):
            answer = place.onwards(
                output.clone(),  # what follows may work in place
                lambda: model.preprocess(model_input).repeat(copies, 1, 1, 1),
            )
            return model.logits(answer, len(output)).float(), seen

    def _place(self, name: str) -> _Place:
        if f"{name}#2" in self.trace.blocks:
            raise InterventionError(
                "The block behind {name!r} runs more than once on one picture, so a change of it would "
                "be several at once. Give each place a block of its own.",
                name=name,
            )
        if name in self._places:
            return self._places[name]
        if name in self.model.blocks:
            raise NetworkError(
                "The block behind {name!r} is a {kind}, which has no bag of primitives to intervene in. "
                "Choose a DoubleAttention block with dims=2.",
                name=name,
                kind=type(self.model.blocks[name]).__name__,
            )
        known = list(self._places)
        raise NetworkError(
            "There is no block behind {name!r}. {hint}", name=name, hint=_nearest(name, known, "blocks")
        )

    def _plain_logits(self, place: _Place) -> Tensor:
        """Logits (T, classes) of the run as it was, by the way that interventions take."""
        if place.name not in self._plain:
            with torch.inference_mode():
                self._plain[place.name] = self._answer(place, place.output)[0]
        return self._plain[place.name]

    def _class(self, place: _Place, label: str | int | None) -> int:
        labels, before = self.model.labels, _probabilities(self._plain_logits(place))
        if label is None:
            return int(before.argmax())
        if isinstance(label, str):
            same = [index for index, known in enumerate(labels) if known == label]
            if not same:
                raise InterventionError(
                    "The network has no class {label!r}. {hint}",
                    label=label,
                    hint=_nearest(label, labels, "classes"),
                )
            return max(same, key=lambda index: before[index])
        if not 0 <= label < len(labels):
            raise InterventionError(
                "The network has no class {label}: they are counted from 0 to {last}.",
                label=label,
                last=len(labels) - 1,
            )
        return label


def _nearest(name: str, known: Iterable[str], what: str) -> str:
    known = list(dict.fromkeys(known))
    # By the words in it first: "cat" means "tiger cat" sooner than "cab".
    close = [k for k in known if name and name.lower() in k.lower()]
    close += [k for k in difflib.get_close_matches(name, known, n=3, cutoff=0.5) if k not in close]
    if close:
        return sentence("The nearest are {names}.", names=", ".join(map(repr, close[:3])))
    some = ", ".join(map(repr, known[:3])) + (" …" if len(known) > 3 else "")
    return sentence("It has the {what} {some}.", what=what, some=some)


def _probabilities(logits: Tensor) -> np.ndarray:
    """(classes,) float64 of logits (T, classes): their mean over the frames, read-only."""
    return frozen(logits.double().softmax(dim=1).mean(dim=0).cpu().numpy())


def _relative(difference: Tensor, base: Tensor) -> Tensor:
    """|difference| / |base| at each position, (T, h, w), of (T, c, h, w)."""
    return difference.float().norm(dim=1) / base.float().norm(dim=1).clamp_min(1e-12)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
