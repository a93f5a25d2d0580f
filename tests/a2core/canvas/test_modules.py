"""ES modules joined into one script: in order, each in its own scope, and nothing half understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import a2core.canvas
from a2core.canvas.modules import ScriptError, imports_of, join

ASSETS = Path(a2core.canvas.__file__).parent / "assets"
# From the top down: a module imports from rows above its own, or from another of its own folder.
LAYERS = [
    ["numbers", "later", "words", "dom", "pictures"],
    ["attention", "colours", "enlarge", "packed"],
    ["block"],
    ["kinds"],
    ["model"],
    ["overlays"],
    ["paint", "state"],
    ["protocol", "answer", "screen"],
    ["asked", "linked"],
    ["probe"],
    ["inputs"],
    ["parts"],
    ["mount"],
]
LONGEST = 400


def written(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / "main.js"


def test_a_module_stands_after_all_that_it_needs_and_each_only_once(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main='import { b } from "./b.js";\nimport { a } from "./a.js";\nexport const sum = a + b;\n',
        b='import {\n  a as first,\n} from "./a.js";\nexport const b = first + 1;\n',
        a="export const a = 1;\n",
    )
    script = join(main, name="made")
    assert script.startswith("const made = ")
    assert script.count("const a = 1;") == 1
    assert script.index("const a = 1;") < script.index("const b = first + 1;") < script.index("const sum")
    assert "const { a: first } = " in script
    assert "import" not in script
    assert "export" not in script


def test_a_json_file_becomes_a_constant(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": [1, 2]}')
    main = written(tmp_path, main='import x from "./x.json" with { type: "json" };\nexport const y = x.a;\n')
    assert 'const x = {"a":[1,2]};' in join(main, name="made")


@pytest.mark.parametrize(
    "line",
    [
        'import x from "./a.js";',
        'import * as all from "./a.js";',
        'import "./a.js";',
        'import { a } from "somewhere";',
        "export default 3;",
        "export let changing = 1;",
        'export { a } from "./a.js";',
    ],
)
def test_a_line_that_cannot_be_joined_is_refused(tmp_path: Path, line: str) -> None:
    main = written(tmp_path, main=f"{line}\n", a="export const a = 1;\n")
    with pytest.raises(ScriptError, match=r"main\.js"):
        join(main, name="made")


def test_a_circle_is_refused(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main='import { a } from "./a.js";\nexport const b = a;\n',
        a='import { b } from "./main.js";\nexport const a = b;\n',
    )
    with pytest.raises(ScriptError, match="imports itself"):
        join(main, name="made")


def layer_of(path: Path) -> int:
    head = path.relative_to(ASSETS).parts[0].partition(".")[0]
    return next(depth for depth, row in enumerate(LAYERS) if head in row)


@pytest.mark.parametrize("path", sorted(ASSETS.rglob("*.js")), ids=lambda path: path.stem)
def test_the_canvas_s_modules_import_downward_only_and_stay_short(path: Path) -> None:
    for needed in imports_of(path):
        assert layer_of(needed) < layer_of(path) or needed.parent == path.parent != ASSETS, needed.name
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_all_of_the_canvas_s_modules_are_in_its_script() -> None:
    script = a2core.canvas.script()
    for path in ASSETS.rglob("*.js"):
        assert f"_{path.stem} = (() =>" in script or path.stem == "words.zh", path.name


def test_a_module_of_another_language_stands_in_the_place_of_the_english_one(tmp_path: Path) -> None:
    main = written(
        tmp_path,
        main='import { word } from "./words.js";\nexport const said = word;\n',
        words='export const word = "one";\n',
    )
    (tmp_path / "words.zh.js").write_text('export const word = "一";\n', encoding="utf-8")
    assert '"one"' in join(main, name="made")
    chinese = join(main, name="made", language="zh")
    assert '"一"' in chinese
    assert '"one"' not in chinese


def test_what_a_kind_of_map_is_stands_in_its_descriptor_alone():
    asked = re.compile(r"kind [!=]== \"|layer [!=]== \"(?!gather|distribute)")  # the pair is of those two
    for path in sorted(ASSETS.rglob("*.js")):
        if path.name != "overlays.js":
            assert not asked.search(path.read_text(encoding="utf-8")), path.name
