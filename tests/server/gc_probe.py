"""Run by test_server.py in a process of its own: our server around a small script, 20 reruns, counts as JSON.

The collector's own schedule is off, so every full collection that is counted was asked for after a rerun.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import uvicorn
from streamlit import config

from benchmarks.load_client import Reader
from playground import server
from playground.settings import Settings

SCRIPT = """
import streamlit as st
st.write(st.slider("x", 0.0, 1.0, 0.5, key="x"))
"""


async def _drag(port: int, n: int) -> list[list[str]]:
    shown = []
    async with Reader(f"http://127.0.0.1:{port}") as reader:
        for i in range(n):
            run = await reader.rerun(x=("double_array_value", [i / n]))
            shown.append([element.body for element in run.elements("markdown")])
    return shown


def _main() -> None:
    collections: list[dict[str, Any]] = []
    settings = Settings(device="cpu")
    listener = server.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # the configuration must be found from anywhere
        script = Path(folder) / "script.py"
        script.write_text(SCRIPT, "utf-8")
        capacity = server.capacity_of_this_process(settings)
        app = server.create_app(settings, capacity, script)
        # the engine is not what is measured here
        app._user_lifespan = None
        web = uvicorn.Server(server._uvicorn_config(app, settings, capacity))
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
        thread.start()
        asyncio.run(_drag(port, 1))
        gc.disable()
        gc.callbacks.append(lambda phase, info: collections.append(info) if phase == "start" else None)
        shown = asyncio.run(_drag(port, 20))
        web.should_exit = True
        thread.join()
    full = sum(info["generation"] == 2 for info in collections)
    names = (
        "runner.postScriptGC",
        "client.showErrorDetails",
        "browser.gatherUsageStats",
        "server.maxUploadSize",
    )
    options = {name: config.get_option(name) for name in names}
    sys.stdout.write(json.dumps({"full_collections": full, "shown": shown, "options": options}))


if __name__ == "__main__":
    _main()
