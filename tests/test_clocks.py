"""No test measures time: that is for benchmarks (`bench_*.py`), and no limit grows with the load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Stopwatches and the machine's load. Deadlines for waiting (time.monotonic) may be: they are for what hangs.
MEASURING = re.compile(r"\b(?:perf_counter|process_time|getloadavg|mark\.alone)\b|\btime\.time\(")
TESTS = sorted(path for path in HERE.rglob("*.py") if not path.name.startswith("bench_"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(HERE)))
def test_a_test_does_not_depend_on_how_long_something_takes(path: Path) -> None:
    if path != Path(__file__):
        assert MEASURING.findall(path.read_text(encoding="utf-8")) == []
