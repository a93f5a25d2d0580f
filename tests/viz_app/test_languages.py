"""The app in Chinese: no sentence is missing or of another shape, and visitors keep to their own language."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from a2core.canvas import zh as canvas_words
from a2core.languages import sentences
from a2core.lesson.words import step4_gather
from viz_app.ui import language, text
from viz_app.ui.state import Key

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
WORD = re.compile(r"[A-Za-z]{3,}")
SPOKEN = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("viz_app", "a2core")
    for path in (ROOT / package).rglob("*.py")
    if "in_each_language(__name__)" in path.read_text(encoding="utf-8") and path.name != "spoken.py"
)
# What is no words, or the same in both: formulas, names of symbols and of columns, what Plotly fills in.
SAME = {"MEETS", "FORMULA", "LIMIT", "LOGITS_AXIS", "PLUS_DELTA", "EQUALS_Y", "Z_P", "MS"}
SAME |= {"TILES", "MAP", "CREDITS"}  # of Primitives: choices, as the address calls them
ATLAS = {"photos": 1011, "alike": 7, "size_px": 224, "checkpoint": {"name": "x"}}  # what an atlas tells
TERMS = ("primitive", "gather map", "distribution weight", "effective attention", "softmax", "channel")


def english(module: str) -> ModuleType:
    return importlib.import_module(module)


def translated() -> list[str]:
    return [module for module in SPOKEN if language.translation(module, "zh") is not None]


def is_words(value: Any) -> bool:
    if isinstance(value, str):
        return bool(WORD.search(re.sub(r"<[^>]*>|%\{[^}]*\}|\{[^}]*\}", "", value)))
    if isinstance(value, tuple):
        return any(map(is_words, value))
    return isinstance(value, dict) and any(map(is_words, value.values()))


def names_in(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


def parts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [part for inner in value.values() for part in parts(inner)]
    return [part for inner in value for part in parts(inner)] if isinstance(value, tuple | list) else []


def numbers_in(said: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", said))


def call(act: Any) -> str:
    """What a function says of arguments that are all different."""
    given: dict[str, Any] = {}
    for k, (name, parameter) in enumerate(inspect.signature(act).parameters.items()):
        kind = str(parameter.annotation)
        if name == "kind":
            given[name] = "double_attention"
        elif "Mapping" in kind:
            given[name] = ATLAS
        elif "Sequence" in kind:
            given[name] = [str(1011 + 7 * k)]
        elif kind == "float":
            given[name] = 0.5 + k
        elif "bool" in kind:
            given[name] = True
        else:
            given[name] = 11 + 7 * k if kind == "int" or "int |" in kind else str(1011 + 7 * k)
    positional = inspect.signature(act).parameters
    free = {n: v for n, v in given.items() if positional[n].kind is not inspect.Parameter.KEYWORD_ONLY}
    bound = {n: v for n, v in given.items() if n not in free}
    said = act(*free.values(), **bound)
    return " ".join(map(str, dataclasses.astuple(said))) if dataclasses.is_dataclass(said) else str(said)


@pytest.mark.parametrize("module", translated())
def test_whatever_a_module_says_it_says_in_chinese_too(module: str) -> None:
    one, other = names_in(english(module)), names_in(language.translation(module, "zh"))  # type: ignore[arg-type]
    missing = {name for name, value in one.items() if is_words(value) and name not in other} - SAME
    assert missing == set()
    for name, value in other.items():
        if isinstance(value, str | tuple | dict):
            assert name in one, f"{name} is nowhere in English"
            assert len(parts(value)) == len(parts(one[name])), name
            for said, there in zip(parts(value), parts(one[name]), strict=True):
                assert re.findall(r"\{\w*\}|%\{[^}]*\}", said) == re.findall(r"\{\w*\}|%\{[^}]*\}", there)
                assert not is_words(there) or name in SAME or CHINESE.search(said), (name, said)


@pytest.mark.parametrize("module", translated())
def test_functions_take_the_same_and_say_the_same_numbers(module: str) -> None:
    one, other = english(module), language.translation(module, "zh")
    for name, act in names_in(other).items():  # type: ignore[arg-type]
        if not inspect.isfunction(act) or act.__module__ != other.__name__:  # type: ignore[union-attr]
            continue
        theirs = vars(one)[name]
        assert list(inspect.signature(act).parameters) == list(inspect.signature(theirs).parameters), name
        if name == "definitions":
            continue  # the glossary, which is held against the English one elsewhere
        here, there = call(act), call(theirs)
        assert numbers_in(here) == numbers_in(there), (name, here, there)
        assert CHINESE.search(here) or not WORD.search(re.sub(r"<[^>]*>|logits?", "", there)), (name, here)


@pytest.mark.parametrize("module", translated())
def test_terms_are_those_of_the_canvas(module: str) -> None:
    one, other = english(module), language.translation(module, "zh")
    pairs = [
        pair
        for name, value in names_in(other).items()  # type: ignore[arg-type]
        if isinstance(value, str | tuple | dict)
        for pair in zip(parts(vars(one)[name]), parts(value), strict=True)
    ]
    for there, said in pairs:
        for term in TERMS:
            if re.search(rf"\b{term}s?\b", there, re.IGNORECASE):
                assert canvas_words.TERMS[term] in said, (there, said)


@pytest.mark.parametrize("module", translated())
def test_no_english_function_puts_english_words_into_a_chinese_page(module: str) -> None:
    """What a function says by a constant beside it is English for good: it has to be said anew as well."""
    one, other = english(module), names_in(language.translation(module, "zh"))  # type: ignore[arg-type]
    tree = ast.parse(inspect.getsource(one))
    said = {name for name, value in other.items() if is_words(value) or inspect.isfunction(value)}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name not in other:
            used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            assert not used & said, f"{function.name} uses {used & said}"


def test_every_sentence_of_the_components_that_are_in_chinese_is_in_the_catalogue() -> None:
    from viz_app.zh.markup import MARKUP

    assets = ROOT / "viz_app" / "components"
    said = {
        sentence
        for path in assets.glob("*/assets/*.html")
        for sentence in sentences(path.read_text(encoding="utf-8"))
    }
    assert said == set(MARKUP)


def test_two_visitors_at_once_read_each_their_own_language() -> None:
    said: dict[str, str] = {}
    both = threading.Barrier(2)

    def read(tongue: str) -> None:
        language.speak(tongue)
        both.wait(timeout=30)
        said[tongue] = step4_gather.TITLE
        both.wait(timeout=30)
        said[tongue] += text.STOP

    readers = [threading.Thread(target=read, args=(tongue,)) for tongue in ("en", "zh")]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert said == {
        "en": "Gather: a weighted sum over all positionsStop",
        "zh": "收集：在所有位置上加权求和停止",
    }
    assert text.STOP == "Stop"


def test_what_nobody_has_translated_is_english() -> None:
    with language.speaking("zh"):
        assert text.as_markdown("a_b") == r"a\_b"
        assert language.translation("viz_app.ui.numbers", "zh") is None
        assert step4_gather.FORMULA.startswith("g_i")


def test_what_another_thread_makes_later_is_in_the_language_of_now() -> None:
    with language.speaking("zh"):
        make = language.kept(lambda: text.STOP)
    assert make() == "停止"


def test_a_link_and_the_switch_choose_the_language_and_a_page_follows(app: Any) -> None:
    assert app.session_state[Key.PAGE] is not None
    assert [button.label for button in app.button if Key.LANGUAGE_SWITCH in str(button.key)] == ["中文"]
    app.button(key=f"{Key.LANGUAGE_SWITCH}-zh").click().run()
    assert not app.exception
    assert app.session_state[Key.LANGUAGE] == "zh"
    app.button(key=f"{Key.LANGUAGE_SWITCH}-en").click().run()
    assert app.session_state[Key.LANGUAGE] == "en"
    assert not app.exception


# Of Streamlit: what puts its first argument on the page.
SAYS = {
    "button",
    "caption",
    "download_button",
    "error",
    "expander",
    "file_uploader",
    "header",
    "info",
    "link_button",
}
SAYS |= {"markdown", "popover", "radio", "segmented_control", "selectbox", "slider", "subheader", "text_area"}
SAYS |= {"text_input", "title", "toggle", "warning", "write"}


def said_by(node: ast.AST) -> ast.expr | None:
    """What a call of Streamlit puts on the page."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name("logger"))):
            return None  # that is said to whoever runs the server
        case ast.Call(func=ast.Attribute(attr=attr), args=[said, *_]) if attr in SAYS:
            return said
    return None


def test_nothing_is_said_on_a_page_but_by_its_words():
    """A sentence in the code of a page is English in every language."""
    found = []
    for path in sorted((ROOT / "viz_app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            said = said_by(node)
            if isinstance(said, ast.Constant) and WORD.search(re.sub(r":material/\w+:", "", str(said.value))):
                found.append(f"{path.relative_to(ROOT)}:{said.lineno}: {said.value}")
    assert found == []
