"""A text read in windows: what is asked of the model, what is known already, and the answers put together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from playground.core.metrics.perplexity import Cost, Window, cost, joined, windows
from playground.core.predictions import Predictions
from playground.core.tokens import Tokenization, join
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture, TraceRequest
from playground.ui import compute, state
from playground.ui.expected import N_EXPECTED
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _

AT_ONCE = 1_536  # tokens that are read without a click
TOGETHER = 256  # tokens, about, that share a forward pass: a click on Stop ends after one
N_KNOWN = 8_192
Known = tuple[str, str, int]  # model, revision, hash of the tokens that were read

_known: OrderedDict[Known, None] = OrderedDict()


@dataclass(frozen=True)
class Text:
    """A text as a model reads it.

    Attributes:
        context: The model, and the text.
        tokens: Its tokens, behind the start token where the model has one.
        has_start: Whether it has; else nothing is before the first token, which has no probability.
        n_left_out: Tokens beyond the limit, which are not read.
    """

    context: PageContext
    tokens: Tokenization
    has_start: bool
    n_left_out: int

    @property
    def most_context(self) -> int:
        """Most tokens that can be before the one that the model is asked about."""
        return max(1, min(len(self.tokens), limit(self.context)) - 1)

    @property
    def start_ids(self) -> list[int]:
        """Ids of the tokens in front of the text."""
        return list(self.tokens.input_ids[: self.tokens.special.index(False)])

    @property
    def n_before(self) -> int:
        """UTF-8 bytes of the text before those that have a probability."""
        return 0 if self.has_start else len(self.tokens.token_bytes[0])

    @property
    def scored_bytes(self) -> bytes:
        """UTF-8 bytes of the tokens that have a probability."""
        if self.has_start and not self.n_left_out:
            return self.context.text.encode()
        return b"".join(self.tokens.token_bytes[1:])

    def cost(self, logprobs: NDArray[np.float64]) -> Cost:
        """Cost of all tokens after the first. Shape of `logprobs`: [token - 1]."""
        return cost(logprobs, self.scored_bytes)


@dataclass(frozen=True)
class Plan:
    """The windows of a text, and how much of it is read for them.

    Attributes:
        text: The text.
        context, stride: As `core.metrics.perplexity.windows` took them.
        parts: The windows.
        begins: Tokens from which on the text is read: where the windows begin, perhaps more.
        length: Most tokens that are read from each.
    """

    text: Text
    context: int
    stride: int
    parts: tuple[Window, ...]
    begins: tuple[int, ...]
    length: int

    def ids(self, begin: int) -> tuple[int, ...]:
        """The tokens that are read from here on."""
        return self.text.tokens.input_ids[begin : begin + self.length]

    def key(self, begin: int) -> Known:
        """Key of a reading: no other has the same."""
        model = self.text.context.model
        return model.model_id, model.revision, hash(self.ids(begin))

    @property
    def unknown(self) -> list[int]:
        """Those of the begins that nobody has asked this process for."""
        return [begin for begin in self.begins if self.key(begin) not in _known]

    @property
    def n_unknown_tokens(self) -> int:
        """Tokens of those."""
        return sum(len(self.ids(begin)) for begin in self.unknown)


@dataclass(frozen=True)
class Reading:
    """A text read in windows.

    Attributes:
        plan: The windows.
        traces: Each begin -> the model's predictions from there on.
    """

    plan: Plan
    traces: dict[int, Trace]

    @property
    def text(self) -> Text:
        """The text."""
        return self.plan.text

    @cached_property
    def logprobs(self) -> NDArray[np.float64]:
        """Log-probability of each token after the first, nats. Shape [token - 1]."""
        return self.under(self.plan.parts)

    @cached_property
    def whole(self) -> NDArray[np.float64] | None:
        """The same with all tokens before as context; None where no window is as long. Shape [token - 1]."""
        read = _of(self.traces[0]).logprobs
        return read.astype(np.float64) if len(read) == len(self.text.tokens) - 1 else None

    @property
    def best(self) -> tuple[tuple[Window, ...], NDArray[np.float64]]:
        """The windows with the most context that are known, and `logprobs` under them."""
        if self.whole is None:
            return self.plan.parts, self.logprobs
        return (Window(0, len(self.text.tokens), 1),), self.whole

    def under(self, parts: tuple[Window, ...]) -> NDArray[np.float64]:
        """Log-probabilities under other windows whose begins are among these. Shape [token - 1]."""
        return joined(parts, {one.begin: _of(self.traces[one.begin]).logprobs for one in parts})

    def predictions(self, most: int | None = None) -> Predictions:
        """Predictions at each token, or at the first ones, from the window that asks about it."""
        reads = [(one, _of(self.traces[one.begin])) for one in self.plan.parts]
        rows = [slice(one.first - 1 - one.begin, one.end - 1 - one.begin) for one, _read in reads]
        pairs = [(read, row) for (_one, read), row in zip(reads, rows, strict=True)]
        return Predictions(
            np.concatenate([read.top_ids[row] for read, row in pairs])[:most],
            np.concatenate([read.top_logprobs[row] for read, row in pairs])[:most],
            np.concatenate([read.entropy_bits[row] for read, row in pairs])[:most],
            np.concatenate([read.logprobs[row] for read, row in pairs])[:most],
            np.concatenate([read.ranks[row] for read, row in pairs])[:most],
        )


def limit(context: PageContext) -> int:
    """Most tokens that the model reads at once."""
    most = state.settings().max_tokens
    return min(most, context.model.n_ctx or most)


def read_text(context: PageContext) -> Text:
    """Cut a text and put the start token before it; what is beyond the limit is left out.

    Args:
        context: The model, and the text.
    """
    tokenizers, model_id = compute.tokenizers(), context.model.model_id
    tokens = tokenizers.tokenize(model_id, context.text, add_special_tokens=True)
    n_start = next((place for place, special in enumerate(tokens.special) if not special), 0)
    start_id = tokenizers.info(model_id).start_id
    if n_start == 0 and start_id is not None:
        name = compute.token_texts(context, np.array([start_id]))
        start = Tokenization(model_id, "", (start_id,), name, (b"",), ((0, 0),), (True,))
        tokens, n_start = join([start, tokens]), 1
    most = state.settings().max_measured_tokens
    n_left_out = max(0, len(tokens) - most)
    return Text(context, cut(tokens, most), n_start > 0, n_left_out)


def cut(tokens: Tokenization, most: int) -> Tokenization:
    """The first tokens of a text."""
    return replace(
        tokens,
        input_ids=tokens.input_ids[:most],
        tokens=tokens.tokens[:most],
        token_bytes=tokens.token_bytes[:most],
        offsets=tokens.offsets[:most],
        special=tokens.special[:most],
    )


def plan(text: Text, context: int, stride: int) -> Plan:
    """The windows of a text; where it is quick, all is read on to its end: then any context is known.

    Args:
        text: The text.
        context, stride: As `core.metrics.perplexity.windows` takes them.
    """
    n, most = len(text.tokens), limit(text.context)
    parts, every = windows(n, context, stride), tuple(range(0, n - 1, stride))
    if sum(min(most, n - begin) for begin in every) <= AT_ONCE:
        return Plan(text, context, stride, parts, every, most)
    return Plan(text, context, stride, parts, tuple(one.begin for one in parts), context + 1)


def read(one: Plan, words: str) -> Reading:
    """Ask the model from every begin on, with a bar where something is not known; a click ends it.

    Args:
        one: The windows.
        words: Message of the bar.
    """
    unknown = one.unknown
    total = one.n_unknown_tokens
    model = one.text.context.model
    bar = Progress("windows", model.model_id, total, words) if unknown else None
    done, traces = 0, dict[int, Trace]()
    for begins in _together(one):
        requests = [
            TraceRequest(model.model_id, capture=Capture(predictions=N_EXPECTED), input_ids=one.ids(begin))
            for begin in begins
        ]
        found = compute.traces_together(one.text.context, requests, topic="court")
        traces |= zip(begins, found, strict=True)
        for begin in begins:
            _remember(one.key(begin))
        if bar is not None:
            done += sum(len(one.ids(begin)) for begin in begins if begin in unknown)
            told = _("{done} of {total} windows").format(done=len(traces), total=len(one.begins))
            bar.draw(done, told)
    return Reading(one, traces)


def _together(one: Plan) -> Iterator[list[int]]:
    """The begins of windows that share a forward pass, about `TOGETHER` tokens each."""
    begins, n_tokens, most = list[int](), 0, state.settings().max_traces_together
    for begin in one.begins:
        n = len(one.ids(begin))
        if begins and (n_tokens + n > TOGETHER or len(begins) == most):
            yield begins
            begins, n_tokens = [], 0
        begins.append(begin)
        n_tokens += n
    if begins:
        yield begins


def _remember(key: Known) -> None:
    _known[key] = None
    while len(_known) > N_KNOWN:
        _known.popitem(last=False)


def _of(trace: Trace) -> Predictions:
    assert trace.predictions is not None
    return trace.predictions
