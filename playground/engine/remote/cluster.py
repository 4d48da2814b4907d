"""Ray: a head of our own or a cluster that is joined, and the replicas that Serve keeps on it.

Everything that Ray does is begun in one thread, which lives as long as the engine: the system ends the
processes of a head of our own with the thread that started them.
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import importlib
import json
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil

from playground import __version__
from playground.engine.remote.replica import MAX_CALLS, Replica
from playground.engine.remote.seats import Seat
from playground.errors import Message, MissingExtra, SetUpError
from playground.settings import Settings

log = logging.getLogger(__name__)
APP = "llm-playground"  # how Serve's applications begin; a replica is one
EXTRA = "pip install 'llm-playground[cluster]'"
# Settings of the web process alone, and those that a machine of a cluster has of its own.
_OF_THE_WEB = {
    "host", "port", "class_password", "base_path", "allowed_hosts", "trusted_proxies", "hf_token", "engine",
    "replicas", "gpus_per_replica", "ray_address", "object_store_bytes",
}  # fmt: skip
_OF_A_MACHINE = {"cache_dir", "cache_bytes", "model_bytes", "device", "dtype"}
_FOLDERS = "lp-ray-"  # Ray's sockets and logs, one folder for each process that started a head


class Cluster:
    """Ray's side of a web process.

    Attributes:
        seats: The places of the replicas; Serve puts a replica on each, and a new one where one has died.
        folder: Folder of a head of our own, with its sockets and logs; None on a cluster that was joined.

    Args:
        settings: How many replicas, with how many threads and GPUs, and where.

    Raises:
        MissingExtra: Ray is not installed.
        SetUpError: The cluster cannot be joined, or a head cannot be started.
    """

    def __init__(self, settings: Settings) -> None:
        _prepare(settings)
        try:
            importlib.import_module("ray.serve")
        except ImportError as error:
            raise MissingExtra(
                package="ray", cure=Message("Install it: {command}", (("command", EXTRA),))
            ) from error
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self.folder: Path | None = None
        self._started: Future[list[Seat]] = Future()
        self._thread = threading.Thread(target=self._run, name="ray", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # a server that is stopped while its replicas start
        self.seats = self._started.result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._begin()
            self._started.set_result(self._deployed())
        except BaseException as error:  # noqa: BLE001  (whoever waits for the start gets it)
            self._started.set_exception(error)
        else:
            self._loop.run_forever()
        finally:
            self._end()

    # ---- start

    def _begin(self) -> None:
        import ray

        for name in ("ray", "ray.serve"):
            logging.getLogger(name).setLevel(logging.ERROR)
        quiet = {"logging_level": logging.ERROR, "log_to_driver": False, "configure_logging": True}
        if ray.is_initialized():  # tests share one head
            return
        if self._settings.ray_address:
            try:
                ray.init(address=self._settings.ray_address, **quiet)
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise SetUpError(
                    reason=f"There is no Ray cluster at {self._settings.ray_address}.",
                    cure="Start one (ray start --head), or take RAY_ADDRESS out of the environment.",
                ) from error
            return
        self.folder = _own_folder()
        for is_last_try in (False, False, True):  # Ray allows a head 30 s, which is little on a busy machine
            try:
                ray.init(
                    address="local",
                    num_cpus=self._settings.replicas * self._threads,
                    include_dashboard=False,
                    object_store_memory=self._settings.object_store_bytes,
                    _temp_dir=str(self.folder),
                    **quiet,
                )
                return
            except Exception as error:
                ray.shutdown()
                if is_last_try:
                    log.exception("Ray's head cannot start")
                    cure = "The server's log says why. Without --engine ray no head is needed."
                    raise SetUpError(reason="Ray cannot start on this machine.", cure=cure) from error

    def _deployed(self) -> list[Seat]:
        """A seat for each replica: those that another web process has put there are shared."""
        from ray import serve
        from ray.serve.config import HTTPOptions
        from ray.serve.schema import LoggingConfig

        logs = LoggingConfig(log_level="WARNING", enable_access_log=False)
        serve.start(proxy_location="Disabled", http_options=HTTPOptions(), logging_config=logs)
        given = self._settings_of_a_replica()
        mark = hashlib.sha256(json.dumps([__version__, given], sort_keys=True).encode()).hexdigest()[:8]
        there = serve.status().applications
        deployment = serve.deployment(Replica, name="replica").options(
            num_replicas=1,
            max_ongoing_requests=MAX_CALLS,
            graceful_shutdown_timeout_s=2,
            health_check_period_s=5,
            health_check_timeout_s=60,
            ray_actor_options={"num_cpus": self._threads, "num_gpus": self._settings.gpus_per_replica},
            logging_config=logs,
        )
        names = [f"{APP}-{mark}-{number}" for number in range(self._settings.replicas)]
        new = [
            serve.RunTarget(deployment.bind(given), name=name, route_prefix=None)
            for name in names
            if name not in there
        ]
        if new:
            serve.run_many(new, wait_for_applications_running=False)
        return [Seat(name, serve.get_app_handle(name), self._loop, _is_death) for name in names]

    @property
    def _threads(self) -> int:
        cores = psutil.cpu_count(logical=False) or 1
        return self._settings.torch_threads or max(1, cores // self._settings.replicas)

    def _settings_of_a_replica(self) -> dict[str, Any]:
        """Settings for a replica; on another machine only those that are the same everywhere."""
        kept = set() if self.folder is not None else _OF_A_MACHINE
        given = self._settings.model_dump(mode="json", exclude=_OF_THE_WEB | kept)
        alias = {name: str(field.validation_alias or name) for name, field in Settings.model_fields.items()}
        return {alias[name]: value for name, value in given.items()} | {"torch_threads": self._threads}

    def check(self) -> None:
        """Refuse to wait for replicas that cannot start.

        Raises:
            SetUpError: Serve has given one up.
        """
        from ray import serve

        for name, app in serve.status().applications.items():
            if name.startswith(APP) and app.status == "DEPLOY_FAILED":
                log.error("a replica cannot start: %s", app.message)
                raise SetUpError(reason="The replicas cannot start.", cure="The server's log says why.")

    def put(self, value: object) -> object:
        """Put a value into the object store, where it outlives every replica; gives what stands for it."""
        import ray

        return ray.put(value)

    # ---- end

    def close(self) -> None:
        """Leave the cluster; a head of our own ends with all its processes and its folder."""
        atexit.unregister(self.close)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=20)

    def _end(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()
        if self.folder is not None:
            import ray

            ray.shutdown()
            for _attempt in range(20):  # a process that ends still writes its last lines
                shutil.rmtree(self.folder, ignore_errors=True)
                if not self.folder.exists():
                    break
                time.sleep(0.1)


def _prepare(settings: Settings) -> None:
    """Tell Ray, which reads this when it is imported, to say nothing to anybody.

    Only this machine may talk to a head of our own, and only processes that know its secret.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if not settings.ray_address:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # the loopback address, on Linux too
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _is_death(error: Exception) -> bool:
    from ray.exceptions import NodeDiedError, ObjectLostError, RayActorError, WorkerCrashedError
    from ray.serve.exceptions import DeploymentUnavailableError

    dead = RayActorError, WorkerCrashedError, NodeDiedError, ObjectLostError, DeploymentUnavailableError
    return isinstance(error, dead)


def _own_folder() -> Path:
    """A new folder for Ray; those of processes that were killed are removed."""
    short = Path("/tmp")  # a socket's path has 107 bytes at most, and that of a Mac's own folder is long
    place = short if short.is_dir() else Path(tempfile.gettempdir())
    for old in place.glob(f"{_FOLDERS}*"):
        process = old.name.removeprefix(_FOLDERS).partition("-")[0]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_FOLDERS}{os.getpid()}-", dir=place))
