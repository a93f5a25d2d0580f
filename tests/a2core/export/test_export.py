"""What is taken away says what the trace says: arrays and ρ bit for bit, maps in their places."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PIL import Image

from a2core import BlockError
from a2core.canvas import colour_table
from a2core.cli import main
from a2core.export import figure_png, rho_csv, write_npz
from a2core.export.paint import overlay


def test_the_arrays_come_back_bit_for_bit_and_the_sum_can_be_done_by_hand(tiny_trace):
    file = io.BytesIO()
    write_npz(file, tiny_trace)
    read = np.load(io.BytesIO(file.getvalue()), allow_pickle=False)
    for name, block in tiny_trace.blocks.items():
        for key in ("primitives", "gather", "distribute", "output", "change"):
            np.testing.assert_array_equal(read[f"{name}/{key}"], getattr(block, key))
    np.testing.assert_array_equal(read["model_input"], tiny_trace.model_input)
    assert read["times_s"].tolist() == [0.0]
    by_hand = read["blocks.4/primitives"] @ read["blocks.4/distribute"][:, 0, 2, 3]
    np.testing.assert_allclose(by_hand, read["blocks.4/output"][:, 0, 2, 3], rtol=1e-5)


def test_the_table_of_rho_holds_every_bit_of_each_value(tiny_trace):
    positions = [(0, 2, 3), (0, 5, 9)]
    rows = list(csv.DictReader(io.StringIO(rho_csv(tiny_trace, "blocks.4", positions))))
    distribute = tiny_trace.blocks["blocks.4"].distribute
    for name, (t, row, col) in zip(["x56y40", "x152y88"], positions, strict=True):
        read = np.array([row[name] for row in rows], np.float32)
        np.testing.assert_array_equal(read, distribute[:, t, row, col])
    assert [row["primitive"] for row in rows] == [str(i) for i in range(6)]


@pytest.mark.parametrize(
    ("block", "position"), [("blocks.9", (0, 0, 0)), ("blocks.4", (0, 6, 0)), ("blocks.4", (0, -1, 0))]
)
def test_a_block_or_place_that_is_not_there_is_refused(tiny_trace, block, position):
    with pytest.raises(BlockError):
        rho_csv(tiny_trace, block, [position])
    with pytest.raises(BlockError):
        figure_png(tiny_trace, block, position)


@pytest.mark.parametrize("cells", [(9, 9), (5, 15), (15, 5)], ids=["square", "wide", "tall"])
def test_a_painted_cell_lies_over_its_own_pixels_to_half_a_pixel(cells):
    rows, cols = cells
    frame = np.zeros((rows * 16, cols * 16, 3), np.uint8)
    corners = [(r, c) for r in (0, rows - 1) for c in (0, cols - 1)]
    for row, col in [*corners, (rows // 2, cols // 2)]:
        values = np.zeros(cells, np.float32)
        values[row, col] = 1
        painted = overlay(frame, values, top=1, colours="magma", opacity=1).sum(axis=2)
        inside = (
            painted >= painted.max() - 6
        )  # the plateau around the centre, and up to the edge of the picture
        y, x = (float(at.mean()) for at in np.nonzero(inside))
        middle = [
            (4 - 0.5 if at == 0 else size * 16 - 4 - 0.5) if at in (0, size - 1) else at * 16 + 7.5
            for at, size in ((row, rows), (col, cols))
        ]
        assert abs(y - middle[0]) <= 0.75
        assert abs(x - middle[1]) <= 0.75


def test_an_empty_map_leaves_no_bright_spot():
    painted = overlay(np.zeros((32, 32, 3), np.uint8), np.zeros((2, 2)), top=0.0, colours="viridis")
    assert painted.max() <= 0.12 * 0.75 * colour_table("viridis")[0].max() + 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"direction": "to"},
        {"layer": "change"},
        {"layer": "gather", "primitive": 2},
        {"layer": "distribute", "primitive": 5, "credit": "Foto: Ægir Œ., 写真"},
    ],
    ids=str,
)
def test_the_figure_is_a_sheet_of_six_inches_on_white_with_the_picture_in_it(tiny_trace, options):
    image = Image.open(io.BytesIO(figure_png(tiny_trace, "blocks.4", (0, 2, 3), **options)))
    assert image.format == "PNG"
    assert image.width == 1800
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    pixels = np.asarray(image.convert("RGB")).astype(int)
    for corner in (pixels[:20, :20], pixels[-20:, -20:], pixels[-20:, :20], pixels[:20, -20:]):
        assert corner.min() == 255
    coloured = (pixels.max(axis=2) - pixels.min(axis=2) > 40).mean()
    assert coloured > 0.05
    assert (pixels.sum(axis=2) < 150).mean() > 0.003, "no text"


def test_a_primitive_that_is_not_there_is_refused(tiny_trace):
    with pytest.raises(BlockError, match="99"):
        figure_png(tiny_trace, "blocks.4", (0, 0, 0), layer="gather", primitive=99)


def test_the_command_line_writes_a_figure_and_a_table(tmp_path, capsys):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)).save(photo)
    common = ["export", str(photo), "--size", "96", "--device", "cpu"]
    assert main([*common, "--pixel", "40", "20", "--out", str(tmp_path / "f.png")]) == 0
    with Image.open(tmp_path / "f.png") as figure:
        assert figure.width == 1800
    assert main([*common, "--pixel", "40", "20", "--out", str(tmp_path / "f.csv")]) == 0
    assert (tmp_path / "f.csv").read_text().startswith("primitive,x40y24\n")
    assert main([*common, "--out", str(tmp_path / "h.png")]) == 2
    assert "--pixel" in capsys.readouterr().err
    assert main([*common, "--pixel", "96", "0", "--out", str(tmp_path / "g.csv")]) == 2
    assert "outside the picture" in capsys.readouterr().err
    assert main([*common, "--pixel", "0", "0", "--out", str(tmp_path / "g.txt")]) == 2
    assert ".png" in capsys.readouterr().err
