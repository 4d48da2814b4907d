"""POST /v1/chat/completions: messages in the model's own template, answered freely or in a given form."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from playground.core.tokens import well_formed
from playground.engine.contract.constraints import Constraint
from playground.engine.contract.generation import GenerateStep
from playground.settings import Settings
from playground.v1 import writing
from playground.v1.asking import Asking
from playground.v1.fields import Fields
from playground.v1.forms import form
from playground.v1.refusals import bad_value
from playground.v1.tokens import Speller, in_rows, of_step
from playground.v1.tools import Tools, in_words, read_tools
from playground.v1.writing import MAX_TOP, Writing

Json = dict[str, Any]
FIELDS: Final = (
    *writing.FIELDS, "messages", "max_tokens", "max_completion_tokens", "logprobs", "top_logprobs", "tools",
    "tool_choice", "parallel_tool_calls", "response_format",
)  # fmt: skip
ROLES: Final = ("system", "developer", "user", "assistant", "tool")
MESSAGE: Final = ("role", "content", "name", "tool_calls", "tool_call_id", "refusal")
MAX_MESSAGES: Final = 256  # the template has words for each, and the window is of some thousand tokens
RESULT: Final = "The tool gave: {content}"


@dataclass(frozen=True, slots=True)
class Chat:
    """A request to answer messages.

    Attributes:
        writing: Settings of the draw.
        messages: Role and content of each, as the template takes them, with the tools in words.
        tools: Tools it may call, or None.
        constraint: Form of the answer, or None.
        has_logprobs: True tells each token's log-probability.
    """

    writing: Writing
    messages: tuple[Mapping[str, str], ...]
    tools: Tools | None
    constraint: Constraint | None
    has_logprobs: bool


def read(body: Mapping[str, Any], settings: Settings) -> Chat:
    """The request that a body says.

    Raises:
        Refused: A field is unknown, or its value cannot be.
    """
    fields = Fields(body, FIELDS)
    has_logprobs = fields.flag("logprobs")
    n_top = fields.whole("top_logprobs", 0, 0, MAX_TOP)
    if n_top and not has_logprobs:
        raise bad_value("top_logprobs", n_top, "0 without logprobs")
    most = settings.max_new_tokens
    name = "max_completion_tokens" if "max_completion_tokens" in fields else "max_tokens"
    made = Writing.read(fields, settings, fields.whole(name, most, 1, most), n_top)
    writing.check_rows(1, made.n, settings)
    tools = read_tools(fields)
    wanted = _form(fields)
    if tools is not None and wanted is not None:
        raise bad_value("response_format", "given with tools", "one of the two, or tool_choice none,")
    constraint = wanted if tools is None else tools.constraint
    messages = _messages(fields)
    if tools is not None:
        messages = _with_tools(messages, tools)
    return Chat(made, tuple(messages), tools, constraint, has_logprobs)


def _form(fields: Fields) -> Constraint | None:
    asked = fields.object("response_format", ("type", "json_schema"))
    if asked is None:
        return None
    kind = asked.choice("type", "", ("text", "json_object", "json_schema"))
    if kind == "text":
        return None
    if kind == "json_object":
        return form({"type": "object"})
    inner = asked.object("json_schema", ("name", "description", "schema", "strict"))
    schema = None if inner is None else inner.any("schema")
    if inner is None or not isinstance(schema, dict):
        raise bad_value("response_format.json_schema.schema", schema, "a JSON schema")
    return form(schema)


# ---- messages


def _messages(fields: Fields) -> list[dict[str, str]]:
    given = fields.any("messages")
    if given is None:
        fields.text("messages")
    if not isinstance(given, list) or not 0 < len(given) <= MAX_MESSAGES:
        n = f"a list of {len(given):,}" if isinstance(given, list) else given
        raise bad_value("messages", n, f"a list of messages, 1-{MAX_MESSAGES},")
    return [_message(number, one) for number, one in enumerate(given)]


def _message(number: int, given: object) -> dict[str, str]:
    where = f"messages[{number}]"
    if not isinstance(given, dict):
        raise bad_value(where, given, "an object with role and content")
    fields = Fields(given, MESSAGE, where)
    role = fields.choice("role", "", ROLES)
    content = _content(fields)
    calls = fields.any("tool_calls")
    if calls is not None:
        if not isinstance(calls, list):
            raise fields.refusal("tool_calls", "a list of calls")
        content = "\n".join(filter(None, [content, *map(in_words, calls)]))
    if role == "tool":
        return {"role": "user", "content": RESULT.format(content=content)}
    return {"role": "system" if role == "developer" else role, "content": content}


def _content(fields: Fields) -> str:
    given = fields.any("content")
    if given is None:
        return ""
    if isinstance(given, str):
        return well_formed(given)
    if not isinstance(given, list):
        raise fields.refusal("content", "a text or a list of parts of the type text")
    parts = []
    for part in given:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise bad_value(fields.name("content"), part, "parts of the type text: models here read text")
        parts.append(part["text"])
    return well_formed("".join(parts))


def _with_tools(messages: Sequence[dict[str, str]], tools: Tools) -> list[dict[str, str]]:
    """The messages, with the tools at the end of the system's."""
    first = messages[0]
    if first["role"] == "system":
        return [{"role": "system", "content": f"{first['content']}\n\n{tools.told}"}, *messages[1:]]
    return [{"role": "system", "content": tools.told}, *messages]


# ---- the answer


def answer(asked: Chat, asking: Asking) -> Iterator[Json]:
    """The parts of a stream, or the one whole answer."""
    info = asking.model(asked.writing.model)
    asking.require(info, "chat_template", "chat")
    ids = asking.engine.tokenizers.chat(asked.writing.model, asked.messages).input_ids
    speller = Speller(asking, info)
    kind = "chat.completion.chunk" if asked.writing.is_streamed else "chat.completion"
    frame = {
        "id": f"chatcmpl-{asking.request_id}", "object": kind, "created": int(time.time()),
        "model": asked.writing.model, "system_fingerprint": info.revision[:12],
    }  # fmt: skip
    steps = asked.writing.steps(asking, [ids], asked.constraint)
    if asked.writing.is_streamed:
        yield from _stream(asked, steps, speller, frame, len(ids))
    else:
        yield _whole(asked, steps, speller, frame, len(ids))


def _whole(
    asked: Chat, steps: Iterator[tuple[int, GenerateStep]], speller: Speller, frame: Json, n_read: int
) -> Json:
    written: list[list[GenerateStep]] = [[] for _text in range(asked.writing.n)]
    for which, step in steps:
        written[which].append(step)
    choices = []
    for which, own in enumerate(written):
        message, reason = _message_of(asked, own)
        logprobs = _logprobs(asked, own, speller)
        choices.append({"index": which, "message": message, "logprobs": logprobs, "finish_reason": reason})
    return frame | {"choices": choices, "usage": writing.usage(n_read, sum(map(len, written)))}


def _message_of(asked: Chat, steps: Sequence[GenerateStep]) -> tuple[Json, str]:
    """The message that was written, and the reason of its end."""
    text = "".join(step.text for step in steps)
    reason = writing.REASONS[steps[-1].finish_reason or "length"]
    message: Json = {"role": "assistant", "content": text, "refusal": None}
    if asked.tools is not None:
        content, calls = asked.tools.read(text)
        message["content"] = content
        if calls:
            message["tool_calls"], reason = calls, "tool_calls"
    return message, reason


def _logprobs(asked: Chat, steps: Sequence[GenerateStep], speller: Speller) -> Json | None:
    if not asked.has_logprobs:
        return None
    n_top = asked.writing.n_top
    rows = in_rows((of_step(step, n_top) for step in steps), speller)
    return {"content": rows, "refusal": None}


def _stream(
    asked: Chat, steps: Iterator[tuple[int, GenerateStep]], speller: Speller, frame: Json, n_read: int
) -> Iterator[Json]:
    """A part for each step; where tools may be called one for each text, when it is whole."""
    written: list[list[GenerateStep]] = [[] for _text in range(asked.writing.n)]
    for which, step in steps:
        own = written[which]
        if not own:
            yield _chunk(frame, which, {"role": "assistant", "content": ""}, None, None)
        own.append(step)
        if asked.tools is None:
            logprobs = _logprobs(asked, [step], speller)
            yield _chunk(frame, which, {"content": step.text}, logprobs, None)
        if step.finish_reason is not None:
            message, reason = _message_of(asked, own)
            if asked.tools is not None:
                yield _chunk(frame, which, _delta(message), _logprobs(asked, own, speller), None)
            yield _chunk(frame, which, {}, None, reason)
    if asked.writing.tells_usage:
        counts = writing.usage(n_read, sum(map(len, written)))
        yield frame | {"choices": [], "usage": counts}


def _delta(message: Json) -> Json:
    calls = message.get("tool_calls")
    if not calls:
        return {"content": message["content"]}
    return {"tool_calls": [{"index": number} | call for number, call in enumerate(calls)]}


def _chunk(frame: Json, which: int, delta: Json, logprobs: Json | None, reason: str | None) -> Json:
    return frame | {
        "choices": [{"index": which, "delta": delta, "logprobs": logprobs, "finish_reason": reason}]
    }
