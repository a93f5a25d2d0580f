"""Three replicas behind nginx: visitors stay with one, one replica is killed, the others go on. By hand.

    python -m tests.load.bench_replicas          (nginx has to be installed)

Starts three explorers and nginx with deploy/nginx.conf at addresses of this machine. Each visitor, without
a browser (`visitor`), drops a photo of their own, which works only where page, upload and websocket meet the
same replica. Then the replica that has most visitors is killed; who was elsewhere drops another photo on the
page that is open; who was there comes again, with the same cookie.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path

from tests.load import files
from tests.load.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
REPLICAS, VISITORS = 3, 9
MAIN = """pid {0}/nginx.pid; error_log {0}/error.log; worker_processes 1;
events {{ worker_connections 512; }}
http {{ client_body_temp_path {0}/1; proxy_temp_path {0}/2; fastcgi_temp_path {0}/3; uwsgi_temp_path {0}/4;
scgi_temp_path {0}/5; include {0}/site.conf; }}
"""


class Replica:
    """One explorer of this tree, on ports of its own."""

    def __init__(self) -> None:
        self.port, self.metrics = free_port(), free_port()
        settings = {"A2_METRICS_PORT": str(self.metrics), "A2_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
        command = f"-m viz_app --port {self.port} --address 127.0.0.1 --server.headless true"
        self.process = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=ROOT,
            env={**os.environ, **settings},
            stderr=subprocess.DEVNULL,
        )

    async def up(self) -> None:
        """Until it says that it is well."""
        while True:
            try:
                await asyncio.to_thread(read, f"http://127.0.0.1:{self.port}/_stcore/health")
                return
            except OSError:
                await asyncio.sleep(0.5)

    def number(self, name: str) -> int:
        """One of its numbers."""
        found = re.search(
            rf"^a2_{name} (\S+)$", read(f"http://127.0.0.1:{self.metrics}/metrics"), re.MULTILINE
        )
        return int(float(found[1])) if found else 0


def free_port() -> int:
    """One that nothing listens at."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def read(address: str) -> str:
    """What is answered."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def configured(folder: Path, replicas: list[Replica], port: int) -> Path:
    """deploy/nginx.conf with addresses of this machine, and what stands round it."""
    site = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for number, replica in enumerate(replicas, 1):
        site = site.replace(f"explorer{number}:8501", f"127.0.0.1:{replica.port}")
    site = site.replace("listen 8080", f"listen 127.0.0.1:{port}").replace(
        "/dev/stdout", f"{folder}/access.log"
    )
    (folder / "site.conf").write_text(site, encoding="utf-8")
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder), encoding="utf-8")
    return main


async def drop(visitor: Visitor, number: int) -> None:
    """A photo of their own, and its maps."""
    had = len(visitor.keys)
    await visitor.upload(f"photo-{number}.jpg", files.photo(number, 800, 600))
    await visitor.until(lambda: len(visitor.keys) > had)


async def walk(url: str, replicas: list[Replica]) -> None:
    """Everything in turn, printed."""
    visitors = [Visitor(url) for _ in range(VISITORS)]
    for visitor in visitors:
        await visitor.__aenter__()
    for number, visitor in enumerate(visitors):
        await visitor.stand()
        await drop(visitor, number)
    spread = [replica.number("visitors") for replica in replicas]
    print(f"{VISITORS} visitors, each with a photo of their own: by replica {spread}, faults "
          f"{[fault for visitor in visitors for fault in visitor.faults]}")  # fmt: skip
    gone = replicas[spread.index(max(spread))]
    gone.process.send_signal(signal.SIGKILL)
    gone.process.wait()
    await asyncio.sleep(2)
    here = [visitor for visitor in visitors if not visitor.gone]
    away = [visitor for visitor in visitors if visitor.gone]
    print(f"one replica killed: {len(away)} lost their connection, {len(here)} did not")
    for number, visitor in enumerate(here):
        await drop(visitor, 100 + number)
    print(f"{len(here)} went on where they were, each with another photo")
    back = []
    for number, visitor in enumerate(away):
        again = Visitor(url)
        again._cookies = visitor._cookies
        await again.__aenter__()
        await again.stand()
        await drop(again, 200 + number)
        back.append(again)
    left = [replica.number("visitors") for replica in replicas if replica is not gone]
    print(f"{len(back)} came again with their cookie, and dropped a photo: by replica {left}, faults "
          f"{Counter(fault for visitor in back for fault in visitor.faults)}")  # fmt: skip
    for visitor in (*here, *back):
        await visitor.leave()


async def main() -> None:
    """Start everything, walk, and end everything."""
    replicas = [Replica() for _ in range(REPLICAS)]
    with tempfile.TemporaryDirectory(prefix="a2-replicas-") as kept:
        port = free_port()
        proxy = subprocess.Popen(
            ["nginx", "-c", str(configured(Path(kept), replicas, port)), "-g", "daemon off;"]
        )
        try:
            for replica in replicas:
                await replica.up()
            await walk(f"http://127.0.0.1:{port}", replicas)
        finally:
            for process in (proxy, *(replica.process for replica in replicas)):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    asyncio.run(main())
