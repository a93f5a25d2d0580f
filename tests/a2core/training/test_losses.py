"""What blocks are taught by, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from a2core.blocks.double_attention import DoubleAttention
from a2core.training.adapt.losses import NARROW_REACH, answer_losses, attention_losses


def test_the_losses_of_a_clip_are_those_of_its_frames_one_above_the_other():
    torch.manual_seed(3)
    block = DoubleAttention(6, 4, 5, position_norm="centred").eval()
    frames, rows = torch.randn(3, 6, 2, 4), torch.tensor([[0, 9, 23]])
    targets = torch.rand(1, 3, 24).softmax(dim=2)
    wanted = ("target", "rank", "correlation", "similarity", "reach")
    read_out = torch.nn.Linear(4, 6)
    found = []
    for features, count in ((frames, 3), (frames.transpose(0, 1).flatten(1, 2)[None], 1)):
        block.frames_per_clip = count
        torch.manual_seed(0)
        found.append(attention_losses(block, read_out, features, rows, targets, wanted))
    for key, value in found[0].items():
        torch.testing.assert_close(value, found[1][key])


def test_the_losses_of_the_attention_are_what_they_say():
    """Against NumPy; a target that is the block's own attention, flattened, correlates fully with it."""
    torch.manual_seed(0)
    block = DoubleAttention(6, 4, 5, position_norm="centred").eval()
    for projection in (block.theta, block.rho):
        torch.nn.init.normal_(projection.weight, std=0.5)
    features, rows = torch.randn(2, 6, 3, 4), torch.tensor([[0, 5, 11], [3, 4, 7]])
    with torch.no_grad():
        inside = block.attend(features)
        attention = (inside.distribute.transpose(1, 2) @ inside.gather).numpy()
    picked = np.stack([attention[b, rows[b]] for b in range(2)])
    targets = picked**0.5 / (picked**0.5).sum(-1, keepdims=True)
    wanted = ("target", "correlation", "similarity", "reach")
    read_out = torch.nn.Linear(4, 6)
    losses = attention_losses(block, read_out, features, rows, torch.from_numpy(targets), wanted)
    assert set(losses) == {*wanted, "rebuild", "balance"}
    assert losses["correlation"].item() == pytest.approx(0, abs=1e-5)
    assert losses["target"].item() == pytest.approx(-(targets * np.log(picked)).sum(-1).mean(), rel=1e-4)

    read = features.flatten(2).numpy()
    read = read - read.mean(axis=2, keepdims=True)
    read /= np.linalg.norm(read, axis=1, keepdims=True)
    expected = [
        np.corrcoef(np.log(picked[b, k]), read[b, :, rows[b, k]] @ read[b])[0, 1]
        for b in range(2)
        for k in range(3)
    ]
    assert losses["similarity"].item() == pytest.approx(1 - np.mean(expected), abs=1e-4)
    gather = inside.gather.numpy()[:, :3]  # 54 % of 5 primitives, rounded up
    excess = np.maximum(-(gather * np.log(gather)).sum(2) - np.log(12 * NARROW_REACH), 0)
    assert losses["reach"].item() == pytest.approx((excess**2).mean(), rel=1e-4)


def test_answers_are_drawn_between_trunk_and_teacher_and_held_where_these_agree():
    logits, own, teacher = np.random.default_rng(0).normal(size=(3, 4, 5))
    teacher[:2] = own[:2] + 0.1  # agree, with the same probabilities
    teacher[2:, 0] = 9
    own[2:, 1] = 9
    p, q, t = (np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (logits, own, teacher))
    wanted = t**0.3 * q**0.7 / (t**0.3 * q**0.7).sum(1, keepdims=True)
    found = answer_losses(*map(torch.from_numpy, (logits, own, teacher)), share=0.3)
    assert float(found["predict"]) == pytest.approx(-(wanted * np.log(p)).sum(1).mean())
    fallen = [max(0, np.log(q[k].max() / p[k, q[k].argmax()])) for k in range(2)]
    assert float(found["bound"]) == pytest.approx(sum(fallen) / 4)
    assert float(answer_losses(*map(torch.from_numpy, (own, own, teacher)), share=0)["bound"]) == 0
