"""What the app says of what lies elsewhere, in Chinese: errors and notes by their templates, cards, names."""

from __future__ import annotations

import ast
import dataclasses
import html
import json
import pickle
import re
from pathlib import Path
from string import Formatter

import pytest

import a2core
from tests.viz_app.test_languages import CHINESE, ROOT, WORD, numbers_in
from viz_app.server import models
from viz_app.server.faults import attempt
from viz_app.ui import language

# ---- errors and notes: English where they are made, told by their templates

# Where what a visitor may meet is raised or noted. What only a program meets (a block put in, a network made
# ready for training or export) is told in English.
TOLD = [
    *sorted((ROOT / "a2core" / "media").glob("*.py")),
    *(
        ROOT / name
        for name in (
            "a2core/card.py",
            "a2core/checkpoints.py",
            "a2core/extras.py",
            "a2core/load.py",
            "a2core/rival_networks.py",
            "a2core/atlas/answers.py",
            "a2core/atlas/names.py",
            "a2core/networks/devices.py",
            "a2core/networks/looked.py",
            "a2core/networks/memory.py",
            "a2core/networks/sites.py",
            "a2core/networks/sources.py",
            "a2core/networks/spec.py",
            "a2core/networks/tried.py",
            "a2core/networks/weight_files.py",
            "a2core/networks/wheels.py",
            "a2core/tracing/intervene.py",
            "a2core/tracing/model.py",
            "a2core/tracing/model_input.py",
            "a2core/tracing/record.py",
            "a2core/tracing/runs.py",
            "viz_app/components/clip_recorder/__init__.py",
            "viz_app/server/atlases.py",
            "viz_app/server/metrics.py",
            "viz_app/server/models.py",
            "viz_app/server/names.py",
            "viz_app/server/store.py",
            "viz_app/server/visitors.py",
        )
    ),
]
ERRORS = ("MediaError", "NetworkError", "CheckpointError", "InterventionError", "BlockError", "AtlasError")
ERRORS += ("A2Error", "Full", "Stopped")
A_SENTENCE = re.compile(r"[A-Z“{][^\n]* [^\n]*[.}]")


def raised(path: Path) -> tuple[set[str], list[str]]:
    """The templates of errors and notes in a module, and those that have their values in them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {
        target.id: value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
        for value in [node.value]
    }
    templates, loose = set(), []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        is_error = name in ERRORS
        if not (is_error or name in ("sentence", "append", "_note")):
            continue
        first = known.get(node.args[0].id) if isinstance(node.args[0], ast.Name) else node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            if A_SENTENCE.fullmatch(first.value):
                templates.add(first.value)
            given = {keyword.arg for keyword in node.keywords}
            fields = {field for _, field, _, _ in Formatter().parse(first.value) if field}
            assert fields == given or not (is_error or name == "sentence"), (path.name, first.value)
        elif isinstance(first, ast.JoinedStr) and (
            name != "append" or ast.unparse(node.func).endswith("notes.append")
        ):
            loose.append(f"{path.name}: {ast.unparse(first)}")
    return templates, loose


def test_whatever_a_visitor_may_read_of_an_error_or_a_note_is_told_in_chinese() -> None:
    from viz_app.zh.sentences import SENTENCES

    for path in TOLD:
        templates, loose = raised(path)
        assert loose == [], "values belong into the template's fields"
        assert templates - set(SENTENCES) == set(), path.name
    kinds = ast.parse((ROOT / "a2core" / "media" / "recognise.py").read_text(encoding="utf-8"))
    what = {
        node.value
        for node in ast.walk(kinds)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"(is|holds) .*\.", node.value)
    }
    assert len(what) > 20
    assert what <= set(SENTENCES)


def test_each_sentence_that_is_told_in_chinese_is_one_of_ours_with_the_same_fields() -> None:
    from viz_app.zh.sentences import SENTENCES

    sources = [*(ROOT / "a2core").rglob("*.py"), *(ROOT / "viz_app" / "server").glob("*.py")]
    sources += [*(ROOT / "viz_app" / "components").rglob("*.py"), *(ROOT / "viz_app" / "views").rglob("*.py")]
    ours = {
        node.value
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(SENTENCES) - ours == set()
    for english_one, other in SENTENCES.items():
        assert CHINESE.search(other), other
        fields = [
            sorted(part[1:] for part in Formatter().parse(said) if part[1]) for said in (english_one, other)
        ]
        assert fields[0] == fields[1], english_one


def test_a_refused_file_is_told_in_the_visitors_language_and_logged_in_english() -> None:
    def read() -> None:
        a2core.read_media(b"%PDF-1.7 ....", name="{paper}.pdf")

    with language.speaking("zh"):
        _, told = attempt(read)
    assert told.startswith("“{paper}.pdf” 是 PDF 文档：请把那一页导出为图片。请选 JPEG")
    _, in_english = attempt(read)
    assert in_english.startswith(
        "“{paper}.pdf” is a PDF document: export the page as a picture. Choose a JPEG"
    )
    with pytest.raises(a2core.MediaError) as error:
        read()
    again = pickle.loads(pickle.dumps(error.value))
    assert str(again) == str(error.value) == in_english
    with language.speaking("zh"):
        assert language.told(again) == told
        assert language.told(a2core.NetworkError("Nobody knows this one.")) == "Nobody knows this one."


def test_what_is_listed_of_a_network_that_cannot_be_used_is_told_in_the_readers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old.pt").write_bytes(b"x")
    (tmp_path / "mine.json").write_text('{"source": "timm/resnet18", "colour": 1}')
    monkeypatch.setenv("A2_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("A2_NETWORKS", str(tmp_path / "mine.json"))
    faults = {info.path.name: info.fault for info in models.list_weights()[1]}
    assert faults["old.pt"].startswith("old.pt is a pickle, which can run any code")
    with language.speaking("zh"):
        assert language.told(faults["old.pt"]).startswith("old.pt 是 pickle，打开时可能运行任意代码")
        assert language.told(faults["mine.json"]).startswith("mine.json 里的 'colour' 没有谁会读。")


# ---- what lies in files: names in the atlas that is shipped, cards of checkpoints, what samples show


def test_names_of_the_shipped_atlas_are_told_in_chinese_and_somebody_elses_are_not() -> None:
    from viz_app.ui import shipped

    files = sorted((ROOT / "checkpoints" / "atlas").glob("*/names.json"))
    told = [
        entry
        for file in files
        for block in json.loads(file.read_text("utf-8")).values()
        for entry in block.values()
    ]
    assert len(told) >= 10
    with language.speaking("zh"):
        for entry in told:
            assert not WORD.search(shipped.name(entry["name"])), entry["name"]
            said = shipped.note(entry["note"])
            assert not WORD.search(said.replace("docs/atlas.md", "")), entry["note"]
            assert numbers_in(said) == numbers_in(entry["note"])
        assert shipped.name("my own leaves") == "my own leaves"
        assert shipped.note("In 6 of 8.") == "In 6 of 8."


# Of cards: names of networks, files, data sets and measures, and what a command line is.
OF_CARDS = "|".join(
    (
        r"python -m a2core [^<]*|tf_\w+|a2-[\w-]+|[\w-]+-lite0|blocks\.\d|\w+/\w+(, \w+/\w+)*",
        r"tuning_pictures\.txt|bsds500|ccp_clothing|davis2016val|\bval\b|ImageNet|scikit-image|arXiv",
        r"MonoScore|mIoU|Jaccard|top-\d|AUC|NMF|k-means|KL|nats|cpu|NeurIPS|Transformer|logits?",
    )
)


def test_what_the_shipped_cards_say_is_told_in_chinese() -> None:
    from viz_app.views.about import content

    cards = {path.stem: json.loads(path.read_text("utf-8")) for path in (ROOT / "checkpoints").glob("*.json")}
    assert len(cards) > 5
    with language.speaking("zh"):
        page = content.page_html("", cards, [], [])
    texts = {
        html.unescape(said).strip()
        for said in re.findall(r">([^<]+)<", re.sub(r"<code>.*?</code>", "", page))
    }
    assert {said for said in texts if WORD.search(re.sub(OF_CARDS, "", said))} == set()
    assert {"与原网络的一致率", "高出余弦多少，95 % 区间", "训练 · 用时（秒）"} <= texts
    with language.speaking("en"):
        english_page = content.page_html("", cards, [], [])
    numbers = [numbers_in(html.unescape(re.sub(r"<[^>]*>", " ", whole))) for whole in (page, english_page)]
    assert numbers[0] == numbers[1]


def test_what_a_sample_shows_and_whose_an_exemplar_is_are_told_in_chinese() -> None:
    from viz_app.server.samples import SAMPLES
    from viz_app.zh.sentences import SENTENCES

    assert {said for sample in SAMPLES for said in (sample.alt, sample.credit)} <= set(SENTENCES)
    photo = a2core.Photo(0, "", "", "", "", 0, 0.0, 1, 1, None, [], "A {B}", "CC0", "https://c.org/d")
    with language.speaking("zh"):
        assert language.told(photo.credit) == "照片：A {B}，CC0，已裁剪并缩小。https://c.org/d"
        assert language.told(dataclasses.replace(photo, link="").credit) == "照片：A {B}，CC0，已裁剪并缩小。"
    assert photo.credit == "Photo by A {B}, CC0, cropped and made smaller. https://c.org/d"
