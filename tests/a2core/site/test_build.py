"""A built site: relative addresses, files that are what they are said to be, and a network that agrees."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import importlib.util
import io
import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import a2core
from a2core.cli import main
from a2core.errors import A2Error
from a2core.site import build_site
from a2core.site.exemplars import atlas_beside
from a2core.site.lesson import arrays_of
from a2core.site.runtime import VERSION, find_runtime

ROOT = Path(__file__).resolve().parents[3]
SPOT_ON = 1e-3  # of a map's largest value


def fake_runtime(folder: Path, version: str = VERSION) -> Path:
    """A package of npm's that has the files of ONNX Runtime Web, but does nothing."""
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": version}))
    for name in (
        *("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs"),
        *("ort.jspi.min.mjs", "ort-wasm-simd-threaded.jspi.mjs"),
    ):
        (folder / "dist" / name).write_text(
            "export {};\n//# sourceMappingURL=https://elsewhere.example/x.map\n"
        )
    for name in ("ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.jspi.wasm"):
        (folder / "dist" / name).write_bytes(b"\0asm" * 1000)
    return folder


@pytest.fixture(scope="module")
def model():
    return a2core.load_model("a2-lite0", device="cpu", engine="torch")


@pytest.fixture(scope="module")
def site(model, tmp_path_factory):
    base = tmp_path_factory.mktemp("site")
    build_site(model, base / "out", runtime=fake_runtime(base / "ort"), atlas=atlas_beside(model))
    return base / "out"


@pytest.fixture(scope="module")
def told(site):
    return json.loads((site / "site.json").read_text(encoding="utf-8"))


def test_no_file_asks_for_an_address_elsewhere_or_from_the_root(site):
    for path in site.rglob("*"):
        if path.suffix not in (".html", ".css", ".js", ".mjs", ".json", ".webmanifest", ".svg"):
            continue
        text = path.read_text(encoding="utf-8")
        addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert addresses == set(), path.name
        asked = re.findall(r"""(?:src|href|start_url|scope|url\()["']?\s*[=:(]\s*["']([^"'#]*)""", text)
        assert [each for each in asked if each.startswith("/")] == [], path.name


def test_everything_that_the_page_asks_for_is_there_and_kept_for_offline(site, told):
    page = (site / "index.html").read_text(encoding="utf-8")
    asked = set(re.findall(r'(?:src|href)="([^"#]+)"', page))
    manifest = json.loads((site / "manifest.webmanifest").read_text(encoding="utf-8"))
    asked |= {icon["src"] for icon in manifest["icons"]}
    asked |= {told["runtime"][key] for key in ("script", "glue")} | {"worker.js", "page.html", "site.json"}
    asked |= {told["runtime"]["wasm"]["name"], told["network"]["file"]["name"]}
    assert {name for name in asked if not (site / name).is_file()} == set()
    worker = (site / "sw.js").read_text(encoding="utf-8")
    kept = set(json.loads(re.search(r"const FILES = (\[.*?\]);", worker)[1]))
    assert asked - kept == {"NOTICE.txt", "index.zh.html", "lesson.html"}
    assert told["version"] in worker
    assert not re.search(r"<!-- a2-|A2-VERSION|A2-FILES", page + worker)


def test_the_heavy_files_are_what_the_list_says(site, told):
    for listed in (told["runtime"]["wasm"], told["network"]["file"]):
        packed = (site / listed["name"]).read_bytes()
        whole = gzip.decompress(packed)
        assert (len(packed), len(whole)) == (listed["sent"], listed["bytes"])
        assert hashlib.sha256(whole).hexdigest() == listed["sha256"]
    first = [path for path in site.iterdir() if not re.search(r"\.zh\.|^lesson", path.name)]
    own = sum(path.stat().st_size for path in first)
    real = 3_652_765 + 50_084 + 24_381  # of ONNX Runtime Web 1.30.0, packed, and its two scripts
    assert own + real < 15e6


def test_the_network_in_it_agrees_with_torch_and_so_does_what_a_block_hands_out(site, told, model):
    data = gzip.decompress((site / "network.bin").read_bytes())

    def session(span):
        return onnxruntime.InferenceSession(data[slice(*span)], providers=["CPUExecutionProvider"])

    rng = np.random.default_rng(0)
    noise = rng.normal(0, 30, (160, 224, 3)) + np.mgrid[0:160, 0:224].sum(0)[..., None] * 0.6
    clip = a2core.Clip(noise.clip(0, 255).astype(np.uint8)[None], np.zeros(1), "image", "made", ())
    trace = model.trace(clip, size=224)
    x = model.preprocess(trace.model_input).numpy()
    for part in told["network"]["parts"]:
        opened = session(part["at"])
        if not part["block"]:
            (x,) = opened.run(None, {"x": x})
            continue
        names = [output.name for output in opened.get_outputs()]
        found = dict(zip(names, opened.run(None, {"x": x[None]}), strict=True))
        block = trace.blocks[part["block"]]
        for key in ("gather", "distribute", "primitives", "change"):
            expected = getattr(block, key)
            assert np.abs(found[key][0] - expected).max() <= SPOT_ON * np.abs(expected).max(), key
        given = {"x": x[0].reshape(x.shape[1], -1), "primitives": found["primitives"][0]}
        weights = found["distribute"].reshape(block.n, -1)
        (handed,) = session(part["hand"]).run(None, {**given, "distribute": weights})
        np.testing.assert_allclose(handed, found["y"].reshape(handed.shape), rtol=1e-3, atol=1e-4)
        x = found["y"][0]
    assert [told["labels"][k] for k in np.argsort(-x[0])[:3]] == [label for label, _ in trace.top[:3]]


def test_a_graphics_card_runs_the_same_network_out_of_the_same_weights(site, told):
    data = gzip.decompress((site / "network.bin").read_bytes())
    graphs, listed = (
        gzip.decompress((site / told["webgpu"][key]["name"]).read_bytes()) for key in ("graphs", "parts")
    )
    worker = (site / "sw.js").read_text(encoding="utf-8")
    assert "webgpu/" not in worker  # nobody fetches that unasked
    x = np.random.default_rng(0).normal(size=(1, 3, 96, 128)).astype(np.float32)
    for part, plain in zip(json.loads(listed), told["network"]["parts"], strict=True):
        weights = []
        for one in part["weights"]:
            levels = np.frombuffer(data, "<i2", one["count"], one["levels"]).reshape(one["rows"], -1)
            weights.append((levels * np.frombuffer(data, "<f4", one["rows"], one["scale"])[:, None]).ravel())
        options = onnxruntime.SessionOptions()
        if weights:
            held = np.concatenate(weights).astype(np.float32).tobytes()
            options.add_external_initializers_from_files_in_memory(["weights"], [held], [len(held)])
        given = {"x": x[None] if part["block"] else x}
        found, expected = (
            onnxruntime.InferenceSession(graph, options_, providers=["CPUExecutionProvider"]).run(None, given)
            for graph, options_ in ((graphs[slice(*part["at"])], options), (data[slice(*plain["at"])], None))
        )
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        x = found[0][0] if part["block"] else found[0]


def test_the_sample_is_traced_from_the_picture_that_is_shown(site, told):
    sample = json.loads((site / "sample.json").read_text(encoding="utf-8"))
    assert [block["name"] for block in sample["blocks"]] == [block["name"] for block in told["blocks"]]
    assert sample["key"] == "sample"
    assert sample["frames"][0].startswith("data:image/webp;base64,")
    assert told["sample"]["top"][0]["label"] in told["labels"]
    assert "CC0" in told["sample"]["credit"]


def test_exemplars_are_the_atlas_s_with_their_credits_and_no_part_of_a_first_visit(site, told):
    atlas = a2core.Atlas(a2core.checkpoint_folder() / "atlas" / "a2-lite0")
    worker = (site / "sw.js").read_text(encoding="utf-8")
    credited = {
        (whose["author"], whose["link"], whose["licence"])
        for whose in json.loads(gzip.decompress((site / told["exemplars"]["credits"]["name"]).read_bytes()))
    }
    for block, listed in told["exemplars"]["files"].items():
        groups = [json.loads(gzip.decompress((site / each["name"]).read_bytes())) for each in listed]
        assert all(each["name"] not in worker and each["sent"] < 60_000 for each in listed)
        found = [shown for group in groups for shown in group]
        assert len(found) == atlas.blocks[block]
        for primitive in (0, 17, len(found) - 1):
            expected = atlas.exemplars(block, primitive, "peak", 8)
            photos = [atlas.photo(one.photo) for one in expected]
            assert [one["crop"] for one in found[primitive]] == [
                base64.b64encode(one.crop).decode() for one in expected
            ]
            assert [one["author"] for one in found[primitive]] == [photo.author for photo in photos]
            assert {(photo.author, photo.link, photo.licence) for photo in photos} <= credited
            assert all(one["licence"] for one in found[primitive])


def test_an_atlas_of_another_network_or_of_pictures_without_a_licence_is_refused(model, tmp_path):
    runtime = fake_runtime(tmp_path / "ort")
    beside = a2core.checkpoint_folder() / "atlas"
    with pytest.raises(A2Error, match="another checkpoint"):
        build_site(model, tmp_path / "out", runtime=runtime, atlas=a2core.Atlas(beside / "a2-lite2"))
    nobodys = a2core.Atlas(beside / "a2-lite0")
    nobodys.slim = {}
    with pytest.raises(A2Error, match="whose its pictures are"):
        build_site(model, tmp_path / "out", runtime=runtime, atlas=nobodys)
    assert not (tmp_path / "out").exists()


def test_it_says_what_it_is_and_whose_the_weights_are(site):
    page = (site / "index.html").read_text(encoding="utf-8")
    for words in ("stay on this device", "states no licence", "tf_efficientnet_lite0", VERSION):
        assert words in page
    assert "Microsoft Corporation" in (site / "NOTICE.txt").read_text(encoding="utf-8")
    assert "Random weights" not in page


def test_the_runtime_is_the_one_that_npm_is_told_to_bring(tmp_path):
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert package["devDependencies"]["onnxruntime-web"] == VERSION
    assert lock["packages"]["node_modules/onnxruntime-web"]["version"] == VERSION
    with pytest.raises(A2Error, match=r"is 0\.1\.0.*npm ci"):
        find_runtime(fake_runtime(tmp_path / "old", "0.1.0"))
    whole = fake_runtime(tmp_path / "torn")
    (whole / "dist" / "ort-wasm-simd-threaded.wasm").unlink()
    with pytest.raises(A2Error, match="not whole"):
        find_runtime(whole)


def test_what_is_missing_is_said_in_one_line(model, tmp_path, capsys, monkeypatch):
    nowhere = str(tmp_path / "nowhere")
    assert main(["site", str(tmp_path / "out"), "--runtime", nowhere]) == 2
    assert "npm ci" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(A2Error, match="is no site"):
        build_site(model, tmp_path / "mine", runtime=fake_runtime(tmp_path / "ort"))
    other = a2core.load_model("squeeze-excitation-lite0", device="cpu", engine="torch")
    with pytest.raises(A2Error, match="only double attention"):
        build_site(other, tmp_path / "other", runtime=tmp_path / "ort")
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "skimage" else find(name))
    with pytest.raises(A2Error, match="--photo"):
        build_site(model, tmp_path / "out", runtime=tmp_path / "ort")


def test_a_picture_of_ones_own_is_told_the_same_of_its_primitives_as_the_sample(site, told):
    sample = json.loads((site / "sample.json").read_text(encoding="utf-8"))
    assert any("purity" in line for line in told["blocks"][0]["cards"])
    for block, shown in zip(told["blocks"], sample["blocks"], strict=True):
        assert block["cards"] == shown["cards"]


def test_the_chinese_page_has_all_that_the_english_has_and_keeps_its_own_files(site, told):
    english, chinese = ((site / name).read_text(encoding="utf-8") for name in ("index.html", "index.zh.html"))
    assert '<html lang="en">' in english
    assert '<html lang="zh-CN">' in chinese
    ids = re.compile(r'(?:id|data-ref)="([^"]+)"')
    assert ids.findall(chinese) == ids.findall(english)
    assert '<a href="index.html" lang="en" hreflang="en" data-language="en">English</a>' in chinese
    assert told["kept"]["zh"] == ["index.zh.html", "page.zh.html", "site.zh.js", "worker.zh.js"]
    asked = set(re.findall(r'(?:src|href)="([^"#]+\.zh\.\w+)"', chinese))
    assert asked - set(told["kept"]["zh"]) == {"lesson.zh.html"}
    for name in told["kept"]["zh"]:
        assert "基元" in (site / name).read_text(encoding="utf-8") or name == "worker.zh.js"


def test_the_lesson_is_the_samples_and_no_part_of_a_first_visit(site, told, model):
    worker = (site / "sw.js").read_text(encoding="utf-8")
    assert "lesson" not in worker + "".join(told["kept"]["zh"])
    page = (site / "lesson.html").read_text(encoding="utf-8")
    about = json.loads(html.unescape(re.search(r'data-about="([^"]*)"', page)[1]))
    packed = (site / about["file"]["name"]).read_bytes()
    whole = gzip.decompress(packed)
    assert hashlib.sha256(whole).hexdigest() == about["file"]["sha256"]
    sample = json.loads((site / "sample.json").read_text(encoding="utf-8"))
    picture = base64.b64decode(sample["frames"][0].partition(",")[2])
    assert (site / "lesson" / "picture.webp").read_bytes() == picture
    seen = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
    clip = a2core.Clip(seen[None], np.zeros(1), "image", "", ())
    lesson = a2core.take_lesson(model, clip, "blocks.4", max(seen.shape))
    assert whole == arrays_of(lesson)
    t, row, col = told["sample"]["view"]["probe"]
    assert about["opening"]["position"] == row * lesson.grid[2] + col
    assert about["opening"]["primitive"] == lesson.distribute[:, t, row, col].argmax()
