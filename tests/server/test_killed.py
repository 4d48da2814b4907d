"""The server is killed in the middle of a training and started again: its readers go on where they were."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from pathlib import Path

import pytest
from websockets.exceptions import WebSocketException

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader
from playground.engine.models.catalogue import model_folder
from playground.engine.models.whole_folder import damage
from playground.settings import DEFAULT_DECODER, Settings
from tests.server.test_sessions import _step_reached

TEXT = "The old captain waited at the harbour"
SETTINGS = "lang=en&fin_steps=57&fin_batch=1&text=The+old+captain+waited+at+the+harbour"

pytestmark = pytest.mark.real


def files_below(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()
    }


def text_of(reader: Reader) -> str:
    chips = [one for one in reader.first.sent if one.key == "token_chips"]
    return str(json.loads(chips[-1].element.json)["text"])


def _n_steps(reader: Reader) -> float:
    """The slider as it is drawn: from the link it comes as a value beside the default."""
    slider = reader.controls["fin_steps"]
    return float((slider.value if slider.set_value else slider.default)[0])


async def _train_until(url: str, live: LiveServer) -> str:
    """Train, have the server killed meanwhile; the session that the tab had."""
    async with Reader(url, "finetuning", SETTINGS) as reader:
        share = json.loads(reader.controls["share"].json)
        assert _n_steps(reader) == 57
        await reader.rerun(fin_start=("trigger_value", True))
        await _step_reached(reader, 2)
        live.process.send_signal(signal.SIGKILL)
        live.process.wait(60)
        with pytest.raises((ConnectionError, WebSocketException)):  # the browser's sign to try again
            await _tick_until_lost(reader)
        return str(share["session"])


async def _tick_until_lost(reader: Reader) -> None:
    while True:
        await reader.tick()


async def _come_back(url: str, session: str) -> tuple[float, str]:
    """Load the link anew, as the browser does: the setting and the sentence that the page shows."""
    async with Reader(url, "finetuning", SETTINGS, before=session) as reader:
        steps = _n_steps(reader)
        assert "fin_start" in reader.controls, "one may train again"
    async with Reader(url, "", f"lang=en&text={TEXT.replace(' ', '+')}") as reader:
        return steps, text_of(reader)


def test_killed_in_a_training_and_started_again(tmp_path: Path, real_settings: Settings) -> None:
    whole = model_folder(DEFAULT_DECODER, real_settings)
    cache = tmp_path / "cache"
    shutil.copytree(whole, cache / "models" / whole.name, copy_function=_link)
    settings = Settings(cache_dir=cache, device="cpu", HF_HUB_OFFLINE=True)
    env = {"PLAYGROUND_CACHE_DIR": str(cache), "HF_HUB_OFFLINE": "1"}
    assert model_folder(DEFAULT_DECODER, settings).is_dir()
    with LiveServer.playground(env=env) as live:
        live.wait_ready()
        session = asyncio.run(_train_until(live.url, live))
        port = live.url.rpartition(":")[2]
    assert damage(model_folder(DEFAULT_DECODER, settings)) == ""
    again = LiveServer(live._command, int(port), env=env)
    with again:
        again.wait_ready()
        steps, text = asyncio.run(_come_back(again.url, session))
        assert "Traceback" not in again.log()
    assert (steps, text) == (57, TEXT)
    kept = files_below(cache)
    assert not [name for name in kept if "partial" in name and not name.endswith(".lock")], kept
    for name in kept:
        if name.startswith("products"):
            json.loads((cache / name).read_text("utf-8"))


def _link(source: str, target: str) -> None:
    Path(target).symlink_to(source)
