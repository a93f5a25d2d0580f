"""The lesson on one block in seven steps: what each screen says, shows, prints and lets one check.

Pure: a `Lesson` (the block's tensors) and a `Choice` (what the visitor moved) go in, a `Screen` comes
out, ready to be laid out; no Streamlit, no torch. Numbers are computed in float64 from the arrays of
the lesson's NPZ file, so that a few lines of NumPy give them again to every printed digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from a2core import Lesson
from viz_app.ui.figures import (
    Number,
    bars,
    cells,
    curve,
    map_url,
    megabytes,
    number,
    share,
    table_url,
    tensor,
    whole,
)

TEMPERATURES = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1e6)
FLAT_FROM = 100.0  # a temperature at which softmax is as good as plain averaging
LEADERS = 6
FLOAT_BYTES = 4


@dataclass(frozen=True)
class Choice:
    """What the visitor moved. Indices count from 0; a position is (t, row, col), in cells."""

    position: tuple[int, int, int]
    primitive: int
    channel: int
    temperature: float
    reached: int  # the last cell of the running sum, in reading order
    terms: int  # how many primitives are put together, at least 1


@dataclass(frozen=True)
class Step:
    """What a step is about: its short name, its heading, its formula in LaTeX."""

    name: str
    title: str
    formula: str


@dataclass(frozen=True)
class Screen:
    """One step with the numbers of one picture; everything but the formula is HTML."""

    sentence: str
    overlay: np.ndarray  # (T, h, w), over the picture
    colours: str  # of the overlay
    overlay_says: str
    figures: str
    numbers: str
    code: str  # lines of NumPy that print `prints` from the lesson's NPZ file
    prints: str
    trap: str = ""


STEPS = (
    Step(
        "Features",
        "The block is given a table of features",
        r"X \in \mathbb{R}^{c \times N}, \quad N = T\,h\,w",
    ),
    Step(
        "Projections",
        "Three projections of the same features",
        r"A = W_\phi \hat X + b_\phi, \quad \Theta = W_\theta \hat X + b_\theta, "
        r"\quad R = W_\rho \hat X + b_\rho",
    ),
    Step(
        "Where to look",
        "Softmax over positions makes a map of where to look",
        r"b_{ij} = \frac{\exp(\theta_{ij}/\tau)}{\sum_{j'} \exp(\theta_{ij'}/\tau)}, "
        r"\qquad \sum_j b_{ij} = 1",
    ),
    Step(
        "Gather",
        "Gather: a weighted sum over all positions",
        r"g_i = \sum_{j} b_{ij}\, a_j, \qquad G = A B^\top",
    ),
    Step(
        "What to take",
        "Softmax over primitives makes each cell’s shares",
        r"v_{ip} = \frac{\exp(\rho_{ip})}{\sum_{i'} \exp(\rho_{i'p})}, \qquad \sum_i v_{ip} = 1",
    ),
    Step("Distribute", "Distribute: each cell mixes its own", r"z_p = \sum_{i} v_{ip}\, g_i, \qquad Z = G V"),
    Step("Add", "Expand, and add to what was there", r"Y = X + \Delta, \qquad \Delta = W_e Z + b_e"),
)


def softmax(logits: np.ndarray, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Softmax along `axis` at a temperature; at 0 its limit: the largest share everything equally."""
    below = logits - logits.max(axis=axis, keepdims=True)
    powers = (below == 0).astype(float) if temperature == 0 else np.exp(below / temperature)
    return powers / powers.sum(axis=axis, keepdims=True)


def effective_count(shares: np.ndarray) -> float:
    """How many of `shares` (k,), which sum to 1, really count: exp of their entropy."""
    used = shares[shares > 0]
    return float(np.exp(-(used * np.log(used)).sum()))


def fitted(choice: Choice, lesson: Lesson) -> Choice:
    """`choice` with every index brought inside the lesson's sizes."""
    frames, rows, cols = lesson.grid
    t, row, col = choice.position
    return Choice(
        position=(_inside(t, frames), _inside(row, rows), _inside(col, cols)),
        primitive=_inside(choice.primitive, lesson.n),
        channel=_inside(choice.channel, lesson.c),
        temperature=choice.temperature,
        reached=_inside(choice.reached, lesson.positions),
        terms=_inside(choice.terms, lesson.n + 1) or 1,
    )


def _inside(index: int, size: int) -> int:
    return max(0, min(int(index), size - 1))


def tables_of(lesson: Lesson) -> dict[str, str]:
    """The block's largest tensors as pictures, by name: made once for each lesson."""
    return {
        name: table_url(getattr(lesson, name).reshape(len(getattr(lesson, name)), -1), "signed")
        for name in ("features", "phi", "theta", "rho")
    }


def screen(step: int, lesson: Lesson, choice: Choice, tables: Mapping[str, str], file_name: str) -> Screen:
    """Step `step` (1 to 7) for `choice`; `file_name` is what the code under it loads."""
    return _SCREENS[step - 1](_Board(lesson, fitted(choice, lesson), tables, file_name))


class _Board:
    """The lesson with its positions flattened to N, in float64, and words that several steps share."""

    def __init__(self, lesson: Lesson, choice: Choice, tables: Mapping[str, str], file_name: str) -> None:
        self.lesson, self.choice, self.tables, self.file_name = lesson, choice, tables, file_name
        self.frames, self.rows, self.cols = lesson.grid
        self.i = choice.primitive
        self.p = self.flat(choice.position)

    def flat(self, position: tuple[int, int, int]) -> int:
        t, row, col = position
        return (t * self.rows + row) * self.cols + col

    def table(self, name: str) -> np.ndarray:
        """An array of the lesson as (channels, N), float64."""
        array = getattr(self.lesson, name)
        return array.reshape(len(array), -1).astype(np.float64)

    def array(self, name: str) -> np.ndarray:
        return getattr(self.lesson, name).astype(np.float64)

    def maps(self, flat: np.ndarray) -> np.ndarray:
        """(N,) as (T, h, w)."""
        return flat.reshape(self.lesson.grid)

    def frame(self, flat: np.ndarray) -> np.ndarray:
        """(N,) as the (h, w) of the chosen position's frame."""
        return self.maps(flat)[self.choice.position[0]]

    @property
    def aspect(self) -> float:
        return self.cols / self.rows

    def cell(self, position: tuple[int, int, int] | None = None) -> tuple[float, float, float, float]:
        _, row, col = position or self.choice.position
        return col / self.cols, row / self.rows, 1 / self.cols, 1 / self.rows

    def map(self, symbol: str, flat: np.ndarray, colours: str, alt: str, note: str = "") -> str:
        """A map (N,) as a figure, the chosen cell marked."""
        # One scale for all frames: else a frame that holds nothing would look full.
        url = map_url(self.frame(flat), colours, high=float(np.abs(flat).max()))
        return cells(symbol, url, aspect=self.aspect, alt=alt, cell=self.cell(), note=note)

    def place(self, position: tuple[int, int, int] | None = None, prefix: str = "") -> str:
        """In words, row and column counted from 0 as NumPy does."""
        t, row, col = position or self.choice.position
        words = f"row {whole(prefix + 'row', row)}, column {whole(prefix + 'column', col)}"
        return f"frame {whole(prefix + 'frame', t)}, {words}" if self.frames > 1 else words

    def unflat(self, index: int) -> tuple[int, int, int]:
        t, row, col = np.unravel_index(index, self.lesson.grid)
        return int(t), int(row), int(col)

    @property
    def at(self) -> str:
        """The chosen position as NumPy indexes it."""
        return ", ".join(map(str, self.choice.position))

    def load(self, *lines: str) -> str:
        """The lines of a check, with those that load the file in front."""
        head = ["import numpy as np", "", f'd = np.load("{self.file_name}")']
        return "\n".join([*head, *lines])

    def key(self, name: str) -> str:
        return f'd["{self.lesson.name}/{name}"].astype(float)'

    def positions_axis(self) -> str:
        grid = " × ".join(
            str(whole(what, size))
            for what, size in zip(("frames", "rows", "columns"), self.lesson.grid, strict=True)
            if what != "frames" or self.frames > 1
        )
        return f"N positions, {grid}, one after the other →"

    @property
    def column(self) -> float:
        return (self.p + 0.5) / self.lesson.positions


def _numbers(*lines: tuple[str, Number | str]) -> str:
    """What is printed at the side: terms in words, values to read."""
    return '<dl class="a2-numbers">' + "".join(f"<dt>{t}</dt><dd>{v}</dd>" for t, v in lines) + "</dl>"


def _g(index: Number) -> str:
    return f"g<sub>{index}</sub>"


def _one_of(board: _Board) -> str:
    """The chosen primitive's index, as a subscript that is read back like every figure."""
    return f"<sub>{whole('primitive', board.i)}</sub>"


def _features(board: _Board) -> Screen:
    lesson, k = board.lesson, board.choice.channel
    x = board.table("features")
    column = x[:, board.p]
    shape = (whole("c", lesson.c), whole("N", lesson.positions))
    figures = [
        tensor(
            "X",
            board.tables["features"],
            shape=shape,
            axes=("c channels ↓", board.positions_axis()),
            alt="The table of features, the chosen cell’s column marked",
            column=board.column,
            row=(k + 0.5) / lesson.c,
        ),
        bars(
            "x<sub>p</sub>, the marked column",
            column,
            axes=("value", "c channels →"),
            chosen=k,
            alt="The features of the chosen cell",
        ),
    ]
    return Screen(
        sentence="Each cell of the grid is one column of numbers; to the block, the picture is this table "
        "and nothing else.",
        overlay=board.maps(x[k]),
        colours="signed",
        overlay_says=f"row {whole('channel', k)} of X laid out as the picture: violet below zero, orange "
        "above",
        figures="".join(figures),
        numbers=_numbers(
            ("chosen cell p", board.place()),
            ("its value in the channel, x<sub>kp</sub>", number("x_kp", column[k])),
            ("its length, |x<sub>p</sub>|", number("length_x", float(np.linalg.norm(column)))),
        ),
        code=board.load(
            f"x = {board.key('features')}[:, {board.at}]",
            f'print(f"{{x[{k}]:#.4g}} {{np.linalg.norm(x):#.4g}}")',
        ),
        prints=f"{column[k]:#.4g} {np.linalg.norm(column):#.4g}",
    )


def _projections(board: _Board) -> Screen:
    lesson, i = board.lesson, board.i
    row = min(i, lesson.m - 1)
    x = board.table("normed")[:, board.p]
    values, figures, maps = [], [], []
    names = (
        ("A", "phi", "a", row, lesson.m),
        ("Θ", "theta", "θ", i, lesson.n),
        ("R", "rho", "ρ", i, lesson.n),
    )
    for symbol, name, letter, index, size in names:
        value = float(board.array(f"{name}_weight")[index] @ x + board.array(f"{name}_bias")[index])
        values.append((symbol, letter, number(f"{name}_ip", value)))
        count = "m" if name == "phi" else "n"
        figures.append(
            tensor(
                symbol,
                board.tables[name],
                shape=(whole(count, size), whole("N", lesson.positions)),
                axes=(f"{count} rows ↓", "N positions →"),
                alt=f"The table {symbol}, one row and one column marked",
                column=board.column,
                row=(index + 0.5) / size,
            )
        )
        alt = f"The marked row of {symbol} as a map"
        maps.append(board.map(f"marked row of {symbol}", board.table(name)[index], "signed", alt))
    return Screen(
        sentence="Three linear maps read the same columns: φ says what a cell has to give, θ where each "
        "primitive should look, ρ what each cell asks for.",
        overlay=board.maps(board.table("theta")[i]),
        colours="signed",
        overlay_says=f"row {whole('primitive', i)} of Θ laid out as the picture",
        figures=f'<div class="a2-three">{"".join(figures)}{"".join(maps)}</div>',
        numbers=_numbers(
            ("chosen cell p", board.place()),
            *(
                (f"{letter}<sub>ip</sub>, where the lines cross in {symbol}", value)
                for symbol, letter, value in values
            ),
        ),
        code=board.load(
            f"x = {board.key('normed')}[:, {board.at}]",
            f'for name, row in (("phi", {row}), ("theta", {i}), ("rho", {i})):',
            f'    weight = d[f"{lesson.name}/{{name}}_weight"].astype(float)',
            f'    bias = d[f"{lesson.name}/{{name}}_bias"].astype(float)',
            '    print(f"{weight[row] @ x + bias[row]:#.4g}")',
        ),
        prints="\n".join(f"{value.value:#.4g}" for _, _, value in values),
    )


def _softmax_over_positions(board: _Board) -> Screen:
    lesson, i, tau = board.lesson, board.i, board.choice.temperature
    logits = board.table("theta")[i]
    b = softmax(logits, tau)
    count, peak = lesson.positions, int(np.argmax(b))
    most = np.sort(b)[::-1][:60]
    figures = [
        board.map(f"θ{_one_of(board)}, logits", logits, "signed", "The logits of one primitive"),
        board.map(f"b{_one_of(board)}, after softmax", b, "magma", "The gather map of one primitive"),
        bars(
            "the heaviest cells of the map, largest first",
            most / max(float(b.max()), 1e-300),
            axes=("share of the peak", "cells, by weight →"),
            alt="Weights of the heaviest cells",
            outline=np.full(len(most), 1 / count / float(b.max())),
            note="The line is plain averaging: the same 1/N for each cell.",
        ),
    ]
    temperature = repr(tau)
    lines = [f"theta = {board.key('theta')}[{i}].ravel()"]
    if tau == 0:
        lines += ["b = (theta == theta.max()).astype(float)  # the limit: the arg-max takes it all"]
    else:
        lines += [f"b = np.exp((theta - theta.max()) / {temperature})"]
    lines += [
        "b /= b.sum()",
        "reach = np.exp(-(b[b > 0] * np.log(b[b > 0])).sum())",
        'print(f"{b.max():#.4g} {reach:#.4g} {b.sum():#.4g}")',
    ]
    reach = effective_count(b)
    return Screen(
        sentence=_temperature_in_words(
            tau, int((b == b.max()).sum()), board.place(board.unflat(peak), "peak_")
        ),
        overlay=board.maps(b),
        colours="magma",
        overlay_says=f"the gather map b{_one_of(board)} at this temperature",
        figures=f'<div class="a2-pair">{"".join(figures[:2])}</div>{figures[2]}',
        numbers=_numbers(
            ("peak, max<sub>j</sub> b<sub>ij</sub>", number("peak", b.max())),
            ("plain averaging, 1/N", number("one_over_N", 1 / count)),
            ("reach: cells that hold the map", number("reach", reach)),
            ("of N cells", whole("N", count)),
            ("sum over all positions", number("sum_b", b.sum())),
        ),
        code=board.load(*lines),
        prints=f"{b.max():#.4g} {reach:#.4g} {b.sum():#.4g}",
    )


def _temperature_in_words(tau: float, winners: int, place: str) -> str:
    if tau == 0:
        if winners > 1:
            return (
                f"At temperature zero nothing but the largest logit counts: {whole('winners', winners)} "
                "cells "
                "have it and share the whole weight equally."
            )
        return (
            "At temperature zero softmax becomes the arg-max: the whole weight falls on the one cell with "
            f"the largest logit, {place}."
        )
    if tau >= FLAT_FROM:
        return (
            "At a very large temperature the logits no longer matter: every cell gets the same share, and "
            "gathering becomes plain averaging."
        )
    if tau == 1:
        return (
            f"Each row of Θ becomes a map that sums to one over all positions; it peaks at {place}. "
            "The network itself uses temperature one."
        )
    if tau < 1:
        return f"Colder than the network: the best cells, above all {place}, take more of the whole."
    return f"Warmer than the network: the map spreads, though it still peaks at {place}."


def _gather(board: _Board) -> Screen:
    lesson, i, j = board.lesson, board.i, board.choice.reached
    a, b = board.table("phi"), softmax(board.table("theta")[i])
    g, mean = a @ b, a.mean(axis=1)
    so_far = a[:, : j + 1] @ b[: j + 1]
    k = int(np.argmax(np.abs(g)))
    collected = np.cumsum(b)
    reach = float(max(np.abs(g).max(), np.abs(mean).max(), np.abs(so_far).max()))
    lit = np.where(np.arange(lesson.positions) <= j, b, 0.0)
    shown = board.unflat(j)
    name = f"g{_one_of(board)}"
    figures = [
        bars(
            f"running sum, and {name} as a line",
            so_far,
            outline=g,
            reach=reach,
            chosen=k,
            axes=("value", "m channels →"),
            alt="The running sum over the cells so far, with the primitive it becomes",
        ),
        bars(
            f"plain average of all a<sub>j</sub>, and {name} as a line",
            mean,
            outline=g,
            reach=reach,
            axes=("value", "m channels →"),
            alt="The plain average of the features, with the primitive",
        ),
        curve(
            "weight collected so far",
            collected,
            compare=np.arange(1, lesson.positions + 1) / lesson.positions,
            at=j,
            axes=("zero to one", "cells, in reading order →"),
            alt="Weight collected over the cells",
            note="The thin line is plain averaging.",
        ),
    ]
    left = float(np.linalg.norm(g - so_far) / np.linalg.norm(g))
    far = float(np.linalg.norm(g - mean) / np.linalg.norm(g))
    return Screen(
        sentence="Every term multiplies two things read from the same cell, its weight and its features: "
        "that "
        "is what second-order means, and why no primitive need be the plain average.",
        overlay=board.maps(lit),
        colours="magma",
        overlay_says=f"b{_one_of(board)} over the cells that are in the sum",
        figures="".join(figures),
        numbers=_numbers(
            ("last cell in the sum, j", board.place(shown, "j_")),
            ("its weight, b<sub>ij</sub>", number("b_ij", b[j])),
            ("weight collected", share("collected", collected[j])),
            (f"the sum in channel {whole('k', k)}", number("sum_k", so_far[k])),
            (f"{name} in that channel", number("g_k", g[k])),
            ("error left", share("error_left", left)),
            ("how far the plain average is off", share("average_off", far)),
        ),
        code=board.load(
            f"theta, a = {board.key('theta')}[{i}].ravel(), {board.key('phi')}.reshape({lesson.m}, -1)",
            "b = np.exp(theta - theta.max())",
            "b /= b.sum()",
            f"running = a[:, : {j} + 1] @ b[: {j} + 1]",
            f'print(f"{{b[{j}]:#.4g}} {{running[{k}]:#.4g}} {{(a @ b)[{k}]:#.4g}}")',
        ),
        prints=f"{b[j]:#.4g} {so_far[k]:#.4g} {g[k]:#.4g}",
    )


def _softmax_over_primitives(board: _Board) -> Screen:
    lesson, i, p = board.lesson, board.i, board.p
    rho = board.table("rho")
    shares = softmax(rho, axis=0)
    v = shares[:, p]
    rank = int(np.flatnonzero(np.argsort(-v, kind="stable") == i)[0]) + 1
    figures = [
        bars(
            "ρ<sub>p</sub>, the logits of this cell",
            rho[:, p],
            chosen=i,
            axes=("logit", "n primitives →"),
            alt="Logits of the chosen cell over the primitives",
        ),
        bars(
            "v<sub>p</sub>, its shares",
            v,
            chosen=i,
            axes=("share", "n primitives →"),
            alt="Shares of the chosen cell over the primitives",
        ),
    ]
    return Screen(
        sentence="Each column of R becomes shares that sum to one over the primitives: every cell orders "
        "its own "
        "mixture, whatever the other cells order.",
        overlay=board.maps(shares[i]),
        colours="viridis",
        overlay_says=f"who receives {_g(whole('primitive', i))}: row v{_one_of(board)} laid out as the "
        "picture",
        figures="".join(figures),
        numbers=_numbers(
            ("chosen cell p", board.place()),
            (f"its share of {_g(whole('primitive', i))}", number("v_ip", v[i])),
            ("the primitive’s rank in this cell", whole("rank", rank)),
            ("of n primitives", whole("n", lesson.n)),
            ("primitives that really count here", number("effective", effective_count(v))),
            ("sum over all primitives", number("sum_v", v.sum())),
        ),
        code=board.load(
            f"rho = {board.key('rho')}[:, {board.at}]",
            "v = np.exp(rho - rho.max())",
            "v /= v.sum()",
            f'print(f"{{v[{i}]:#.4g}} {{np.exp(-(v * np.log(v)).sum()):#.4g}} {{v.sum():#.4g}}")',
        ),
        prints=f"{v[i]:#.4g} {effective_count(v):#.4g} {v.sum():#.4g}",
        trap=_trap_wrong_axis(board, rho),
    )


def _trap_wrong_axis(board: _Board, rho: np.ndarray) -> str:
    """What the commonest mistake does to the sums: softmax of ρ over positions."""
    wrong = softmax(rho, axis=1)
    sums = wrong.sum(axis=0)
    figure = board.map("what each cell would receive in all", sums, "viridis", "Column sums, wrong axis")
    lines = _numbers(
        ("right: every column sums to", number("right_sum", softmax(rho, axis=0)[:, board.p].sum())),
        ("wrong: this cell’s column sums to", number("wrong_sum", sums[board.p])),
        ("wrong: the least column", number("wrong_least", sums.min())),
        ("wrong: the largest column", number("wrong_largest", sums.max())),
    )
    return (
        "<h3>Trap: softmax of ρ over positions</h3><p>The commonest mistake in public code. Each primitive "
        "is "
        "then shared out among the cells, so that what a cell receives depends on how loudly all others ask: "
        f'some drown, some starve.</p><div class="a2-trap-row">{figure}{lines}</div>'
    )


def _distribute(board: _Board) -> Screen:
    lesson, p, terms = board.lesson, board.p, board.choice.terms
    bag, v = board.array("primitives"), softmax(board.table("rho")[:, p])
    gather = lesson.gather.reshape(lesson.n, -1)
    order = np.argsort(-v, kind="stable")
    z = bag @ v
    partial = np.cumsum(bag[:, order] * v[order], axis=1)  # (m, n): after 1, 2, … terms
    errors = np.linalg.norm(z[:, None] - partial, axis=0) / np.linalg.norm(z)
    so_far = partial[:, terms - 1]
    k = int(np.argmax(np.abs(z)))
    reach = float(max(np.abs(z).max(), np.abs(so_far).max()))
    used = order[:terms]
    seen = v[used] @ gather[used]
    chips = "".join(
        f'<li class="{"a2-in" if index < terms else "a2-out"}">'
        f'<img src="{map_url(board.frame(gather[q]), "magma")}" '
        f'style="aspect-ratio:{board.aspect:.4f}" alt="Gather map">'
        f"<span>{_g(whole(f'leader_{index}', int(q)))}</span>"
        f"{share(f'leader_share_{index}', v[q])}</li>"
        for index, q in enumerate(order[:LEADERS])
    )
    figures = [
        f'<figure class="a2-chips"><figcaption><b>the largest shares, and where each was gathered</b>'
        f"</figcaption><ol>{chips}</ol></figure>",
        bars(
            "sum so far, and z<sub>p</sub> as a line",
            so_far,
            outline=z,
            reach=reach,
            chosen=k,
            axes=("value", "m channels →"),
            alt="The mixture so far, with what it becomes",
        ),
        curve(
            "error left, as a share of |z<sub>p</sub>|",
            np.clip(np.concatenate([[1.0], errors]) / max(1.0, float(errors.max())), 0, 1),
            at=terms,
            axes=("error", "terms, largest first →"),
            alt="Error left after so many terms",
        ),
    ]
    return Screen(
        sentence="The cell’s new features are its own mixture of the primitives, put together here from the "
        "largest share down.",
        overlay=board.maps(seen),
        colours="magma",
        overlay_says="where the terms so far were gathered: effective attention of this cell",
        figures="".join(figures),
        numbers=_numbers(
            ("chosen cell p", board.place()),
            ("terms in the sum", whole("terms", terms)),
            ("their shares together", share("shares_so_far", v[used].sum())),
            (f"the sum in channel {whole('k', k)}", number("sum_k", so_far[k])),
            ("z<sub>p</sub> in that channel", number("z_k", z[k])),
            ("error left", share("error_left", errors[terms - 1])),
        ),
        code=board.load(
            f"rho, G = {board.key('rho')}[:, {board.at}], {board.key('primitives')}",
            "v = np.exp(rho - rho.max())",
            "v /= v.sum()",
            f"used = np.argsort(-v, kind='stable')[:{terms}]",
            f'print(f"{{(G[:, used] @ v[used])[{k}]:#.4g}} {{(G @ v)[{k}]:#.4g}}")',
        ),
        prints=f"{so_far[k]:#.4g} {z[k]:#.4g}",
        trap=_trap_full_map(lesson),
    )


def weights_bytes(positions: int, n: int) -> tuple[int, int]:
    """Bytes in float32 of the N×N map, and of the two factors B and V that stand for it."""
    return FLOAT_BYTES * positions**2, FLOAT_BYTES * 2 * n * positions


def larger_grids(lesson: Lesson) -> list[tuple[str, str, int]]:
    """Names and numbers of positions for which the trap prints what the maps would weigh."""
    frames, rows, cols = lesson.grid
    return [
        ("this", "what you look at", frames * rows * cols),
        ("finer", "the same with cells half as large", frames * 4 * rows * cols),
        ("clip", "a clip: 8 frames of 56 × 56 cells", 8 * 56 * 56),
        ("long", "a longer one: 32 frames of 56 × 56 cells", 32 * 56 * 56),
    ]


def _trap_full_map(lesson: Lesson) -> str:
    """The N×N map that nobody has to compute, and what it would weigh."""
    rows = ""
    for what, words, positions in larger_grids(lesson):
        full, factors = weights_bytes(positions, lesson.n)
        said = words.replace("8 frames of 56 × 56", _grid_number(what, 8)).replace(
            "32 frames of 56 × 56", _grid_number(what, 32)
        )
        rows += (
            f"<tr><td>{said}</td><td>{whole(f'{what}_N', positions)}</td>"
            f"<td>{megabytes(f'{what}_full', full)}</td><td>{megabytes(f'{what}_factors', factors)}</td></tr>"
        )
    return (
        "<h3>Trap: writing out the full map</h3><p>Z = A (BᵀV) gives the same Z, but BᵀV has a row and a "
        "column "
        "for every cell. Nobody has to compute it: (A Bᵀ) V never leaves the size of its two factors, B "
        "and V."
        '</p><table class="a2-table"><thead><tr><th>grid</th><th>N</th><th>BᵀV, N × N</th>'
        f"<th>B and V, n × N each</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _grid_number(what: str, frames: int) -> str:
    side = whole(f"{what}_side", 56)
    return f"{whole(f'{what}_frames', frames)} frames of {side} × {side}"


def _expand_and_add(board: _Board) -> Screen:
    k, p = board.choice.channel, board.p
    x, output = board.table("features"), board.table("output")
    added = board.array("expand_weight") @ output + board.array("expand_bias")[:, None]
    change = np.linalg.norm(added, axis=0) / np.maximum(np.linalg.norm(x, axis=0), 1e-12)
    most = int(np.argmax(change))
    y = x + added
    scale = float(np.abs(np.concatenate([x[k], y[k]])).max())

    def part(symbol: str, flat: np.ndarray, high: float, alt: str) -> str:
        url = map_url(board.frame(flat), "signed", high=high)
        return cells(symbol, url, aspect=board.aspect, alt=alt, cell=board.cell())

    figures = (
        '<div class="a2-sum">'
        + part("X, before", x[k], scale, "The channel before")
        + "<span>+</span>"
        + part("Δ, on its own scale", added[k], float(np.abs(added[k]).max()), "What is added")
        + "<span>=</span>"
        + part("Y, after", y[k], scale, "The channel after")
        + "</div>"
    )
    figures += bars(
        "Δ<sub>p</sub>, what the chosen cell is given",
        added[:, p],
        chosen=k,
        axes=("value", "c channels →"),
        alt="What is added to the chosen cell, by channel",
    )
    length_x, length_d = float(np.linalg.norm(x[:, p])), float(np.linalg.norm(added[:, p]))
    return Screen(
        sentence="A last linear map brings the mixture back to all channels and adds it; where the picture "
        "lights "
        "up, the features changed most.",
        overlay=board.maps(change),
        colours="cividis",
        overlay_says="|Δ<sub>j</sub>| / |x<sub>j</sub>|: how much the block changed each cell",
        figures=figures,
        numbers=_numbers(
            ("chosen cell p", board.place()),
            (f"in channel {whole('channel', k)}: x<sub>kp</sub>", number("x_kp", x[k, p])),
            ("+ Δ<sub>kp</sub>", number("d_kp", added[k, p])),
            ("= y<sub>kp</sub>", number("y_kp", y[k, p])),
            ("this cell’s change, |Δ<sub>p</sub>| / |x<sub>p</sub>|", share("change", length_d / length_x)),
            ("the largest change of all", share("most_change", change[most])),
            ("in the cell at", board.place(board.unflat(most), "most_")),
        ),
        code=board.load(
            f'x, z = (d[f"{board.lesson.name}/{{name}}"][:, {board.at}].astype(float) '
            'for name in ("features", "output"))',
            f"added = {board.key('expand_weight')} @ z + {board.key('expand_bias')}",
            f'print(f"{{x[{k}]:#.4g}} {{added[{k}]:#.4g}} {{x[{k}] + added[{k}]:#.4g}}")',
        ),
        prints=f"{x[k, p]:#.4g} {added[k, p]:#.4g} {y[k, p]:#.4g}",
    )


_SCREENS: tuple[Callable[[_Board], Screen], ...] = (
    _features,
    _projections,
    _softmax_over_positions,
    _gather,
    _softmax_over_primitives,
    _distribute,
    _expand_and_add,
)
