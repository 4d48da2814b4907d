"""A server process on a free port of this machine, for tests and benchmarks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveServer:
    """Start a command, wait until it answers, stop it with SIGTERM.

    Attributes:
        url: Where it answers, without a slash at the end.
        process: The running process.
        answered_s: Seconds from its start to the first answer of the port.
    """

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answered_s = 0.0
        self.started_at = 0.0
        self._command, self._env, self._cwd = list(command), {**os.environ, **(env or {})}, cwd
        self._folder = tempfile.TemporaryDirectory(prefix="live-server-")
        self._log = Path(self._folder.name) / "log.txt"
        self.process: subprocess.Popen[str]

    @classmethod
    def playground(
        cls, *options: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> LiveServer:
        """`llm-playground run` with these options."""
        port = free_port()
        command = [str(Path(sys.executable).with_name("llm-playground")), "run", "--no-browser"]
        return cls([*command, "--port", str(port), *options], port, env=env, cwd=cwd)

    @classmethod
    def streamlit(cls, script: Path) -> LiveServer:
        """Stock `streamlit run` with Streamlit's own defaults: the peer of the benchmarks."""
        port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
        quiet = ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
        return cls([*command, *quiet], port, cwd=script.parent)

    def __enter__(self) -> Self:
        self.started_at = time.perf_counter()
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                self._command, env=self._env, cwd=self._cwd, stdout=log, stderr=subprocess.STDOUT, text=True
            )
        try:
            self._wait_for_port(300)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.answered_s = time.perf_counter() - self.started_at
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def stop(self, timeout_s: float = 60) -> int:
        """SIGTERM, and its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def log(self) -> str:
        """Everything it wrote so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self, timeout_s: float = 300) -> None:
        """Until the default model has answered once."""
        ends_at = time.monotonic() + timeout_s
        while time.monotonic() < ends_at:
            try:
                with urllib.request.urlopen(f"{self.url}/api/ready", timeout=10):
                    return
            except urllib.error.HTTPError as error:
                startup = json.load(error)
                if startup["state"] == "failed":
                    raise RuntimeError(startup["message"]) from error
            except TimeoutError:
                continue  # the processor is elsewhere
            time.sleep(0.1)
        raise TimeoutError(f"not ready within {timeout_s} s:\n{self.log()}")

    def _wait_for_port(self, timeout_s: float) -> None:
        """A connection is not enough: the kernel queues it before the server can answer."""
        ends_at = time.monotonic() + timeout_s
        while time.monotonic() < ends_at:
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with code {self.process.returncode}:\n{self.log()}")
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=10):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.01)
        raise TimeoutError(f"no answer within {timeout_s} s:\n{self.log()}")
