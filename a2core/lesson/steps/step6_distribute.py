"""Step 6: each cell mixes its own, put together term by term; and the trap of writing out the full map."""

from __future__ import annotations

import numpy as np

from a2core.lesson.figures import bars, curve, map_url, table
from a2core.lesson.measures import weights_bytes
from a2core.lesson.numbers import megabytes, number, share, whole
from a2core.lesson.steps.board import Board, softmax
from a2core.lesson.steps.screen import Screen, printed, subscripted, trap
from a2core.lesson.words import common
from a2core.lesson.words import step6_distribute as words
from a2core.tracing.lesson import Lesson

LEADERS = 6  # primitives that are shown by their maps
SIDE = 56  # cells of the clips that the trap speaks of
CLIP, LONGER_CLIP = 8, 32  # their frames


class _Mixture:
    """The sum z_p = Σ ρ_ip g_i of the chosen cell, the largest share first, and its first `terms`."""

    def __init__(self, board: Board) -> None:
        self.terms = board.choice.terms
        bag, self.rho = board.array("primitives"), softmax(board.column("rho_logits"))
        self.order = np.argsort(-self.rho, kind="stable")
        self.z = bag @ self.rho
        partial = np.cumsum(bag[:, self.order] * self.rho[self.order], axis=1)  # (m, n): after 1, 2, … terms
        self.errors = np.linalg.norm(self.z[:, None] - partial, axis=0) / np.linalg.norm(self.z)
        self.so_far = partial[:, self.terms - 1]
        self.k = int(np.argmax(np.abs(self.z)))  # the channel whose numbers are printed
        self.used = self.order[: self.terms]


def screen(board: Board) -> Screen:
    """The chosen cell's mixture so far, and where its terms were gathered."""
    of = _Mixture(board)
    k, terms = of.k, of.terms
    gather = board.lesson.gather.reshape(board.lesson.n, -1)
    return Screen(
        sentence=words.SENTENCE,
        overlay=board.maps(of.rho[of.used] @ gather[of.used]),
        shows="attention",
        overlay_says=words.OVERLAY,
        figures=_leaders(board, of, gather) + _plots(of),
        numbers=printed(
            (common.CHOSEN_CELL, board.place()),
            (words.TERMS, whole("terms", terms)),
            (words.SHARES, share("shares_so_far", of.rho[of.used].sum())),
            (common.sum_in_channel(whole("k", k)), number("sum_k", of.so_far[k])),
            (common.in_that_channel(words.Z_P), number("z_k", of.z[k])),
            (common.ERROR_LEFT, share("error_left", of.errors[terms - 1])),
        ),
        code=board.load(
            f"logits, G = {board.key('rho_logits')}[:, {board.at}], {board.key('primitives')}",
            "rho = np.exp(logits - logits.max())",
            "rho /= rho.sum()",
            f"used = np.argsort(-rho, kind='stable')[:{terms}]",
            f'print(f"{{(G[:, used] @ rho[used])[{k}]:#.4g}} {{(G @ rho)[{k}]:#.4g}}")',
        ),
        prints=f"{of.so_far[k]:#.4g} {of.z[k]:#.4g}",
        trap=_full_map(board.lesson),
    )


def _leaders(board: Board, of: _Mixture, gather: np.ndarray) -> str:
    """The primitives with the largest shares as small gather maps; those in the sum stand out."""
    chips = "".join(
        f'<li class="{"a2-in" if index < of.terms else "a2-out"}">'
        f'<img src="{map_url(board.frame(gather[q]), "gather")}" '
        f'style="aspect-ratio:{board.aspect:.4f}" alt="{words.LEADER_ALT}">'
        f"<span>{subscripted('g', whole(f'leader_{index}', int(q)))}</span>"
        f"{share(f'leader_share_{index}', of.rho[q])}</li>"
        for index, q in enumerate(of.order[:LEADERS])
    )
    return (
        f'<figure class="a2-chips"><figcaption><b>{words.LEADERS}</b></figcaption><ol>{chips}</ol></figure>'
    )


def _plots(of: _Mixture) -> str:
    """The sum so far against what it becomes, and the error left after so many terms."""
    so_far = bars(
        words.SUM,
        of.so_far,
        outline=of.z,
        reach=float(max(np.abs(of.z).max(), np.abs(of.so_far).max())),
        chosen=of.k,
        axes=(common.VALUE, common.M_CHANNELS),
        alt=words.SUM_ALT,
    )
    left = np.concatenate([[1.0], of.errors]) / max(1.0, float(of.errors.max()))
    return so_far + curve(
        words.ERROR, np.clip(left, 0, 1), at=of.terms, axes=words.ERROR_AXES, alt=words.ERROR_ALT
    )


def larger_grids(lesson: Lesson) -> list[tuple[str, str, int]]:
    """The grids for which the trap says what maps weigh: names, words, numbers of positions."""
    frames, rows, cols = lesson.grid
    clips = ((words.clip, "clip", CLIP), (words.longer_clip, "long", LONGER_CLIP))
    return [
        ("this", words.THIS_GRID, frames * rows * cols),
        ("finer", words.FINER_GRID, frames * 4 * rows * cols),
        *(
            (what, say(whole(f"{what}_frames", count), whole(f"{what}_side", SIDE)), count * SIDE**2)
            for say, what, count in clips
        ),
    ]


def _full_map(lesson: Lesson) -> str:
    """The N×N map that nobody has to compute, and what it would weigh."""
    rows = []
    for what, said, positions in larger_grids(lesson):
        full, factors = weights_bytes(positions, lesson.n)
        rows.append(
            (
                said,
                whole(f"{what}_N", positions),
                megabytes(f"{what}_full", full),
                megabytes(f"{what}_factors", factors),
            )
        )
    return trap(words.TRAP_TITLE, words.TRAP, table(words.TRAP_COLUMNS, rows))
