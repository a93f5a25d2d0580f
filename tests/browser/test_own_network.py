"""From somebody's file of weights to a figure: inspected, adapted, looked into in the app, taken away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from a2core.cli import main
from tests.a2core.training.photo_folders import make_photos
from tests.browser.conftest import AppPage, running_app
from tests.browser.tabs import single_tab
from tests.browser.test_downloads import take
from tests.browser.test_experiment import off_on_board, settle, tile

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CLASSES = [f"flower {index}" for index in range(37)]
MEAN, STD = [0.44, 0.46, 0.4], [0.21, 0.2, 0.22]


@pytest.fixture
def hers(tmp_path: Path) -> Path:
    """A specification of a ResNet-18 with 37 classes, its weights in a .pth."""
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None, num_classes=len(CLASSES))
    torch.save(
        {"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, tmp_path / "hers.pth"
    )
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    told = {"source": "torchvision/resnet18", "weights": "hers.pth", "labels": "classes.txt"}
    path = tmp_path / "hers.json"
    path.write_text(json.dumps({**told, "mean": MEAN, "std": STD}))
    return path


def test_from_a_file_of_weights_to_a_figure(
    hers: Path, chromium: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(hers)]) == 0
    said = capsys.readouterr().out
    assert "37 classes (flower 0, flower 1, flower 2, …)" in said
    assert "mean 0.44 0.46 0.4, std 0.21 0.2 0.22" in said
    assert all(
        any(line.split()[:2] == [place, "*"] for line in said.splitlines()) for place in ("layer3", "layer4")
    )

    run = tmp_path / "run"
    arguments = [
        "train",
        str(make_photos(tmp_path)),
        "--network",
        str(hers),
        "--limit",
        "4",
        "--out",
        str(run),
    ]
    arguments += ["--sizes", "160", "--batch-size", "2", "--attention-steps", "4", "--prediction-steps", "4"]
    arguments += ["--primitives", "8", "6", "--cache", str(tmp_path / "cache"), "--device", "cpu"]
    assert main(arguments) == 0, capsys.readouterr().err
    specification = run / "a2-hers-network.json"
    assert str(specification) in capsys.readouterr().out

    with running_app(tmp_path / "log", environment={"A2_NETWORKS": str(specification)}) as server:
        tab = single_tab(chromium, width=1400, height=1400)
        app = AppPage(tab, server.url)
        app.wait_until_traced()
        before = app.trace_key()
        app.page.get_by_role("combobox", name="Weights").click()
        app.page.get_by_role("option", name="yours: a2-hers").click()
        app.wait_until(lambda: app.trace_key() != before)
        app.wait_until_traced()
        assert "flower" in app.page.locator(".a2-answer ol").inner_text()

        app.move_to(0.3, 0.3)
        one = rho(app)
        app.move_to(0.8, 0.7)
        app.wait_until(lambda: rho(app) != one)
        assert sum(rho(app)) == pytest.approx(1, abs=1e-3)
        app.pin(0.5, 0.5)
        app.wait_until_idle()

        figure = take(app, "PNG", tmp_path)
        with Image.open(figure) as image:
            assert image.width == 1800
        arrays = np.load(take(app, "NPZ", tmp_path))
        assert arrays["layer4/distribute"].shape[0] == 6

        app.page.get_by_role("link", name="Experiment").click()
        tile(app, 0).click()
        app.wait_until(lambda: off_on_board(app) == {0})
        assert settle(app) == {0}
        assert "flower" in app.page.locator(".a2-shifts tbody").inner_text()
        assert app.complaints == []
        app.close()


def rho(app: AppPage) -> list[float]:
    """The weights that the canvas answers the mouse with."""
    shown = app.page.locator("[data-a2-root]").evaluate("root => Array.from(root.__canvas.snapshot().rho)")
    return [float(weight) for weight in shown]
