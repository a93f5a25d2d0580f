"""ES modules joined into one script, for hosts that take a single string: no bundler, no Node.

Each module becomes a function's scope, and what it exports an object, in the order in which they need each
other; a JSON file that is imported becomes a constant. What is understood is what the canvas's modules are
written in: `import { a, b as c } from "./x.js"`, `import x from "./y.json" with { type: "json" }`, `export`
before a function, a class or a constant, and `export { a, b }`. Anything else is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from a2core.languages import ENGLISH

__all__ = ["ScriptError", "imports_of", "join"]

_NAMED = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"([^"]+\.js)";[ \t]*$', re.MULTILINE)
_JSON = re.compile(
    r'^import\s+(\w+)\s+from\s*"([^"]+\.json)"\s+with\s*\{\s*type:\s*"json"\s*\};[ \t]*$', re.MULTILINE
)
_EXPORTED = re.compile(r"^export\s+(?=(?:async\s+)?(?:function\*?|class|const)\s+(\w+))", re.MULTILINE)
_LISTED = re.compile(r"^export\s*\{([^}]*)\};[ \t]*$", re.MULTILINE)
_TYPE = re.compile(r"/\*\* @type [^*\n]*\*/ ?")  # for tsc alone; pins send the script again
_LEFT = re.compile(r"^(?:import\b(?!\()|export\b).*$", re.MULTILINE)


class ScriptError(Exception):
    """A module that cannot be joined: a fault of the program, not of its user."""


@dataclass(frozen=True)
class _Module:
    path: Path
    needs: tuple[tuple[Path, tuple[tuple[str, str], ...]], ...]  # of a file, (its name, our name) of each
    constants: tuple[tuple[str, Path], ...]
    exports: tuple[tuple[str, str], ...]  # (our name, its name outside)
    body: str


def join(entry: Path, *, name: str, language: str = ENGLISH) -> str:
    """The module `entry` and all that it needs as one script, which defines `name`: what `entry` exports.

    In another `language` than English, a module is taken from the file beside it that has the language in its
    name, where there is one: words.zh.js for words.js.

    Raises:
        ScriptError: something is imported or exported in another way than those above, or in a circle.
    """
    modules = _in_order(entry, language)
    scopes = {module.path: f"${number}_{module.path.stem}" for number, module in enumerate(modules)}
    parts = [_scope(module, scopes) for module in modules]
    return f"const {name} = (() => {{\n{''.join(parts)}return {scopes[entry.resolve()]};\n}})();\n"


def imports_of(path: Path) -> list[Path]:
    """The modules that the one at `path` imports."""
    return [needed for needed, _ in _read(path).needs]


def _scope(module: _Module, scopes: dict[Path, str]) -> str:
    head = [
        f"const {{ {', '.join(_renamed(theirs, ours) for theirs, ours in names)} }} = {scopes[path]};\n"
        for path, names in module.needs
    ]
    for ours, path in module.constants:
        text = json.dumps(json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"))
        head.append(f"const {ours} = {text};\n")
    exported = ", ".join(_renamed(outside, ours) for ours, outside in module.exports)
    body = f"{''.join(head)}{module.body}\nreturn {{ {exported} }};"
    return f"const {scopes[module.path]} = (() => {{\n{body}\n}})();\n"


def _renamed(key: str, value: str) -> str:
    return key if key == value else f"{key}: {value}"


def _in_order(entry: Path, language: str) -> list[_Module]:
    """All modules that `entry` needs, each after those that it needs itself."""
    order: dict[Path, _Module] = {}
    open_: list[Path] = []

    def visit(path: Path) -> None:
        if path in order:
            return
        if path in open_:
            raise ScriptError(f"{path.name} imports itself, by way of {open_[-1].name}.")
        open_.append(path)
        module = _read(path, language)
        for needed, _ in module.needs:
            visit(needed)
        open_.pop()
        order[path] = module

    visit(entry.resolve())
    return list(order.values())


def _read(path: Path, language: str = ENGLISH) -> _Module:
    """The module of `path`, under that path whatever language its words are in."""
    path = path.resolve()
    translated = path.with_suffix(f".{language}.js")
    text = (translated if translated.is_file() else path).read_text(encoding="utf-8")
    needs = tuple(
        ((path.parent / match[2]).resolve(), tuple(_names(match[1]))) for match in _NAMED.finditer(text)
    )
    constants = tuple((match[1], (path.parent / match[2]).resolve()) for match in _JSON.finditer(text))
    listed = tuple(pair for match in _LISTED.finditer(text) for pair in _names(match[1]))
    exports = tuple((match[1], match[1]) for match in _EXPORTED.finditer(text)) + listed
    body = text
    for pattern in (_NAMED, _JSON, _LISTED, _EXPORTED, _TYPE):
        body = pattern.sub("", body)
    if left := _LEFT.search(body):
        raise ScriptError(f"{path.name} has a line that cannot be joined: {left[0]}")
    return _Module(path, needs, constants, exports, body.strip())


def _names(listed: str) -> Iterator[tuple[str, str]]:
    """(name there, name here) of each in "a, b as c"."""
    for entry in filter(None, (part.strip() for part in listed.split(","))):
        there, _, here = entry.partition(" as ")
        yield there.strip(), (here or there).strip()
