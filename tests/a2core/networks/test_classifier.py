"""The classifier of any network: found, and put anew for other classes."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from a2core.errors import NetworkError
from a2core.networks.backbones import Backbone
from a2core.networks.classifier import find_classifier, put_classifier
from a2core.networks.insert import inserted_blocks
from a2core.networks.looked import look_at, look_over
from a2core.networks.sources import build_network
from a2core.networks.spec import InputSpec, read_spec


@pytest.mark.parametrize(
    ("network", "names"),
    [
        ("timm/convnext_atto@random", ("head.fc",)),
        ("timm/deit_tiny_distilled_patch16_224@random", ("head", "head_dist")),
        ("timm/mobilenetv3_small_050@random", ("classifier",)),
        ("torchvision/squeezenet1_1@random", ("classifier.1",)),
        ("resnet18@random", ("fc",)),
    ],
)
def test_the_classifier_is_found_and_put_anew_for_any_number_of_classes(network, names):
    looked = look_over(read_spec(network))
    assert find_classifier(looked.network, looked.tried) == names
    fresh = look_over(read_spec(network)).network
    before = {key: tensor.clone() for key, tensor in fresh.state_dict().items()}
    put_classifier(fresh, names, 7)
    with torch.no_grad():
        assert fresh(torch.zeros(2, 3, *looked.tried.took_px)).shape == (2, 7)
    after = fresh.state_dict()
    kept = {key for key, tensor in before.items() if key in after and torch.equal(after[key], tensor)}
    changed = set(before) - kept
    assert changed
    assert all(key.startswith(tuple(f"{name}." for name in names)) for key in changed)


def test_a_network_of_timm_without_classes_gets_some():
    made = timm.create_model("vit_tiny_patch16_224", depth=1, num_classes=0, dynamic_img_size=True).eval()
    looked = look_at(Backbone(made, InputSpec(), ()), "features")
    assert looked.tried.answers_with == "features"
    names = find_classifier(made, looked.tried)
    put_classifier(made, names, 3)
    with torch.no_grad():
        assert made(torch.zeros(1, 3, 64, 64)).shape == (1, 3)


def test_a_classifier_that_is_not_there_is_refused():
    network = nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Flatten())
    with pytest.raises(NetworkError, match="no classifier 'fc' to make for 3 classes"):
        put_classifier(network, ("fc",), 3)


def test_random_weights_of_a_specification_are_the_same_each_time_and_nothing_else_is():
    found, drawn = [], []
    for seed in (1, 2):
        torch.manual_seed(seed)
        found.append(look_over(read_spec("timm/resnet10t@random")).network.state_dict())
        drawn.append(torch.rand(1))
    assert all(torch.equal(found[0][key], found[1][key]) for key in found[0])
    assert drawn[0] != drawn[1]


def test_a_card_with_classes_of_its_own_has_to_say_where_they_come_out():
    blocks = {"layer4": {"in_channels": 512, "c_m": 4, "c_n": 4}}
    described = {"backbone": "timm/resnet10t@random", "labels": ["a", "b"], "blocks": blocks}
    with pytest.raises(NetworkError, match="does not say which part of timm/resnet10t@random is their"):
        build_network(described)
    made = build_network({**described, "classifier": ["fc"]})
    assert made.network.fc.out_features == 2
    assert list(inserted_blocks(made.network)) == ["layer4"]
