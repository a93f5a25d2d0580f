"""The measures held against slow, independent writings of their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from a2core.training.evaluate.measures import (
    Regions,
    best_overlaps,
    click_aucs,
    highest,
    reach_share,
    redundancy,
    regions_of,
)

SIDE, GRID = 32, (4, 4)


def labels(seed: int) -> np.ndarray:
    """Two annotators' label maps of blobs that follow no cell's border."""
    rng = np.random.default_rng(seed)
    maps = []
    for _ in range(2):
        centres = rng.random((6, 2)) * SIDE
        rows, cols = np.mgrid[:SIDE, :SIDE]
        distances = (rows[..., None] - centres[:, 0]) ** 2 + (cols[..., None] - centres[:, 1]) ** 2
        maps.append(distances.argmin(axis=-1))
    return np.array(maps, dtype=np.uint16)


def regions_by_hand(segmentations: np.ndarray) -> list[np.ndarray]:
    found = []
    for annotator in segmentations:
        for label in sorted(set(annotator.flatten().tolist())):
            mask = annotator == label
            if 0.02 <= mask.sum() / mask.size <= 0.60:
                found.append(mask)
    return found


def auc_by_pairs(scores: list[float], inside: list[bool]) -> float:
    """How often a cell inside beats a cell outside; a draw counts half."""
    wins = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, is_in in zip(scores, inside, strict=True)
        if is_in
        for b, other_in in zip(scores, inside, strict=True)
        if not other_in
    ]
    return sum(wins) / len(wins)


def bilinear_by_hand(values: np.ndarray, side: int) -> np.ndarray:
    """Half-pixel-exact bilinear upsampling, one pixel at a time."""
    h, w = values.shape
    out = np.zeros((side, side))
    for r in range(side):
        for c in range(side):
            y = min(max((r + 0.5) * h / side - 0.5, 0), h - 1)
            x = min(max((c + 0.5) * w / side - 0.5, 0), w - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
            fy, fx = y - top, x - left
            upper = values[top, left] * (1 - fx) + values[top, right] * fx
            lower = values[bottom, left] * (1 - fx) + values[bottom, right] * fx
            out[r, c] = upper * (1 - fy) + lower * fy
    return out


def overlap_by_hand(values: np.ndarray, mask: np.ndarray) -> float:
    """IoU of a region with the area-many highest pixels; equal ones share what is left of the cut."""
    area, left, hits = int(mask.sum()), int(mask.sum()), 0.0
    for value in sorted(set(values.flatten().tolist()), reverse=True):
        equal = values == value
        taken = min(left, int(equal.sum()))
        hits += taken * (equal & mask).sum() / equal.sum()
        left -= taken
        if left == 0:
            break
    return hits / (2 * area - hits)


@pytest.mark.parametrize("seed", range(3))
def test_click_auc_is_its_definition_word_for_word(seed):
    segmentations = labels(seed)
    scores = np.random.default_rng(seed + 100).integers(0, 6, (16, 16)).astype(np.float32)
    clicked: list[int] = []

    def scores_of(cells):
        clicked.extend(cells.tolist())
        return scores[cells]

    values = click_aucs(scores_of, regions_of(segmentations, SIDE), GRID)

    expected, place = [], 0
    for mask in regions_by_hand(segmentations):
        share = [[mask[8 * r : 8 * r + 8, 8 * c : 8 * c + 8].mean() for c in range(4)] for r in range(4)]
        flat = np.array(share).flatten()
        allowed = {k for k in range(16) if flat[k] >= 0.70}
        inside = [bool(value >= 0.50) for value in flat]
        count = min(5, len(allowed))
        mine, place = clicked[place : place + count], place + count
        assert len(set(mine)) == count
        assert set(mine) <= allowed
        expected += [auc_by_pairs(scores[cell].tolist(), inside) for cell in mine]
    assert place == len(clicked) > 0
    np.testing.assert_allclose(values, expected)


def test_the_clicks_are_the_same_for_every_method():
    regions = regions_of(labels(0), SIDE)
    seen: list[list[int]] = []
    for _ in range(2):
        click_aucs(lambda cells: seen.append(cells.tolist()) or np.eye(16)[cells], regions, GRID)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("kind", ["smooth", "clusters", "flat"])
def test_overlap_is_its_definition_word_for_word(kind):
    segmentations, rng = labels(1), np.random.default_rng(5)
    maps = {
        "smooth": rng.random((3, 4, 4)) ** 4,
        "clusters": np.eye(3)[rng.integers(0, 3, (4, 4))].transpose(2, 0, 1),
        "flat": np.full((1, 4, 4), 0.25),
    }[kind]
    values = best_overlaps(torch.from_numpy(maps), regions_of(segmentations, SIDE))
    grown = [bilinear_by_hand(values, SIDE).astype(np.float32) for values in maps]
    expected = [max(overlap_by_hand(m, mask) for m in grown) for mask in regions_by_hand(segmentations)]
    np.testing.assert_allclose(values, expected, atol=2e-3)  # a pixel at a cut may round the other way


def test_the_highest_values_are_those_of_a_full_sort():
    rng = np.random.default_rng(0)
    for trial in range(60):
        values = rng.random(int(rng.integers(3, 300))).astype(np.float32)
        if trial % 3 == 0:
            values = np.round(values * 4) / 4  # many equal ones
        if trial % 4 == 0:
            values = np.exp(-40 * values)
        counts = rng.integers(1, len(values) + 1, 5)
        cuts, above, equal = highest(values, counts)
        np.testing.assert_array_equal(cuts, np.sort(values)[::-1][counts - 1])
        np.testing.assert_array_equal(above, [(values > cut).sum() for cut in cuts])
        np.testing.assert_array_equal(equal, [(values == cut).sum() for cut in cuts])


def test_a_region_that_no_cell_lies_in_is_clicked_nowhere_and_no_region_overlaps_nothing():
    sliver = np.zeros((1, SIDE, SIDE), bool)
    sliver[0, :, 7:9] = True  # 6 %, never 70 % of a cell
    assert len(click_aucs(lambda cells: np.eye(16)[cells], Regions(sliver), GRID)) == 0
    assert len(best_overlaps(torch.ones(1, 4, 4), Regions(sliver[:0]))) == 0


# ---------------------------------------------------------------- on regions that are known


def labels_of_halves(side=64):
    labels = np.zeros((1, side, side), np.uint16)
    labels[:, :, side // 2 :] = 1
    return labels


def test_only_regions_of_2_to_60_percent_count():
    labels = np.zeros((1, 100, 100), np.uint16)
    labels[0, :10, :10] = 1  # 1 %
    labels[0, 50:, :50] = 2  # 25 %; the rest, 74 %, is too large
    regions = regions_of(labels, 96)
    assert len(regions.masks) == 1
    assert regions.masks[0, 80, 10]


def test_click_auc_is_the_area_under_the_roc_curve_ties_included():
    regions = regions_of(labels_of_halves(), 64)
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 4, (16, 16)).astype(float)  # many ties
    seen = []

    def scores_of(cells):
        seen.extend(cells)
        return scores[cells]

    values = click_aucs(scores_of, regions, (4, 4))
    inside = [np.tile(np.arange(4) < 2, 4), np.tile(np.arange(4) >= 2, 4)]
    expected = [roc_auc_score(inside[k // 5], scores[cell]) for k, cell in enumerate(seen)]
    np.testing.assert_allclose(values, expected)


def test_scoring_a_region_by_itself_is_perfect_and_by_nothing_is_chance():
    regions = regions_of(labels_of_halves(), 64)
    same_half = (np.arange(16) % 4 < 2)[:, None] == (np.arange(16) % 4 < 2)[None]
    assert click_aucs(lambda cells: same_half[cells], regions, (4, 4)).mean() == 1
    assert click_aucs(lambda cells: np.ones((len(cells), 16)), regions, (4, 4)).mean() == 0.5


def test_a_map_that_is_the_region_overlaps_it_nearly_whole_and_the_best_map_counts():
    regions = regions_of(labels_of_halves(), 64)
    maps = torch.zeros(2, 8, 8)
    maps[0, :, 4:] = 1
    maps[1, 0, 0] = 1
    np.testing.assert_array_less(0.8, best_overlaps(maps, regions)[1])
    assert best_overlaps(maps[1:], regions)[1] < 0.6


def test_reach_and_redundancy_of_known_maps():
    flat, point = torch.full((16,), 1 / 16), torch.eye(16)[3]
    assert reach_share(torch.stack([flat, point])).tolist() == pytest.approx([1, 1 / 16])
    assert redundancy(torch.stack([point, torch.eye(16)[4]])) == pytest.approx(0, abs=1e-6)
    assert redundancy(torch.stack([flat, flat])) == pytest.approx(1)
