"""No reader reaches another's session, whatever messages one sends."""

from __future__ import annotations

import asyncio
import struct
import time

import pytest
from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest, BackMsg

from benchmarks.live_server import LiveServer
from benchmarks.load_client import Reader, Run
from playground.paths import PACKAGE
from playground.sessions import concerns_own_session, repaired

# --- what one may ask

TYPES = [field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields]


OPERATIONS = [field.name for field in BackendOperationRequest.DESCRIPTOR.oneofs_by_name["payload"].fields]


OF_ONE_SESSION = {
    "rerun_script",
    "stop_script",
    "file_urls_request",
    "app_heartbeat",
    "deferred_file",
    "dataframe_chunk",
}


OF_ALL = {
    "clear_cache",
    "load_git_info",
    "set_run_on_save",
    "debug_disconnect_websocket",
    "debug_shutdown_runtime",
    "install_skills",
    "dismiss_skills_nudge",
}


def _message(kind: str) -> BackMsg:
    message = BackMsg()
    if kind in OPERATIONS:
        getattr(message.backend_operation_request, kind).SetInParent()
    elif BackMsg.DESCRIPTOR.fields_by_name[kind].message_type:
        getattr(message, kind).SetInParent()
    else:
        setattr(message, kind, True)
    return message


def _typed(text: str) -> bytes:
    """What Streamlit's browser side sends of a text, halves of characters as JavaScript holds them."""
    letters = text.encode("utf-8", "surrogatepass")
    message = BackMsg()
    message.rerun_script.widget_states.widgets.add(id="text", string_value="a" * len(letters))
    message.rerun_script.widget_states.widgets.add(id="slider", double_value=_LIKE_HALF)
    return message.SerializeToString().replace(b"a" * len(letters), letters) if letters else b""


_LIKE_HALF = struct.unpack("<d", b"\0\0\xed\xa0\x80\0\0@")[0]  # a number with the bytes of half a character


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("안녕 \ud83d 세상", "안녕 \ufffd 세상"),
        ("\udc4d", "\ufffd"),
        ("\ud83d\ud83d끝\udfff", "\ufffd\ufffd끝\ufffd"),
    ],
)
def test_half_a_character_does_not_end_the_connection(text: str, read: str) -> None:
    with pytest.raises(DecodeError):
        BackMsg.FromString(_typed(text))
    widgets = BackMsg.FromString(repaired(_typed(text))).rerun_script.widget_states.widgets
    assert widgets[0].string_value == read


@pytest.mark.parametrize("text", ["", "힣 ퟿ \ud7ff \ue000 👍🏽", "\ufffd", "plain"])
def test_a_message_that_can_be_read_stays_as_it_is(text: str) -> None:
    assert repaired(_typed(text)) == _typed(text)
    assert repaired(b"no message") == b"no message"


def test_every_message_streamlit_knows_is_judged() -> None:
    assert {*TYPES, *OPERATIONS} - {"backend_operation_request"} == OF_ONE_SESSION | OF_ALL


@pytest.mark.parametrize("kind", sorted(OF_ONE_SESSION | OF_ALL))
def test_a_message_passes_only_if_it_concerns_its_own_session(kind: str) -> None:
    assert concerns_own_session(_message(kind)) is (kind in OF_ONE_SESSION)


def test_an_empty_message_and_a_request_for_a_million_places_do_not_pass() -> None:
    assert not concerns_own_session(BackMsg())
    assert not concerns_own_session(BackMsg(backend_operation_request=BackendOperationRequest()))
    many = BackMsg()
    many.file_urls_request.file_names.extend(["a"] * 101)
    assert not concerns_own_session(many)


async def _send(reader: Reader, message: BackMsg) -> None:
    assert reader._connection is not None
    await reader._connection.send(message.SerializeToString())


def _step_of_training(run: Run) -> int:
    lines = [line.body for line in run.elements("markdown") if "Training: step" in line.body]
    return int(lines[0].partition("Training: step ")[2].split()[0]) if lines else -1


async def _step_reached(reader: Reader, step: int, timeout_s: float = 120) -> None:
    ends_at = time.monotonic() + timeout_s
    seen = []
    while time.monotonic() < ends_at:
        seen.append(_step_of_training(await reader.tick()))
        if seen[-1] >= step:
            return
    raise AssertionError(f"training stands: {seen}")


async def _write(reader: Reader) -> str:
    run = await reader.rerun(sam_start=("trigger_value", True))
    return str([text.body for text in run.elements("text") if "│" in text.body][-1])


WRITING = "lang=en&sam_seed=3&sam_max_new_tokens=60&text=Once+upon+a+time"


async def _meddle(url: str) -> tuple[str, str]:
    """What one writes undisturbed, and what it writes while another sends all it can and a third trains."""
    async with (
        Reader(url, page="sampling", query=WRITING) as writer,
        Reader(url, page="finetuning", query="lang=en&fin_batch=1&fin_steps=60") as trainer,
    ):
        undisturbed = await _write(writer)
        await trainer.rerun(fin_start=("trigger_value", True))
        await _step_reached(trainer, 1)
        disturbed = await _disturbed(url, writer)
        await _step_reached(trainer, 3)
    return undisturbed, disturbed


async def _disturbed(url: str, writer: Reader) -> str:
    """What one writes while another, who goes on undisturbed, sends all it can."""
    async with Reader(url) as meddler:
        writing = asyncio.create_task(_write(writer))
        for kind in 3 * sorted(OF_ALL):
            await asyncio.sleep(0.05)
            await _send(meddler, _message(kind))
        written = await writing
        assert (await meddler.rerun()).n_messages > 0
    return written


@pytest.mark.real
def test_nothing_one_reader_sends_ends_anothers_writing_or_training(live: LiveServer) -> None:
    undisturbed, disturbed = asyncio.run(_meddle(live.url))
    assert disturbed == undisturbed
    assert len(undisturbed) > 100


@pytest.mark.real
def test_nothing_one_reader_sends_ends_anothers_writing_under_streamlit_run() -> None:
    with LiveServer.streamlit(PACKAGE / "app.py") as live:
        asyncio.run(_until_ready(live.url))
        undisturbed, disturbed = asyncio.run(_write_twice(live.url))
        assert disturbed == undisturbed


async def _write_twice(url: str) -> tuple[str, str]:
    async with Reader(url, page="sampling", query=WRITING) as writer:
        return await _write(writer), await _disturbed(url, writer)


async def _until_ready(url: str) -> None:
    ends_at = time.monotonic() + 180
    while time.monotonic() < ends_at:
        async with Reader(url, page="sampling") as reader:
            if "sam_start" in reader._ids:
                return
        await asyncio.sleep(0.5)
    raise TimeoutError(url)
