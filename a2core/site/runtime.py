"""ONNX Runtime Web, where npm has put it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from a2core.errors import A2Error

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"  # as in package.json: a test holds the two together
_SCRIPT, _GLUE, _WASM = "ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"
# The same for a graphics card: of those who have one alone.
_GPU_SCRIPT, _GPU_GLUE, _GPU_WASM = (
    "ort.jspi.min.mjs",
    "ort-wasm-simd-threaded.jspi.mjs",
    "ort-wasm-simd-threaded.jspi.wasm",
)
_LICENCE = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclass(frozen=True)
class Runtime:
    """What a page needs of it: its script, the script that starts the WebAssembly, and that itself."""

    version: str
    script: bytes
    glue: bytes
    wasm: bytes
    gpu_script: bytes
    gpu_glue: bytes
    gpu_wasm: bytes
    licence: str = _LICENCE
    glue_name: str = _GLUE  # by which its threads look for it
    gpu_glue_name: str = _GPU_GLUE


def find_runtime(folder: Path | None = None) -> Runtime:
    """The package at `folder`, or where `npm ci` puts it: in the folder at hand, or beside a2core.

    Raises:
        A2Error: it is not there, not whole, or of another version.
    """
    places = [Path.cwd() / "node_modules" / PACKAGE, Path(__file__).parents[2] / "node_modules" / PACKAGE]
    if folder is not None:
        places = [folder]
    home = next((place for place in places if (place / "package.json").is_file()), None)
    how = "Run npm ci where package.json is"
    if home is None:
        raise A2Error(f"{PACKAGE} is not in {places[0]}. {how}, or name the package's folder with --runtime.")
    try:
        version = str(json.loads((home / "package.json").read_text(encoding="utf-8"))["version"])
        names = (_SCRIPT, _GLUE, _WASM, _GPU_SCRIPT, _GPU_GLUE, _GPU_WASM)
        script, glue, wasm, *gpu = ((home / "dist" / name).read_bytes() for name in names)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise A2Error(f"The package {PACKAGE} in {home} is not whole. {how} again.") from error
    if version != VERSION:
        raise A2Error(f"{PACKAGE} in {home} is {version}, and the site is made for {VERSION}. {how} again.")
    return Runtime(version, _plain(script), _plain(glue), wasm, _plain(gpu[0]), _plain(gpu[1]), gpu[2])


def _plain(script: bytes) -> bytes:
    """Without the address of a source map, which is not part of a site."""
    lines = script.split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(b"//# sourceMappingURL="))
