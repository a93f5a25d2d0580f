"""Writes the site: page, scripts, worker, network, sample, and what a browser needs to keep it offline.

All addresses in it are relative, so it stands below any path of any static host. What is heavy is packed by
gzip, since not every host does that on the way, and listed with its length and digest, so that a file that
arrives cut off is known.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2core import canvas
from a2core.atlas.read import Atlas
from a2core.canvas import glossary, tiles
from a2core.canvas.modules import join
from a2core.checkpoints import write_atomically
from a2core.errors import A2Error
from a2core.languages import ENGLISH, LANGUAGES
from a2core.site import zh
from a2core.site.exemplars import FOLDER, OF_A_FILE, Exemplars, exemplars_of
from a2core.site.icon import icon_png
from a2core.site.lesson import PAGE as LESSON
from a2core.site.lesson import Classroom, classroom, is_lesson, lesson_files, warnings
from a2core.site.network import PartFile, network_files
from a2core.site.pages import asset, filled, named
from a2core.site.runtime import Runtime, find_runtime
from a2core.site.sample import Sample, sample_of
from a2core.site.webgpu import graphs_of
from a2core.tracing.lesson import take_lesson
from a2core.tracing.model import Model

_ASSETS = Path(__file__).parent / "assets"
_TITLE = "A2-TITLE"  # stands in page.html where the name of a picture will
_SCRIPTS = {"site.js": "main.js", "worker.js": "worker.js"}
_NETWORK = (
    "The network is {name}. Its blocks were trained by the makers of this page; the trunk they stand in "
    "({trunk}) was trained by others, on ImageNet, and its weights are theirs: the package that they were "
    "taken from states no licence."
)
_GPU = "webgpu/"  # the folder of what only those fetch who have a graphics card
_NOT_KEPT = ("sw.js", "NOTICE.txt")  # of all files, what no browser needs to keep for offline


@dataclass(frozen=True)
class Built:
    """A site that was written.

    Attributes:
        folder: where.
        files: their sizes in bytes, by name.
        first_visit_bytes: what a first visit brings, the heavy files packed and the others as they are.
    """

    folder: Path
    files: Mapping[str, int]

    @property
    def first_visit_bytes(self) -> int:
        """What a first visit in English brings at most: hosts that pack text send half a megabyte less."""
        others = {name for files in _of_other_languages(self.files).values() for name in files}
        others |= {name for name in self.files if _is_asked_for(name)}
        return sum(size for name, size in self.files.items() if name not in others)

    @property
    def exemplars_bytes(self) -> int:
        """What all exemplars bring, each of their files when it is looked at, and all of them for offline."""
        return sum(size for name, size in self.files.items() if _is_exemplars(name))

    @property
    def lesson_bytes(self) -> int:
        """What the lesson brings when it is opened in English."""
        others = {name for name in self.files if ".zh." in name or "worksheet" in name}
        return sum(size for name, size in self.files.items() if is_lesson(name) and name not in others)


def build_site(
    model: Model,
    out: Path,
    *,
    runtime: Path | None = None,
    photo: Path | None = None,
    credit: str = "",
    atlas: Atlas | None = None,
) -> Built:
    """Write the site of `model` into the folder `out`, which is made, or was written by this before.

    Args:
        model: whose network; it is left as it is.
        out: files in it of other names stay.
        runtime: the folder of the npm package onnxruntime-web; found where npm puts it when not given.
        photo: what the page opens on; a cat from scikit-image where that is installed.
        credit: whose photo it is.
        atlas: whose exemplars it shows; none when not given.

    Raises:
        A2Error: onnxruntime-web, the photo or a library is missing, the network cannot run in a browser, the
            atlas is not about it or may not be passed on, or `out` holds something else.
        OSError: the files cannot be written.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "site.json").is_file())):
        raise A2Error(f"{out} is there and is no site. Name a new or an empty folder.")
    found = find_runtime(runtime)
    exemplars = exemplars_of(atlas, model) if atlas else None
    parts, hands = network_files(model)
    shown = sample_of(model, photo, credit)
    files: dict[str, bytes] = {}
    at, packed = _joined([part.data for part in parts], list(hands.values()))
    hand_of = dict(zip(hands, at[len(parts) :], strict=True))
    listed = [
        {"block": part.block, "at": span, "hand": hand_of.get(part.block)}
        for part, span in zip(parts, at, strict=False)
    ]
    network = _packed(files, "network.bin", packed)
    wasm = _packed(files, "runtime.bin", found.wasm)
    files |= {"ort.mjs": found.script, found.glue_name: found.glue}
    about = {
        **_about(model),
        "runtime": {"script": "ort.mjs", "glue": found.glue_name, "wasm": wasm},
        "network": {"file": network, "parts": listed},
        "sample": {"title": shown.title, "credit": shown.credit, "top": shown.top, "view": shown.view},
        "webgpu": _webgpu(files, found, parts, [start for start, _ in at]),
        "exemplars": exemplars and _exemplars(files, exemplars),
        "glossary": {language: glossary.told(language) for language in LANGUAGES},
    }
    files["sample.json"] = _json(shown.payload)
    files |= lesson_files(_classroom(model, shown), functools.partial(_packed, files))
    files |= _texts(model, found, shown)
    about["kept"] = _of_other_languages(files)
    version = hashlib.sha256(b"".join(files[name] for name in sorted(files)) + _json(about)).hexdigest()[:16]
    files["site.json"] = _json({"version": version, **about})
    files["sw.js"] = _service_worker(version, files).encode()
    _write(out, files)
    return Built(out, {name: len(data) for name, data in files.items()})


def _joined(parts: list[bytes], hands: list[bytes]) -> tuple[list[tuple[int, int]], bytes]:
    """All graphs one after the other, and where each begins and ends."""
    spans, at = [], 0
    for data in (*parts, *hands):
        spans.append((at, at + len(data)))
        at += len(data)
    return spans, b"".join((*parts, *hands))


def _packed(files: dict[str, bytes], name: str, data: bytes) -> dict[str, Any]:
    """Pack `data` into a file; what the scripts know of it."""
    files[name] = gzip.compress(data, 9, mtime=0)
    digest = hashlib.sha256(data).hexdigest()
    return {"name": name, "sent": len(files[name]), "bytes": len(data), "sha256": digest}


def _webgpu(
    files: dict[str, bytes], runtime: Runtime, parts: list[PartFile], starts: list[int]
) -> dict[str, Any]:
    """Write what those need who have a graphics card; what the scripts know of it."""
    graphs, weights = graphs_of(parts, starts[: len(parts)])
    spans, joined = _joined(graphs, [])
    listed = [
        {"block": part.block, "at": span, "weights": of}
        for part, span, of in zip(parts, spans, weights, strict=True)
    ]
    script, glue = f"{_GPU}ort.mjs", f"{_GPU}{runtime.gpu_glue_name}"
    files |= {script: runtime.gpu_script, glue: runtime.gpu_glue}
    return {
        "script": script,
        "glue": glue,
        "wasm": _packed(files, f"{_GPU}runtime.bin", runtime.gpu_wasm),
        "graphs": _packed(files, f"{_GPU}graphs.bin", joined),
        "parts": _packed(files, f"{_GPU}parts.bin", _json(listed)),
    }


def _exemplars(files: dict[str, bytes], exemplars: Exemplars) -> dict[str, Any]:
    """Write their files; what the scripts know of them."""
    listed = {
        block: [_packed(files, f"{FOLDER}/{block}-{k}.bin", _json(group)) for k, group in enumerate(groups)]
        for block, groups in exemplars.files.items()
    }
    credits = _packed(files, f"{FOLDER}/credits.bin", _json(exemplars.credits))
    about = {"photos": exemplars.photos, "names": exemplars.names, "each": OF_A_FILE}
    return {**about, "files": listed, "credits": credits}


def _is_exemplars(name: str) -> bool:
    return name.startswith(f"{FOLDER}/")


def _is_asked_for(name: str) -> bool:
    """Whether a file is no part of a first visit, and comes when it is looked at or where there is a card."""
    return _is_exemplars(name) or is_lesson(name) or name.startswith(_GPU)


def _classroom(model: Model, sample: Sample) -> Classroom:
    """The lesson on the sample, by the first block."""
    block = next(iter(model.blocks))
    return classroom(
        take_lesson(model, sample.clip, block, max(sample.clip.frames.shape[1:3])),
        tuple(sample.view["probe"]),
        picture=sample.picture,
        alt=sample.payload["alt"],
        title=sample.title,
        credit=sample.credit,
        network={language: _whose(model, language) for language in LANGUAGES},
        warning=warnings(model.trained),
    )


def _about(model: Model) -> dict[str, Any]:
    """What the scripts must know of the network."""
    blocks = []
    for name, block in model.blocks.items():
        of: Any = block
        blocks.append(
            {
                "name": name,
                "word": canvas.card_word(model.card, name),
                "cards": canvas.card_lines(model.card, name, of.c_n),
                "m": of.c_m,
                "n": of.c_n,
                "channels": of.in_channels,
            }
        )
    takes = model.input
    return {
        "name": model.name,
        "trained": model.trained,
        "labels": list(model.labels),
        "input": {"mean": takes.mean, "std": takes.std, "multiple_px": takes.multiple_px},
        "blocks": blocks,
    }


def _texts(model: Model, runtime: Runtime, sample: Sample) -> dict[str, bytes]:
    """Page and scripts in each language, styles, icons, notices."""
    texts = {
        "canvas.css": canvas.style(),
        "site.css": asset("site.css") + tiles.style(),
        "icon.svg": asset("icon.svg"),
        "language.js": asset("language.js"),
        "manifest.webmanifest": asset("manifest.webmanifest"),
        "NOTICE.txt": _notice(model, runtime, sample),
    }
    for language in LANGUAGES:
        texts[named("index.html", language)] = _page(model, runtime, language)
        untraced = {"trained": model.trained}
        texts[named("page.html", language)] = canvas.standalone_html(
            untraced, title=_TITLE, language=language
        )
        for name, entry in _SCRIPTS.items():
            texts[named(name, language)] = join(_ASSETS / entry, name="a2Site", language=language)
    pictures = {f"icon{side}.png": icon_png(int(side or 180)) for side in ("", "192", "512")}
    return {name: text.encode() for name, text in texts.items()} | pictures


def _page(model: Model, runtime: Runtime, language: str) -> str:
    return filled(
        "index.html",
        language,
        {
            "script": named("site.js", language),
            "lesson": named(LESSON, language),
            "symbols": f"<style>{glossary.style()}</style>{glossary.markup()}",
            "canvas": canvas.markup(language),
            "warning": warnings(model.trained)[language],
            "about": asset(named("about.html", language)),
            "network": _whose(model, language),
            "runtime": html.escape(runtime.version),
        },
    )


def _whose(model: Model, language: str) -> str:
    """Whose the network is."""
    name, trunk = html.escape(model.name), html.escape(_trunk_of(model))
    return zh.network(name, trunk) if language == "zh" else _NETWORK.format(name=name, trunk=trunk)


def _trunk_of(model: Model) -> str:
    """What the card calls the trunk."""
    architecture = model.card.get("architecture") or {}
    return str(architecture.get("backbone") or architecture.get("network") or "a published network")


def _notice(model: Model, runtime: Runtime, sample: Sample) -> str:
    return "\n\n".join(
        (
            "A2-Nets: double attention networks, and an explorer for them.\nThis page, the canvas and the "
            "blocks: Apache License, Version 2.0, https://www.apache.org/licenses/LICENSE-2.0",
            f"Network: {model.name}. The weights of its trunk, {_trunk_of(model)}, were published by others; "
            "the package that they were taken from states no licence.",
            f"The picture that the page opens on: {sample.credit or 'as whoever built this site knows.'}",
            "Colour maps: magma and viridis by Stéfan van der Walt and Nathaniel Smith (CC0); cividis by "
            "Jamie Nuñez, Christopher Anderton and Ryan Renslow (PLOS ONE 13(7), 2018).",
            f"ONNX Runtime Web {runtime.version} (ort.mjs, {runtime.glue_name}, runtime.bin, {_GPU}):\n\n"
            f"{runtime.licence}",
        )
    )


def _service_worker(version: str, files: Mapping[str, bytes]) -> str:
    others = {name for of in _of_other_languages(files).values() for name in of}
    # The page keeps exemplars, after all else, and the lesson's page itself, when it is opened.
    others |= {name for name in files if _is_asked_for(name)}
    kept = ["./", *sorted(set(files) - {"index.html", *_NOT_KEPT, *others}), "index.html"]
    listed = ", ".join(json.dumps(name) for name in kept)
    return asset("sw.js").replace("A2-VERSION", version).replace('"A2-FILES"', listed)


def _of_other_languages(files: Iterable[str]) -> dict[str, list[str]]:
    """What each language but English needs beside the English files: its pages keep it for offline."""
    others = [language for language in LANGUAGES if language != ENGLISH]
    first = [name for name in files if not is_lesson(name)]
    return {language: sorted(name for name in first if f".{language}." in name) for language in others}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    """The list of files last: until it is there, what is new in the folder is not taken for a site."""
    for folder in {(out / name).parent for name in files}:
        folder.mkdir(parents=True, exist_ok=True)
    for name in (*(set(files) - {"site.json"}), "site.json"):
        write_atomically(out / name, files[name])
