"""What primitives mean: the measures held against slow writings of them and on codes that are known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from a2core import DoubleAttention
from a2core.training.evaluate.codes import (
    block_reads,
    chance_coder,
    coders,
    k_means_coder,
    nmf_coder,
    sampled,
    with_norm_of,
)
from a2core.training.evaluate.compared import compared
from a2core.training.evaluate.feature_maps import cosine_similarity
from a2core.training.evaluate.meaning import (
    area_under,
    carried,
    cell_labels,
    cells_inside,
    hungarian_ious,
    j_and_f,
    mass_jaccard,
    matched_correlations,
    mono_scores,
    most_mass,
    purity,
    top_of,
)
from a2core.training.evaluate.measures import Regions
from a2core.training.evaluate.on_masks import parts_of, scenes_of, tracked
from a2core.training.evaluate.on_regions import target_rows


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


# ---------------------------------------------------------------- stability


def test_partners_are_those_of_the_best_of_all_pairings():
    a, b = noise(4, 30), noise(5, 30, seed=1)
    table = [[np.corrcoef(x, y)[0, 1] for y in b] for x in a]
    best = max(
        (sum(table[i][j] for i, j in enumerate(way)), way) for way in itertools.permutations(range(5), 4)
    )[1]
    np.testing.assert_allclose(matched_correlations(a, b), [table[i][j] for i, j in enumerate(best)])


def test_the_same_primitives_in_another_order_are_stable_and_chance_is_not():
    a = noise(6, 5000)
    turned = 3 * a[np.random.default_rng(1).permutation(6)] + 1
    np.testing.assert_allclose(matched_correlations(a, turned), 1)
    assert matched_correlations(a, noise(6, 5000, seed=2)).max() < 0.06
    a[2] = 0.25  # never used: nothing to be correlated with
    assert sorted(matched_correlations(a, a))[0] == 0


# ---------------------------------------------------------------- top pictures and cells


def test_the_top_are_the_highest_and_equal_ones_are_not_taken_as_they_come():
    scores = noise(50, 3)
    for column, chosen in zip(scores.T, top_of(scores, 7), strict=True):
        assert set(chosen) == set(np.argsort(column)[-7:])
    chosen = top_of(np.zeros((50, 1)), 10)[0]
    assert len(set(chosen)) == 10
    assert chosen.tolist() != list(range(10))
    assert chosen.tolist() == top_of(np.zeros((50, 1)), 10)[0].tolist()


def test_purity_of_a_code_that_is_the_class_is_1_and_of_chance_what_a_draw_gives():
    classes = np.repeat(np.arange(5), 40)
    perfect = (classes[:, None] == np.arange(5)) + 0.1 * noise(200, 5)
    shares, most = purity(perfect, classes, 20)
    assert shares.tolist() == [1] * 5
    assert most.tolist() == list(range(5))
    at_random = purity(noise(200, 400), classes, 20)[0]
    draws = [
        np.bincount(np.random.default_rng(seed).choice(classes, 20, replace=False)).max() / 20
        for seed in range(400)
    ]
    assert at_random.mean() == pytest.approx(np.mean(draws), abs=0.015)
    some = noise(200, 3, seed=4)
    for column, share in zip(some.T, purity(some, classes, 20)[0], strict=True):
        top = classes[np.argsort(column)[-20:]].tolist()
        assert share == max(top.count(label) for label in range(5)) / 20


def test_mono_score_is_the_mean_cosine_of_pairs_less_that_of_all_pairs():
    pooled, scores = noise(30, 6, seed=1) - 0.3, noise(30, 4, seed=2)

    def mean_cosine(rows):
        return np.mean(
            [
                x @ y / np.linalg.norm(x) / np.linalg.norm(y)
                for x, y in itertools.combinations(pooled[rows], 2)
            ]
        )

    expected = [mean_cosine(np.argsort(column)[-8:]) - mean_cosine(np.arange(30)) for column in scores.T]
    np.testing.assert_allclose(mono_scores(scores, pooled, 8), expected)


def test_a_cell_has_the_label_that_covers_most_of_it():
    labels = np.random.default_rng(0).integers(0, 3, (12, 15))
    found = cell_labels(labels, 4, 5)
    for row, col in np.ndindex(4, 5):
        inside = labels[3 * row : 3 * row + 3, 3 * col : 3 * col + 3].flatten().tolist()
        assert inside.count(found[row, col]) == max(inside.count(label) for label in range(3))


# ---------------------------------------------------------------- maps against masks


def halves_and_a_corner(side=12):
    rows, cols = np.mgrid[:side, :side]
    return np.where(rows < side // 2, 1, np.where((rows >= 9) & (cols >= 9), 2, 0))


def test_every_region_is_matched_with_a_segment_of_its_own():
    regions = parts_of(halves_and_a_corner())
    codes = torch.from_numpy(noise(4, 12, 12))
    winner = codes.argmax(dim=0).numpy()
    table = [[(m & (winner == s)).sum() / (m | (winner == s)).sum() for s in range(4)] for m in regions.masks]
    best = max(
        itertools.permutations(range(4), 2), key=lambda way: sum(table[r][s] for r, s in enumerate(way))
    )
    np.testing.assert_allclose(hungarian_ious(codes, regions), [table[r][s] for r, s in enumerate(best)])


def test_a_segmentation_that_is_the_regions_has_1_and_one_segment_serves_one_region_only():
    mask = halves_and_a_corner()
    regions = parts_of(mask)
    codes = torch.from_numpy(np.stack([mask == label for label in (1, 0, 2)]).astype(float))
    np.testing.assert_allclose(hungarian_ious(codes, regions), 1)
    one = hungarian_ious(torch.ones(1, 12, 12), regions)
    np.testing.assert_allclose(one, [0.5, 0])
    assert len(hungarian_ious(codes, Regions(np.zeros((0, 12, 12), bool)))) == 0


def test_the_background_and_what_is_too_small_are_no_parts():
    mask = halves_and_a_corner(100)
    mask[0, :] = 3  # 1 %
    assert [float(m.mean().round(2)) for m in parts_of(mask).masks] == [0.49, 0.46]
    assert parts_of(np.zeros((8, 8), int)).masks.shape == (0, 8, 8)


@pytest.mark.parametrize("seed", range(5))
def test_most_mass_is_the_smallest_set_that_holds_60_percent(seed):
    row = noise(9, seed=seed) ** 3
    found = most_mass(row)
    assert row[found].sum() >= 0.6 * row.sum()
    smaller = itertools.combinations(range(9), int(found.sum()) - 1)
    assert all(row[list(cells)].sum() < 0.6 * row.sum() for cells in smaller)


def test_mass_jaccard_is_its_definition_word_for_word():
    codes, inside = noise(5, 16) ** 4, noise(3, 16, seed=1) > 0.6
    expected, weights = [], []
    for row in codes:
        order = sorted(range(16), key=lambda cell: -row[cell])
        cells, held = set(), 0.0
        while held < 0.6 * row.sum():
            held += row[order[len(cells)]]
            cells.add(order[len(cells)])
        fits = [len(cells & set(np.flatnonzero(m))) / len(cells | set(np.flatnonzero(m))) for m in inside]
        expected.append(max(fits))
        weights.append(sum(row[cell] for cell in range(16) if inside[:, cell].any()))
    assert mass_jaccard(codes, inside) == pytest.approx(np.dot(expected, weights) / np.sum(weights))


def test_maps_that_are_the_regions_fit_them_and_flat_ones_do_not():
    regions = parts_of(halves_and_a_corner())
    inside = cells_inside(regions, 4, 4)
    perfect = np.concatenate([inside, ~inside.any(axis=0)[None]]).astype(float)
    assert 0.6 < mass_jaccard(perfect, inside) < 1  # 60 % of equal cells
    peaked = np.array([[9.0, 1e-6, 1e-6, 1e-6], [1e-6, 5, 5, 1e-6]])
    assert mass_jaccard(peaked, np.array([[True, False, False, False], [False, True, True, False]])) == 1
    assert mass_jaccard(np.ones((3, 16)), inside) < 0.75
    assert math.isnan(mass_jaccard(perfect, np.zeros((2, 16), bool)))


def test_the_area_under_a_line_and_under_a_step():
    at = np.linspace(0, 1, 5)
    assert area_under(1 - at, at) == pytest.approx(0.5)
    assert area_under(np.array([1, 0, 0, 0, 0]), at) == pytest.approx(0.125)


# ---------------------------------------------------------------- masks carried through clips


def test_a_cell_takes_the_mean_of_its_five_nearest_and_equal_ones_share():
    scores, mask = noise(6, 20), noise(20, seed=1)
    expected = [np.mean(mask[np.argsort(row)[-5:]]) for row in scores]
    np.testing.assert_allclose(carried(scores, mask), expected)
    ties = np.array([[3.0, 2, 2, 2, 2, 2, 2, 0]])  # one above, four of six that are equal
    values = np.array([1.0, 1, 1, 1, 0, 0, 0, 1])
    assert carried(ties, values)[0] == pytest.approx((1 + 4 * 0.5) / 5)
    assert carried(np.ones((1, 3)), np.array([0.0, 0.3, 0.6]))[0] == pytest.approx(0.3)  # fewer than five


def boundary_by_hand(mask):
    h, w = mask.shape
    return {
        (r, c)
        for r, c in zip(*np.nonzero(mask), strict=True)
        if any(
            not mask[y, x]
            for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1))
            if 0 <= y < h and 0 <= x < w
        )
    }


def test_j_and_f_are_overlap_and_boundary_within_reach():
    rows, cols = np.mgrid[:64, :64]
    truth = (rows - 30) ** 2 + (cols - 34) ** 2 < 15**2
    assert j_and_f(truth, truth) == (1, 1)
    found = (rows - 32) ** 2 + (cols - 31) ** 2 < 13**2
    mine, theirs = boundary_by_hand(found), boundary_by_hand(truth)
    reach = math.ceil(0.008 * math.hypot(64, 64))  # one pixel: a cross

    def near(places, others):
        return np.mean([any(abs(r - y) + abs(c - x) <= reach for y, x in others) for r, c in places])

    precision, recall = near(mine, theirs), near(theirs, mine)
    j, f = j_and_f(found, truth)
    assert reach == 1
    assert j == pytest.approx((found & truth).sum() / (found | truth).sum())
    assert f == pytest.approx(2 * precision * recall / (precision + recall))
    nothing = np.zeros((64, 64), bool)
    assert j_and_f(nothing, nothing) == (1, 1)
    assert j_and_f(nothing, truth) == j_and_f(truth, nothing) == (0, 0)


def moving_square(frames=4, side=64, size=24):
    masks = np.zeros((frames, side, side), bool)
    for frame in range(frames):
        masks[frame, 8 + 8 * frame : 8 + 8 * frame + size, 16 : 16 + size] = True
    return masks


def test_a_code_that_is_the_object_carries_it_and_one_of_places_leaves_it_behind():
    masks = moving_square()
    shares = np.array([Regions(masks[k : k + 1]).cells(8, 8).reshape(64) for k in range(4)]).flatten()
    code = np.stack([shares, 1 - shares])
    perfect = tracked(lambda of, first: code[:, of].T @ code[:, first], masks, (8, 8))
    rows, cols = np.divmod(np.arange(64), 8)
    far = (rows[:, None] - rows) ** 2 + (cols[:, None] - cols) ** 2
    places = tracked(lambda of, first: -far.astype(float), masks, (8, 8))
    at_random = tracked(lambda of, first: noise(64, 64, seed=of.start), masks, (8, 8))
    assert perfect > 0.75
    assert at_random < places < 0.65 * perfect


def test_frames_belong_to_their_scene_in_the_order_of_their_numbers(tmp_path):
    pairs = [
        (tmp_path / f"{name}.jpg", tmp_path / f"{name}.png")
        for name in ("a-b_10", "a-b_9", "a_1", "c", "a_02")
    ]
    scenes = scenes_of(pairs)
    assert {scene: [photo.stem for photo, _ in of] for scene, of in scenes.items()} == {
        "a-b": ["a-b_9", "a-b_10"],
        "a": ["a_1", "a_02"],
    }


# ---------------------------------------------------------------- what stands beside the block


@pytest.fixture
def block():
    torch.manual_seed(0)
    made = DoubleAttention(12, 4, 5, position_norm="centred").eval()
    made.input_norm.running_mean.normal_()
    made.input_norm.running_var.uniform_(0.5, 2)
    for layer in (made.theta, made.rho):
        torch.nn.init.normal_(layer.weight)
    return made


@pytest.mark.parametrize("position_norm", ["centred", True, False])
def test_what_a_block_reads_is_what_its_projections_make_maps_of(block, position_norm):
    block.position_norm = position_norm
    x = 3 * torch.randn(1, 12, 6, 7, generator=torch.Generator().manual_seed(1)) + 1
    read = block_reads(block, x)
    assert read.shape == (12, 42)
    logits = block.theta.weight.flatten(1) @ read + block.theta.bias[:, None]
    torch.testing.assert_close(logits.softmax(dim=1), block.attend(x).gather[0])
    if position_norm == "centred":
        torch.testing.assert_close(read.square().mean(dim=0), torch.ones(42), atol=1e-3, rtol=0)


def test_a_block_of_a_clip_reads_all_its_frames(block):
    x = torch.randn(3, 12, 2, 2, generator=torch.Generator().manual_seed(1))
    block.frames_per_clip = 3
    read = block_reads(block, x)
    logits = block.rho.weight.flatten(1) @ read + block.rho.bias[:, None]
    torch.testing.assert_close(logits.softmax(dim=0), block.attend(x).distribute[0])


def test_the_random_twin_reads_features_as_the_block_does_and_stays_random(block):
    random = DoubleAttention(12, 4, 5, position_norm="centred")
    twin = with_norm_of(random, block)
    x = torch.randn(1, 12, 6, 7)
    torch.testing.assert_close(block_reads(twin, x), block_reads(block, x))
    assert torch.equal(twin.theta.weight, random.theta.weight)
    assert not torch.equal(random.input_norm.running_mean, block.input_norm.running_mean)


def blobs():
    """Cells of two pictures, (4, 30) each, about four corners that lie far from each other."""
    rng = np.random.default_rng(0)
    which = rng.integers(0, 4, (2, 30))
    reads = [torch.from_numpy(np.eye(4)[k].T * 5 + rng.normal(0, 0.1, (4, 30))).float() for k in which]
    return reads, which


def test_clusters_of_the_data_set_are_the_same_things_in_every_picture():
    reads, which = blobs()
    code = k_means_coder(sampled(reads), 4)
    codes = [code(read) for read in reads]
    for found in codes:
        torch.testing.assert_close(found.sum(dim=0), torch.ones(30))
        assert found.amax(dim=0).min() > 0.999
    named = torch.cat(codes, dim=1).argmax(dim=0).numpy()
    assert len({(int(a), int(b)) for a, b in zip(named, which.flatten(), strict=True)}) == 4


def test_cells_of_no_cluster_are_still_ranked_by_nearness():
    code = k_means_coder(np.array([[0.0, 0], [10, 0]]), 2)
    found = code(torch.tensor([[0.0, 1, 4, 10], [0.0, 0, 0, 0]]))
    far = found[found[:, 3].argmax(), :3]
    assert far[0] < far[1] < far[2] < 1e-3


def test_components_of_the_data_set_are_shares_and_find_the_same_things():
    reads, which = blobs()
    code = nmf_coder(sampled(reads), 4)
    found = torch.cat([code(read) for read in reads], dim=1)
    torch.testing.assert_close(found.sum(dim=0), torch.ones(60))
    assert found.min() >= 0
    named = found.argmax(dim=0).numpy()
    assert len({(int(a), int(b)) for a, b in zip(named, which.flatten(), strict=True)}) == 4


def test_chance_has_as_many_candidates_and_is_other_in_every_picture():
    code = chance_coder(6)
    first, second = code(torch.zeros(3, 40)), code(torch.zeros(3, 40))
    assert first.shape == (6, 40)
    torch.testing.assert_close(first.sum(dim=0), torch.ones(40))
    assert not torch.equal(first, second)
    reads, _ = blobs()
    assert all(coder(reads[0]).shape == (5, 30) for coder in coders(reads, 5).values())


def test_cells_are_sampled_alike_from_all_pictures():
    reads = [torch.full((2, 50), float(k)) for k in range(4)]
    assert np.bincount(sampled(reads, 40)[:, 0].astype(int)).tolist() == [10] * 4
    assert len(sampled(reads)) == 200


def test_the_target_is_a_walk_over_cosine_similarities():
    x = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(2))
    cosine = cosine_similarity(x, np.arange(12)).astype(float)
    step = np.exp(cosine / 0.1) / np.exp(cosine / 0.1).sum(axis=1, keepdims=True)
    step = step + step.T
    step = step / step.sum(axis=1, keepdims=True)
    walked = np.linalg.matrix_power(step, 8)
    np.testing.assert_allclose(target_rows(x, np.array([3, 7])), walked[[3, 7]], rtol=1e-3)


def test_what_is_compared_says_who_is_ahead_by_how_much():
    values = {"block": np.array([0.5, 0.7, 0.9]), "chance": np.array([0.4, 0.6, 0.8])}
    paired = compared(values, "pictures")
    assert paired["rows"]["block"]["middle"] == 0.7
    assert paired["over"] == {"chance": {"middle": 0.1, "low": 0.1, "high": 0.1}}
    free = compared(values, "primitives", paired=False)["over"]["chance"]
    assert free["low"] < 0.1 == free["middle"] < free["high"]
