"""The examination of `llm-playground doctor`: findings, each with its cure."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from playground import __version__
from playground.errors import SetUpError
from playground.paths import site_root
from playground.settings import Settings

if TYPE_CHECKING:
    from playground.engine.contract.models import CatalogueEntry

PACKAGES = (
    "streamlit", "torch", "transformers", "tokenizers", "safetensors", "numpy", "pandas", "altair", "bertviz"
)  # fmt: skip
NEEDED_MEMORY_BYTES = 2 * 10**9
NEEDED_DISK_BYTES = 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination.

    Attributes:
        topic: The thing examined.
        ok: False when the playground cannot start or its default model cannot answer; None for an optional
            thing that is missing.
        text: The state found.
        cure: The thing to do, "" when nothing is to be done.
    """

    topic: str
    ok: bool | None
    text: str
    cure: str = ""

    def line(self) -> str:
        """The finding as a line for the terminal.

        Example:
            >>> Finding("disk", False, "0.1 GB free", "Free some space.").line()
            'MISSING disk: 0.1 GB free. Free some space.'
        """
        end = f". {self.cure}" if self.cure else ""
        word = {True: "ok", False: "MISSING", None: "absent"}[self.ok]
        return f"{word:7} {self.topic}: {self.text}{end}"


def examine(settings: Settings | None = None) -> list[Finding]:
    """Every finding, in the order in which a reader would mend them."""
    findings = [_python(), *(_package(name) for name in PACKAGES), _site()]
    try:
        settings = settings or Settings()
    except SetUpError as error:  # what follows would examine another playground than the one that was meant
        cure = str(error.params["cure"])
        reason = str(error.params["reason"]).rstrip(".")
        return [*findings, Finding("settings", False, reason, cure), _memory()]
    findings.append(_device(settings))
    if findings[-1].text.startswith("cpu") or settings.device == "cpu":
        findings.append(_products(settings))
    findings.append(_teacher(settings))
    return [*findings, *_models(settings), _ray(settings), _memory(), _disk(settings.cache_dir), _chromium()]


def _python() -> Finding:
    return Finding("python", True, f"{platform.python_version()} on {platform.platform()}")


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed", "pip install llm-playground")


def _site() -> Finding:
    root = site_root()
    whole = (root / "pages").is_dir() and (root / ".streamlit" / "config.toml").is_file()
    cure = "" if whole else "Install the playground again."
    return Finding("playground", whole, f"{__version__}, pages in {root}", cure)


def _device(settings: Settings) -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a shared library of torch is missing
        return Finding("device", False, f"torch cannot be imported ({error})", "pip install torch")
    if torch.cuda.is_available():
        text = f"cuda, {torch.cuda.get_device_name()}"
    elif torch.backends.mps.is_available():
        text = "mps, Apple"
    else:
        text = f"cpu, {psutil.cpu_count(logical=False) or 1} cores"
    wanted = settings.device.partition(":")[0]
    here = wanted in ("auto", "cpu", text.partition(",")[0])
    cure = "" if here else "Set PLAYGROUND_DEVICE to auto or cpu."
    return Finding("device", here, f"{text} (PLAYGROUND_DEVICE={settings.device})", cure)


def _products(settings: Settings) -> Finding:
    """The products of a decode step that are the fastest on this processor, as far as they were timed."""
    from playground.engine.decoding import product_times

    machine = product_times.Machine.here(settings)
    path = machine.file(settings)
    times = product_times.read(path, machine)
    if not times:
        return Finding(
            "products", None, "not timed yet, which happens in a quiet moment after the first text"
        )
    return Finding("products", True, f"{product_times.summary(times)} rows, timed once, kept in {path}")


def _teacher(settings: Settings) -> Finding:
    if settings.teacher_password is not None:
        return Finding("teacher", True, "the page Classroom has a teacher's password")
    cure = "Add --teacher-password-file FILE to lead a class."
    return Finding("teacher", None, "no teacher's password", cure)


def _models(settings: Settings) -> list[Finding]:
    """Each model that is here or needed: whole to its last byte, or the command that brings it."""
    from playground.engine.models.catalogue import catalogue, model_folder

    entries = catalogue(settings).values()
    named = [
        entry
        for entry in entries
        if entry.model_id == settings.default_model
        or entry.source == "embedded"
        or model_folder(entry.model_id, settings).is_dir()
    ]
    more = Finding(
        "model", None, f"{len(entries) - len(named)} more can be brought", "llm-playground pull --help"
    )
    return [*(_model(entry, settings) for entry in named), more]


def _model(entry: CatalogueEntry, settings: Settings) -> Finding:
    from playground.engine.models.catalogue import model_folder
    from playground.engine.models.whole_folder import damage, is_model_folder

    folder = model_folder(entry.model_id, settings)
    cure = f"llm-playground pull {entry.model_id}"
    if not folder.is_dir():
        return Finding("model", False, entry.model_id, cure)
    damaged = damage(folder)
    if damaged or not is_model_folder(folder):
        return Finding(
            "model", False, f"{entry.model_id} is damaged ({damaged or 'files are missing'})", cure
        )
    return Finding("model", True, f"{entry.model_id} in {folder}")


def _ray(settings: Settings) -> Finding:
    """Ray's version, and the cluster or the head that the replicas would be on."""
    is_wanted = settings.engine == "ray"
    try:
        found = version("ray")
    except PackageNotFoundError:
        cure = "pip install 'llm-playground[cluster]'"
        return Finding("ray (only for replicas)", False if is_wanted else None, "not installed", cure)
    where = f"joins {settings.ray_address}" if settings.ray_address else "starts a head on this machine"
    text = f"{found}, --engine ray {where} for {settings.replicas} replicas"
    if settings.ray_address in ("", "auto") or _answers(settings.ray_address):
        return Finding("ray", True, text)
    cure = "Start the cluster (ray start --head), or take RAY_ADDRESS out of the environment."
    return Finding("ray", False if is_wanted else None, f"{text}; nobody answers there", cure)


def _answers(address: str) -> bool:
    """True if something listens on this address."""
    host, _colon, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except OSError:
        return False


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    enough = memory.available >= NEEDED_MEMORY_BYTES
    text = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free"
    return Finding("memory", enough, text, "" if enough else "Close other programs: about 2 GB are needed.")


def _disk(folder: Path) -> Finding:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(place, os.W_OK):
        cure = "Set PLAYGROUND_CACHE_DIR to a folder that this account may write to."
        return Finding("disk", False, f"{folder} cannot be written", cure)
    free = shutil.disk_usage(place).free
    enough = free >= NEEDED_DISK_BYTES
    text = f"{free / 1e9:.1f} GB free for {folder}"
    return Finding("disk", enough, text, "" if enough else "Free some space, or set PLAYGROUND_CACHE_DIR.")


def _chromium() -> Finding:
    from playground.chromium import find_chromium

    path = find_chromium()
    return Finding(
        "chromium (only for the project's own tests)", True if path else None, path or "none found"
    )
