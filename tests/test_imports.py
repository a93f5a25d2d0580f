"""Reads the imports of every module and holds them to the layers of docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# An import goes to a layer strictly above, or stays inside one package of the same row.
CORE_LAYERS = [
    ["languages"],
    ["spoken"],
    ["errors", "threads", "version"],
    ["extras"],
    ["media", "blocks.position_block", "blocks.plan"],
    ["blocks.pairwise"],
    ["blocks"],
    ["blocks.registry", "blocks.equations", "blocks.straight", "networks.hooks"],
    [
        "networks.devices",
        "networks.layout",
        "networks.memory",
        "networks.fold",
        "networks.paddings",
        "networks.nonfinite",
        "networks.wheels",
        "networks.spec",
    ],
    ["networks.insert", "networks.borrowed", "networks.video"],
    ["networks.chain", "networks.backbones", "networks.weight_files", "networks.tried", "networks.sites"],
    ["card", "networks"],
    [
        "tracing.arrays",
        "tracing.trace",
        "tracing.model_input",
        "tracing.factors",
        "tracing.runs",
        "tracing.probe",
        "tracing.pairs",
        "tracing.places",
        "tracing.rules",
        "tracing.follow",
    ],
    ["tracing.record", "tracing.outcome", "tracing.attention", "tracing.graphs"],
    ["tracing.engine"],
    ["tracing.model", "tracing.foreign"],
    ["tracing.adopt"],
    ["tracing"],
    ["canvas"],
    ["checkpoints", "bench.counts", "bench.contenders"],
    ["export"],
    ["bench.measure", "load"],
    ["tools"],
    ["atlas", "lesson"],
    ["site"],
    ["rival_networks", "bench", "training.photos", "training.state", "training.subject"],
    ["training.adapt"],
    ["training"],
    ["cli"],
    ["__main__"],
]
APP_LAYERS = [
    ["ui.language"],
    [
        "components",
        "ui.framed",
        "ui.text",
        "ui.chart_words",
        "ui.places",
        "ui.pixel",
        "ui.numbers",
        "ui.primitives",
        "ui.shipped",
        "ui.state",
    ],
    ["ui.link_words", "server.metrics"],
    ["ui.address", "ui.plots", "server.jobs", "server.store", "server.cloakroom", "server.faults"],
    ["server.visitors"],
    ["server.models", "server.pictures"],
    ["server.samples", "server.uploads"],
    ["server.traces"],
    ["server.replays"],
    ["ui.guards"],
    ["ui", "server"],
    ["views"],
    ["zh"],
    ["app", "__main__"],
]
# Imports inside of a function that go down a layer: a convenience of the object for what is made of it.
CONVENIENCES = {
    ("a2core.tracing.trace", target)
    for target in ("a2core.canvas", "a2core.canvas.notebook", "a2core.canvas.widget")
}
PUBLIC_PACKAGES = {
    "a2core.canvas",
    "a2core.canvas.glossary",
    "a2core.canvas.tiles",
    "a2core.languages",
    "a2core.lesson",
    "a2core.lesson.steps",
    "a2core.spoken",
}  # what the app may import of the core beside a2core itself
# What must not be reached for, however indirectly it is written.
FORBIDDEN = {
    "a2core.canvas": {"streamlit", "torch", "cv2", "plotly"},
    "a2core": {"viz_app", "streamlit", "plotly"},
    "a2core.lesson": {"torch", "cv2"},
    "viz_app.components": {"torch", "cv2", "plotly"},
    "viz_app.ui": {"torch", "cv2"},
    "viz_app.ui.plots": {"streamlit"},
    "viz_app.ui.text": {"streamlit", "plotly"},
    "viz_app.ui.language": {"streamlit", "plotly"},
    "viz_app.zh": {"streamlit", "plotly", "torch"},
    "viz_app.ui.link_words": {"streamlit", "plotly"},
    "viz_app.ui.places": {"streamlit", "plotly"},
    "viz_app.ui.pixel": {"streamlit", "plotly"},
    "viz_app.ui.numbers": {"streamlit", "plotly"},
    "viz_app.ui.primitives": {"streamlit", "plotly"},
    "viz_app.ui.shipped": {"streamlit", "plotly"},
    "viz_app.views": {"torch", "cv2"},
    "viz_app.views.explore.content": {"streamlit", "plotly"},
    "viz_app.views.explore.words": {"streamlit", "plotly"},
    "viz_app.views.atlas.words": {"streamlit", "plotly"},
    "viz_app.views.compare.words": {"streamlit", "plotly"},
    "viz_app.views.about.words": {"streamlit", "plotly"},
    "viz_app.views.experiment.content": {"streamlit", "plotly"},
    "viz_app.views.experiment.words": {"streamlit", "plotly"},
    "viz_app.views.experiment.maps": {"streamlit", "plotly"},
    "viz_app.views.experiment.setup": {"streamlit", "plotly"},
    "viz_app.views.learn.content": {"streamlit", "plotly"},
    "viz_app.views.compare.charts": {"streamlit"},
    "viz_app.views.compare.content": {"streamlit", "plotly"},
    "viz_app.views.about.content": {"streamlit", "plotly"},
}


def modules_of(package: str) -> dict[str, Path]:
    """Dotted name to file, for every module of `package`."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(path: Path) -> set[str]:
    """Every dotted name that the file imports, at any depth, `from a import b` giving a and a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the full name"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer_of(module: str, layers: list[list[str]]) -> int:
    """Which layer a dotted module name such as a2core.training.loop belongs to: that of its longest name."""
    parts = module.split(".")[1:]
    for length in range(len(parts), 0, -1):
        for depth, row in enumerate(layers):
            if ".".join(parts[:length]) in row:
                return depth
    pytest.fail(f"{module} is in no layer: add it here and in docs/architecture.md")


MODULES = {**modules_of("a2core"), **modules_of("viz_app")}


@pytest.mark.parametrize("module", [name for name in MODULES if "." in name])
def test_a_module_imports_only_from_layers_above_its_own(module):
    package = module.split(".")[0]
    layers = CORE_LAYERS if package == "a2core" else APP_LAYERS
    own = layer_of(module, layers)
    names = imports_of(MODULES[module])
    for name in names:
        if (
            name in MODULES
            and MODULES[name].name == "__init__.py"
            and any(other.startswith(f"{name}.") and other in MODULES for other in names)
        ):
            continue  # named only on the way to a module in it
        if not name.startswith(f"{package}.") or name.rpartition(".")[0] not in MODULES:
            continue
        target = name if name in MODULES else name.rpartition(".")[0]
        if "." not in target:
            pytest.fail(f"{module} imports the package {package} itself: that is a circle")
        if (module, target) in CONVENIENCES:
            continue
        if MODULES[module].name == "__init__.py" and target.startswith(f"{module}."):
            continue  # a package puts together what is in it
        allowed = layer_of(target, layers)
        same_package = target.split(".")[1] == module.split(".")[1] and allowed == own
        assert same_package or allowed < own, f"{module} must not import {target}"


@pytest.mark.parametrize("area", FORBIDDEN)
def test_a_module_keeps_away_from_libraries_that_are_not_its_business(area):
    for module, path in MODULES.items():
        if module == area or module.startswith(f"{area}."):
            reached = {name.split(".")[0] for name in imports_of(path)} & FORBIDDEN[area]
            assert not reached, f"{module} must not import {', '.join(sorted(reached))}"


def test_only_the_command_line_imports_training():
    for module, path in MODULES.items():
        if module.startswith(("a2core.training", "a2core.cli")):
            continue
        assert not any(name.startswith("a2core.training") for name in imports_of(path)), module


def test_pages_import_nothing_of_one_another():
    for module, path in modules_of("viz_app/views").items():
        own = module.split(".")[2:3]
        reached = {name.split(".")[2] for name in imports_of(path) if name.startswith("viz_app.views.")}
        assert reached <= set(own), module


def test_the_app_uses_the_core_through_its_public_names_only():
    for module, path in modules_of("viz_app").items():
        reached = imports_of(path) & MODULES.keys() - PUBLIC_PACKAGES
        private = {name for name in reached if name.startswith("a2core.")}
        assert not private, f"{module} imports {', '.join(sorted(private))}: take it from a2core"
