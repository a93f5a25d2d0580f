"""Chinese beside English: no sentence of the markup and the glossary is missing, and terms stay the same."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from a2core import canvas
from a2core.canvas import glossary, zh
from a2core.languages import LANGUAGES, language_of, said_in, sentences
from a2core.site import zh as site_zh
from a2core.training.evaluate.cards import PrimitiveCard, sentence

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LEFT = {"A²-Nets"}  # a name


def site_pages() -> str:
    assets = ROOT / "a2core" / "site" / "assets"
    return "".join((assets / name).read_text(encoding="utf-8") for name in ("index.html", "lesson.html"))


@pytest.mark.parametrize(
    ("markup", "catalogue"),
    [(canvas.markup(), zh.MARKUP), (site_pages(), site_zh.PAGE)],
    ids=["canvas", "site"],
)
def test_every_sentence_of_the_markup_is_in_the_catalogue_and_no_other(markup, catalogue):
    said = {sentence for sentence in sentences(markup) if sentence not in LEFT and "·" not in sentence}
    assert said == set(catalogue)
    assert all(CHINESE.search(text) for text in catalogue.values())


def test_markup_in_chinese_is_the_same_elements_with_other_words():
    def bare(html: str) -> str:
        return re.sub(r'>[^<>]*<|(title|aria-label|placeholder)="[^"]*"', "><", html)

    assert bare(canvas.markup("zh")) == bare(canvas.markup())
    left = [sentence for sentence in sentences(canvas.markup("zh")) if not CHINESE.search(sentence)]
    assert left == []


def test_spaces_round_a_sentence_stay_and_what_is_unknown_stays_english():
    assert said_in("<b> one\n two </b><i>three</i>", {"one two": "一二"}) == "<b> 一二 </b><i>three</i>"
    assert said_in('<i title="one">', {"one": "一"}) == '<i title="一">'


def test_the_glossary_defines_every_symbol_and_word_in_both_with_the_same_signs():
    assert set(glossary.zh.WHAT) == set(glossary.SYMBOLS)
    assert list(glossary.zh.WORDS) == list(glossary.WORDS)
    assert list(glossary.zh.GROUPS) == list(glossary.GROUPS)
    english, chinese = glossary.symbols(), glossary.symbols("zh")
    for name, symbol in chinese.items():
        assert (symbol.sign, symbol.shape, symbol.paper) == (
            english[name].sign,
            english[name].shape,
            english[name].paper,
        )
        assert CHINESE.search(symbol.what)
    assert glossary.told("zh").keys() == glossary.told().keys()
    tags = re.compile(r"<[^>]*>")
    strip = re.compile(r'data-column="[^"]*"')
    found = [strip.sub("", "".join(tags.findall(glossary.page(language)))) for language in LANGUAGES]
    assert found[0].count("<tr>") == found[1].count("<tr>")


def test_the_glossary_and_the_markup_keep_to_the_terms():
    pairs = [(symbol.what, glossary.zh.WHAT[name]) for name, symbol in glossary.SYMBOLS.items()]
    pairs += [
        (f"{word}: {what}", ": ".join(glossary.zh.WORDS[word])) for word, what in glossary.WORDS.items()
    ]
    pairs += [*zh.MARKUP.items(), *site_zh.PAGE.items()]
    kept = ("primitive", "gather map", "distribution weight", "effective attention", "softmax", "channel")
    for english, chinese in pairs:
        for term in kept:
            if re.search(rf"\b{term}s?\b", english, re.IGNORECASE):
                assert zh.TERMS[term] in chinese, (english, chinese)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("zh", "zh"), ("zh-CN", "zh"), ("ZH_Hans", "zh"), ("en-GB", "en"), ("de", "en"), ("", "en")],
)
def test_a_browsers_language_is_one_of_ours_or_english(asked, meant):
    assert language_of(asked) == meant


def test_a_page_is_made_in_a_language_for_good():
    page = canvas.standalone_html({"trained": False}, language="zh")
    assert '<html lang="zh-CN">' in page
    assert "随机权重。" in page
    assert "Random weights" not in page
    with pytest.raises(ValueError, match="no language 'de'"):
        canvas.standalone_html({}, language="de")


def test_what_cards_say_is_said_in_chinese_alike_by_python_and_the_scripts():
    frames = [np.zeros((7, 7)) for _ in range(11)]
    for k, frame in enumerate(frames[:9]):  # a ninth each
        frame[3 * (k // 3) : 3 * (k // 3) + 1, 3 * (k % 3) : 3 * (k % 3) + 1] = 1
    frames[9][:], frames[10][[0, 6], :] = 1, 1
    cards = [PrimitiveCard((), use, 0.5, frame) for frame in frames for use in (0.0, 1.0)]
    said = {sentence(card) for card in cards}
    assert len(said) == 22, said
    chinese = {canvas.card_said(f"{one} · purity 0.15, of parts 0.13, MonoScore -0.02", "zh") for one in said}
    assert len(chinese) == 22
    for line in chinese:
        assert not re.search(r"[A-Za-z]{2,}", line.replace("MonoScore", "")), line
        assert line.endswith(" · 纯度 0.15，部件纯度 0.13，MonoScore -0.02")
    assert canvas.card_said("Eyes, mostly · of parts 0.3", "zh") == "Eyes, mostly · 部件纯度 0.3"
    script = (ROOT / "a2core" / "canvas" / "assets" / "words.zh.js").read_text(encoding="utf-8")
    assert re.findall(r'^  \[/(.+)/, "(.+)"\],$', script, re.MULTILINE) == list(zh.CARDS)


def test_between_chinese_characters_no_blank_is_left_that_parted_english_words():
    catalogue = {"gathered": "收集", "from here": "自这里", "Press": "按"}
    said = said_in("<b>gathered<span> from here</span></b> <i>θ</i><p>Press <kbd>O</kbd></p>", catalogue)
    assert said == "<b>收集<span>自这里</span></b> <i>θ</i><p>按 <kbd>O</kbd></p>"
    assert "收集<span>自这里</span>" in canvas.markup("zh")
