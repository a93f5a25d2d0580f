"""Every figure of the Learn page worked out again from the lesson's NPZ file: by scipy, sums and einsum.

Nothing of the app is used. What a figure is called on the page (`data-what`) is looked up here;
a figure that has no entry fails the test that meets it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import entr, softmax


@dataclass(frozen=True)
class Moved:
    """What the page's controls say: counted from 0, positions in cells; j and t belong together."""

    step: int
    position: tuple[int, int, int]
    primitive: int
    channel: int
    a_channel: int
    temperature: float
    reached: int
    terms: int


class Oracle:
    """The figures of one lesson file for any state of the page's controls."""

    def __init__(self, npz: bytes) -> None:
        with np.load(io.BytesIO(npz), allow_pickle=False) as file:
            self.block = next(iter(file)).split("/")[0]
            self.arrays = {name.split("/")[1]: file[name].astype(np.float64) for name in file}
        self.grid = self.arrays["theta_logits"].shape[1:]
        self.count = int(np.prod(self.grid))

    def flat(self, name: str) -> np.ndarray:
        return self.arrays[name].reshape(len(self.arrays[name]), self.count)

    def figures(self, moved: Moved) -> dict[str, float]:
        """Name on the page to value, for the step that `moved` is at."""
        t, row, col = moved.position
        p = int(np.ravel_multi_index(moved.position, self.grid))
        n, c = len(self.arrays["theta_logits"]), len(self.arrays["features"])
        m = len(self.arrays["phi"])
        found: dict[str, Any] = {
            "c": c, "m": m, "n": n, "N": self.count, "frames": self.grid[0], "rows": self.grid[1],
            "columns": self.grid[2], "frame": t, "row": row, "column": col, "primitive": moved.primitive,
            "channel": moved.channel, "a_channel": moved.a_channel,
        }  # fmt: skip
        found.update(getattr(self, f"_step_{moved.step}")(moved, p))
        return found

    def place(self, index: int, prefix: str) -> dict[str, int]:
        t, row, col = np.unravel_index(index, self.grid)
        return {f"{prefix}frame": int(t), f"{prefix}row": int(row), f"{prefix}column": int(col)}

    def _step_1(self, moved, p):
        column = self.flat("features")[:, p]
        return {"x_kp": column[moved.channel], "length_x": np.sqrt(sum(x * x for x in column))}

    def _step_2(self, moved, p):
        normed = self.flat("normed")[:, p]
        k, i = moved.a_channel, moved.primitive
        rows = {"phi_kp": ("phi", k), "theta_logits_ip": ("theta", i), "rho_logits_ip": ("rho", i)}
        return {
            what: np.dot(self.arrays[f"{name}_weight"][row], normed) + self.arrays[f"{name}_bias"][row]
            for what, (name, row) in rows.items()
        }

    def _step_3(self, moved, p):
        logits = self.flat("theta_logits")[moved.primitive]
        if moved.temperature == 0:
            theta = np.zeros(self.count)
            best = np.flatnonzero(logits == max(logits))
            theta[best] = 1 / len(best)
        else:
            theta = softmax(logits / moved.temperature)
        most = sorted(theta, reverse=True)
        half = next(k for k in range(1, self.count + 1) if sum(most[:k]) >= 0.5 * (1 - 1e-6))
        peak = {"peak": max(theta), "one_over_N": 1 / self.count, "half": half, "sum_theta": theta.sum()}
        place = self.place(int(np.argmax(theta)), "peak_")
        return {**peak, **place, "winners": int((theta == max(theta)).sum())}

    def _step_4(self, moved, p):
        a, theta = self.flat("phi"), softmax(self.flat("theta_logits")[moved.primitive])
        g, so_far = np.einsum("mj,j->m", a, theta), np.zeros(len(a))
        for j in range(moved.reached + 1):
            so_far += theta[j] * a[:, j]
        k = max(range(len(g)), key=lambda index: abs(g[index]))
        return {
            **self.place(moved.reached, "j_"),
            "theta_ij": theta[moved.reached],
            "collected": sum(theta[: moved.reached + 1]),
            "k": k,
            "sum_k": so_far[k],
            "g_k": g[k],
            "error_left": np.linalg.norm(g - so_far) / np.linalg.norm(g),
            "average_off": np.linalg.norm(g - a.mean(axis=1)) / np.linalg.norm(g),
        }

    def _step_5(self, moved, p):
        logits = self.flat("rho_logits")
        wrong = softmax(logits, axis=1).sum(axis=0)
        rho, i = softmax(logits, axis=0)[:, p], moved.primitive
        return {
            "rho_ip": rho[i],
            "rank": 1 + sum(1 for q in range(len(rho)) if (-rho[q], q) < (-rho[i], i)),
            "effective": np.exp(entr(rho).sum()),
            "sum_rho": rho.sum(),
            "right_sum": rho.sum(),
            "wrong_sum": wrong[p],
            "wrong_least": min(wrong),
            "wrong_largest": max(wrong),
        }

    def _step_6(self, moved, p):
        rho, bag = softmax(self.flat("rho_logits")[:, p]), self.arrays["primitives"]
        order = sorted(range(len(rho)), key=lambda q: (-rho[q], q))
        z, used = np.einsum("mi,i->m", bag, rho), order[: moved.terms]
        so_far = sum(rho[q] * bag[:, q] for q in used)
        k = max(range(len(z)), key=lambda index: abs(z[index]))
        found = {
            "terms": moved.terms,
            "shares_so_far": sum(rho[q] for q in used),
            "k": k,
            "sum_k": so_far[k],
            "z_k": z[k],
            "error_left": np.linalg.norm(z - so_far) / np.linalg.norm(z),
        }
        for index, q in enumerate(order[:6]):
            found |= {f"leader_{index}": q, f"leader_share_{index}": rho[q]}
        frames, rows, cols = self.grid
        sizes = {"this": frames * rows * cols, "finer": frames * 2 * rows * 2 * cols}
        for what, count in (sizes | {"clip": 8 * 56**2, "long": 32 * 56**2}).items():
            found |= {f"{what}_N": count, f"{what}_full": count * count * 4 / 1e6}
            found |= {f"{what}_factors": 2 * len(rho) * count * 4 / 1e6, f"{what}_side": 56}
        return found | {"clip_frames": 8, "long_frames": 32}

    def _step_7(self, moved, p):
        x = self.flat("features")
        delta = np.einsum("cm,mp->cp", self.arrays["expand_weight"], self.flat("output"))
        delta += self.arrays["expand_bias"][:, None]
        change = np.sqrt((delta**2).sum(axis=0)) / np.sqrt((x**2).sum(axis=0))
        k = moved.channel
        found = {"x_kp": x[k, p], "d_kp": delta[k, p], "y_kp": x[k, p] + delta[k, p]}
        found |= {"change": change[p], "most_change": max(change)}
        return found | self.place(int(np.argmax(change)), "most_")


def agrees(text: str, expected: float) -> bool:
    """Whether a figure as printed is `expected`, to the last digit that is printed."""
    said = text.replace("−", "-").replace(",", "").strip()
    if said.endswith("%"):
        said, expected = said[:-1].strip(), 100 * expected
    said = said.removesuffix("MB").strip()
    if said.startswith("<"):
        return 0 <= expected < float(said[1:])
    mantissa, _, exponent = said.partition("e")
    places = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - places)
    return abs(float(said) - expected) <= 0.5 * unit + 1e-9 * max(1.0, abs(expected))
