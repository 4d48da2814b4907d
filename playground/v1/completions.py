"""POST /v1/completions: texts go on, with their tokens' log-probabilities, also those of the prompt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from playground.core.tokens import well_formed
from playground.engine.contract.generation import GenerateStep
from playground.engine.contract.traces import Capture, TraceManyRequest, TraceRequest
from playground.settings import Settings
from playground.v1 import writing
from playground.v1.asking import Asking
from playground.v1.fields import Fields, list_of
from playground.v1.refusals import bad_value
from playground.v1.tokens import Scored, Speller, in_columns, of_prompt, of_step
from playground.v1.writing import MAX_TOP, Writing

Ids = tuple[int, ...]
FIELDS: Final = (*writing.FIELDS, "prompt", "max_tokens", "logprobs", "echo", "best_of")
DEFAULT_TOKENS: Final = 16  # OpenAI's


@dataclass(frozen=True, slots=True)
class Completion:
    """A request to continue texts.

    Attributes:
        writing: Settings of the draw.
        prompts: Each a text, or the model's token ids.
        n_logprobs: Alternatives that are told of each token; None: no log-probabilities.
        is_echoed: True puts the prompt before its continuation.
    """

    writing: Writing
    prompts: tuple[str | Ids, ...]
    n_logprobs: int | None
    is_echoed: bool


def read(body: Mapping[str, Any], settings: Settings) -> Completion:
    """The request that a body says.

    Raises:
        Refused: A field is unknown, or its value cannot be.
    """
    fields = Fields(body, FIELDS)
    n_logprobs = fields.whole("logprobs", 0, 0, MAX_TOP) if "logprobs" in fields else None
    is_echoed = fields.flag("echo")
    low = 0 if is_echoed else 1
    max_tokens = fields.whole("max_tokens", DEFAULT_TOKENS, low, settings.max_new_tokens)
    made = Writing.read(fields, settings, max_tokens, n_logprobs or 1)
    fields.whole("best_of", made.n, made.n, made.n)
    prompts = _prompts(fields)
    writing.check_rows(len(prompts), made.n, settings)
    return Completion(made, prompts, n_logprobs, is_echoed)


def _prompts(fields: Fields) -> tuple[str | Ids, ...]:
    given = fields.any("prompt")
    if isinstance(given, str):
        return (fields.text("prompt"),)
    if list_of(given, int) and given:
        return (tuple(given),)
    if list_of(given, str):
        return tuple(map(well_formed, given))
    if list_of(given, list) and all(list_of(one, int) for one in given):
        return tuple(map(tuple, given))
    if given is None:
        fields.text("prompt")
    raise fields.refusal("prompt", "a text, a list of texts, token ids, or a list of lists of token ids")


def _check_ids(prompts: Sequence[str | Ids], d_vocab: int) -> None:
    """Refuse token ids that the model has not."""
    for prompt in prompts:
        for token_id in prompt if isinstance(prompt, tuple) else ():
            if not 0 <= token_id < d_vocab:
                raise bad_value("prompt", token_id, f"token ids from 0 to {d_vocab - 1:,}")


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt as the model reads it, and as it is echoed."""

    text: str
    ids: Ids
    scored: Sequence[Scored] = ()


def answer(asked: Completion, asking: Asking) -> Iterator[dict[str, Any]]:
    """The parts of a stream, or the one whole answer."""
    info = asking.model(asked.writing.model)
    asking.require(info, "generate", "continue a text")
    _check_ids(asked.prompts, info.d_vocab)
    prompts = _cut(asked, asking)
    speller = Speller(asking, info)
    frame = {
        "id": f"cmpl-{asking.request_id}", "object": "text_completion", "created": int(time.time()),
        "model": asked.writing.model, "system_fingerprint": info.revision[:12],
    }  # fmt: skip
    if asked.writing.is_streamed:
        yield from _stream(asked, asking, prompts, speller, frame)
    else:
        yield _whole(asked, asking, prompts, speller, frame)


def _cut(asked: Completion, asking: Asking) -> list[_Prompt]:
    """The prompts as tokens, and what the model made of them where that is asked."""
    tokenizers, model = asking.engine.tokenizers, asked.writing.model
    prompts = []
    for given in asked.prompts:
        if isinstance(given, str):
            ids = tokenizers.tokenize(model, given, add_special_tokens=True).input_ids
            prompts.append(_Prompt(given, ids))
        else:
            prompts.append(_Prompt("", given))
    if not asked.is_echoed:
        return prompts
    scored: list[Sequence[Scored]] = [()] * len(prompts)
    if asked.n_logprobs is not None:
        scored = _scores(asked, asking, [one.ids for one in prompts])
    return [
        _Prompt(one.text or tokenizers.text_of(model, one.ids), one.ids, known)
        for one, known in zip(prompts, scored, strict=True)
    ]


def _scores(asked: Completion, asking: Asking, texts: list[Ids]) -> list[Sequence[Scored]]:
    """Every prompt's tokens with their log-probabilities, as many together as the engine takes."""
    model, n_top, most = asked.writing.model, asked.n_logprobs or 0, asking.settings.max_traces_together
    capture = Capture(predictions=max(1, n_top))
    found: list[Sequence[Scored]] = []
    for start in range(0, len(texts), most):
        asking.check()
        together = tuple(
            TraceRequest(model, input_ids=ids, capture=capture) for ids in texts[start : start + most]
        )
        many = TraceManyRequest(
            model, together, owner=asking.owner, topic=asking.topic, request_id=asking.request_id
        )
        found += [of_prompt(trace, n_top) for trace in asking.engine.trace_many(many, asking.check)]
    return found


def _steps(
    asked: Completion, asking: Asking, prompts: Sequence[_Prompt]
) -> Iterator[tuple[int, GenerateStep]]:
    if asked.writing.max_tokens:
        yield from asked.writing.steps(asking, [one.ids for one in prompts])
    else:
        asking.n_tokens += sum(len(one.ids) for one in prompts)


def _whole(
    asked: Completion, asking: Asking, prompts: Sequence[_Prompt], speller: Speller, frame: dict[str, Any]
) -> dict[str, Any]:
    n = asked.writing.n
    steps: list[list[GenerateStep]] = [[] for _text in range(n * len(prompts))]
    for which, step in _steps(asked, asking, prompts):
        steps[which].append(step)
    choices = []
    for which, written in enumerate(steps):
        prompt = prompts[which // n]
        before = prompt.text if asked.is_echoed else ""
        logprobs = None
        if asked.n_logprobs is not None:
            scored = [*prompt.scored, *(of_step(step, asked.n_logprobs) for step in written)]
            logprobs = in_columns(scored, speller, 0 if asked.is_echoed else len(prompt.text))
        reason = written[-1].finish_reason if written else "length"
        choices.append(
            {
                "index": which, "text": before + "".join(step.text for step in written),
                "logprobs": logprobs, "finish_reason": writing.REASONS[reason or "length"],
            }
        )  # fmt: skip
    n_read = sum(len(one.ids) for one in prompts)
    return frame | {"choices": choices, "usage": writing.usage(n_read, sum(map(len, steps)))}


def _stream(
    asked: Completion, asking: Asking, prompts: Sequence[_Prompt], speller: Speller, frame: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    n, n_written = asked.writing.n, 0
    lengths = [len(prompts[which // n].text) for which in range(n * len(prompts))]
    if asked.is_echoed:
        for which in range(n * len(prompts)):
            prompt = prompts[which // n]
            logprobs = in_columns(prompt.scored, speller) if asked.n_logprobs is not None else None
            reason = None if asked.writing.max_tokens else "length"
            yield frame | {"choices": [_part(which, prompt.text, logprobs, reason)]}
    for which, step in _steps(asked, asking, prompts):
        logprobs = None
        if asked.n_logprobs is not None:
            logprobs = in_columns([of_step(step, asked.n_logprobs)], speller, lengths[which])
        lengths[which] += len(step.text)
        n_written += 1
        reason = writing.REASONS[step.finish_reason] if step.finish_reason else None
        yield frame | {"choices": [_part(which, step.text, logprobs, reason)]}
    if asked.writing.tells_usage:
        n_read = sum(len(one.ids) for one in prompts)
        yield frame | {"choices": [], "usage": writing.usage(n_read, n_written)}


def _part(which: int, text: str, logprobs: dict[str, Any] | None, reason: str | None) -> dict[str, Any]:
    return {"index": which, "text": text, "logprobs": logprobs, "finish_reason": reason}
