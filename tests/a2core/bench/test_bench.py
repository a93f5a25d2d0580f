"""The bench command: its comparisons compute the same, its arithmetic is right, its files are whole."""

from __future__ import annotations

import argparse
import json

import pytest
import torch

from a2core import DoubleAttention, NetworkError
from a2core.bench import block as bench
from a2core.bench import counts
from a2core.bench.contenders import PlainDoubleAttention, work
from a2core.bench.measure import peak_mib


def arguments(module, *given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(given)


def test_the_plain_writing_computes_what_ours_does():
    ours, plain = DoubleAttention(8, 4, 5, input_norm=False), PlainDoubleAttention(8, 4, 5)
    for theirs, our in (
        (plain.a, ours.phi),
        (plain.b, ours.theta),
        (plain.v, ours.rho),
        (plain.out, ours.expand),
    ):
        theirs.load_state_dict(our.state_dict())
    x = torch.randn(2, 8, 3, 4)
    torch.testing.assert_close(ours(x), plain(x), rtol=1e-5, atol=1e-6)


def test_the_floor_counts_the_cheapest_left_order():
    # θ and ρ, then X Bᵀ, φ and the expansion on the bag, and handing it out.
    assert work(512, 128, 128, 3136) == (2 + 1 + 1) * 512 * 128 * 3136 + 2 * 512 * 128 * 128


def test_it_measures_prints_and_writes_everything(tmp_path, capsys):
    path = tmp_path / "bench.json"
    given = ("--rounds", "2", "--positions", "196", "--threads", "1", "--json", str(path))
    assert bench.run(arguments(bench, *given)) == 0
    said = capsys.readouterr().out
    assert "14×14 = 196 positions, forward+backward" in said
    report = json.loads(path.read_text(encoding="utf-8"))
    names = {row["contender"] for row in report["rows"]}
    assert {"ours, auto", "ours, left", "ours, right", "plain writing", "self-attention (sdpa)"} <= names
    assert all(row["median_ms"] > 0 for row in report["rows"])
    assert {target["met"] for target in report["targets"]} <= {True, False}


def test_peak_memory_counts_what_is_held_beyond_input_and_output():
    class Holds(torch.nn.Module):
        def forward(self, x):
            extra = torch.zeros(2**18)  # 1 MiB
            return x + extra.sum()

    peak = peak_mib(Holds(), torch.zeros(1000), backward=False)
    assert 1.0 <= peak < 1.1


def test_the_block_needs_less_than_one_hundredth_of_n_by_n_at_12544_positions():
    block = DoubleAttention(512, 128, 128, input_norm=False).eval()
    peak = peak_mib(block, torch.zeros(1, 512, 112, 112), backward=False)
    assert peak < 0.01 * 12544**2 * 4 / 2**20


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--positions", "5"), "No grid has so many positions. Choose from 196, 784, 3136, 12544, 6272"),
        (("--rounds", "1"), "no spread"),
        (("--clock", "cpu", "--threads", "2"), "one thread only"),
    ],
)
def test_settings_that_measure_nothing_are_refused(given, said):
    with pytest.raises(NetworkError, match=said):
        bench.run(arguments(bench, *given))


def test_the_table_is_printed_and_written(tmp_path, capsys):
    path = tmp_path / "table.json"
    assert counts.run(arguments(counts, "--json", str(path))) == 0
    assert "ResNet-50 + 5 blocks, m = n = C/2       32.915 M   6.658 G" in capsys.readouterr().out
    assert json.loads(path.read_text(encoding="utf-8"))[0]["name"] == "ResNet-50, plain"
