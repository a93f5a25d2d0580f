"""What `import a2core` does not load, and what then says that it is missing."""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from pathlib import Path

import a2core
from a2core.tracing import graphs

HEAVY = ["timm", "torchvision", "av", "cv2", "scipy", "sklearn", "skimage", "matplotlib", "torch._dynamo"]
HEAVY += ["onnx", "onnxruntime", "onnxscript"]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_core_loads_no_library_that_only_some_of_it_needs():
    assert python(f"import sys, a2core; print([name for name in {HEAVY} if name in sys.modules])") == "[]"


def test_every_public_name_is_there_and_told():
    assert len(set(a2core.__all__)) == len(a2core.__all__)
    assert all(hasattr(a2core, name) for name in a2core.__all__)


def test_a_clip_without_its_decoder_is_refused_with_what_to_install():
    said = python(
        "import sys; sys.modules['av'] = None\n"
        "import a2core\n"
        "head = bytes.fromhex('00000020') + b'ftypisom' + bytes(200)\n"
        "try: a2core.read_media(head, name='film.mp4')\n"
        "except a2core.MediaError as error: print(error)"
    )
    assert "pip install 'a2nets[video]'" in said


def test_an_old_python_is_told_which_it_takes():
    # Only the first lines: whatever is imported after them may not even parse there.
    first = Path(a2core.__file__).read_text(encoding="utf-8").partition("from a2core.")[0]
    ast.parse(first, feature_version=(3, 7))
    said = python(
        "import sys; sys.version_info = (3, 9, 2)\n"
        "try: import a2core\n"
        "except ImportError as error: print(error)"
    )
    assert "3.11 or newer, and this is 3.9" in said


def test_nobodys_home_keeps_nothing_from_working(monkeypatch):
    monkeypatch.setattr(Path, "expanduser", lambda path: (_ for _ in ()).throw(RuntimeError("no home")))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert graphs.cache_folder().is_relative_to(tempfile.gettempdir())
