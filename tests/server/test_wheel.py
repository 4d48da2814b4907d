"""The wheel runs from an empty folder."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from benchmarks.live_server import LiveServer, free_port
from benchmarks.load_client import Reader

ROOT = Path(__file__).resolve().parents[2]


# --- the wheel


@pytest.mark.real
def test_the_wheel_runs_from_an_empty_folder_and_ends_quietly(tmp_path: Path) -> None:
    """Built without a network, unpacked elsewhere, started where no file of the project is near.

    SIGTERM comes while a reader is connected.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(tmp_path), str(ROOT)]
    subprocess.run([*pip, *build], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-index", "--no-compile", "--target", str(site), str(wheel)],
        check=True,
    )
    env = {"PYTHONPATH": str(site)}
    where = subprocess.run(
        [sys.executable, "-c", "from playground.paths import site_root; print(site_root())"],
        capture_output=True, text=True, check=True, cwd=empty, env=os.environ | env,
    )  # fmt: skip
    assert where.stdout.strip() == str(site / "playground" / "_site")
    port = free_port()
    command = [
        sys.executable,
        str(site / "bin" / "llm-playground"),
        "run",
        "--no-browser",
        "--port",
        str(port),
    ]
    with LiveServer(command, port, env=env, cwd=empty) as live:
        live.wait_ready()
        with urllib.request.urlopen(live.url + "/assets/fonts/OFL.txt") as answer:
            assert b"SIL OPEN FONT LICENSE" in answer.read()
        with urllib.request.urlopen(live.url + "/api/ready") as answer:
            assert json.load(answer)["state"] == "ready"
        assert asyncio.run(_end_with_a_reader(live)) == 0
        assert "Traceback" not in live.log()
        assert "rror" not in live.log()


async def _end_with_a_reader(live: LiveServer) -> int:
    async with Reader(live.url):
        live.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(live.process.wait, 20)
