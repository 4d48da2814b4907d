"""Validates requests before they are queued."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Protocol

from playground.engine.contract.beams import BeamsRequest
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.limits import check_limits
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.models.continuations import Ids, cut_targets, cut_together
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.targets import target_start
from playground.errors import BadValue, EmptyText, TextTooLong, TooManyTokens, Unsupported
from playground.settings import Settings

MAX_ALTERNATIVES = 64
MAX_TOP = 1_000


class ReadsText(Protocol):
    """A request that reads one text: as it is, or as token ids."""

    @property
    def text(self) -> str:
        """The text to read; ignored when `input_ids` is given."""

    @property
    def input_ids(self) -> Ids | None:
        """Token ids to use as they are, or None."""


def _whole(name: str, given: Iterable[int], last: int) -> tuple[int, ...]:
    """The same as plain ints; refuses all but whole numbers from 0 to `last`."""
    numbers = tuple(given)
    if not all(isinstance(one, Integral) and type(one) is not bool and 0 <= one <= last for one in numbers):
        raise BadValue(name=name, value=str(numbers[:8]), allowed=f"0-{last}")
    return tuple(map(int, numbers))


def check_places(given: Iterable[int], n_tokens: int) -> tuple[int, ...]:
    """The same positions as plain ints; refuses those that a text of so many tokens has not."""
    return _whole("positions", given, n_tokens - 1)


def _longest(loaded: LoadedModel, n_text: int, n_more: int) -> int:
    """Tokens that one stack reads at once: text and continuation, or the longer of source and target."""
    if loaded.info.kind == "encoder-decoder":
        return max(n_text, len(target_start(loaded)) + n_more)
    return n_text + n_more


class RequestChecks:
    """Validates a request to a loaded model."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check_text(self, text: str) -> None:
        """Refuse a text of more characters than allowed."""
        if len(text) > self._settings.max_text_chars:
            raise TextTooLong(limit=self._settings.max_text_chars, got=len(text))

    def input_ids(
        self, request: ReadsText, loaded: LoadedModel, cut: Callable[[str], Ids] | None = None
    ) -> tuple[int, ...]:
        """The token ids to read; refuses none, unknown ones and too many.

        Args:
            request: Its `text` is cut where it has no `input_ids`.
            loaded: The model.
            cut: Gives the token ids of a text; None: as the model reads any text.
        """
        given = request.input_ids
        if given is None:
            self.check_text(request.text)
            if not request.text:
                raise EmptyText
            given = (cut or loaded.tokenizer.encode)(request.text)
        if not len(given):
            raise EmptyText
        limit = min(self._settings.max_tokens, loaded.info.n_ctx or self._settings.max_tokens)
        if len(given) > limit:
            raise TooManyTokens(limit=limit, got=len(given))
        return self.known_ids(given, loaded)

    def known_ids(self, given: Sequence[int], loaded: LoadedModel) -> tuple[int, ...]:
        """The same ids; refuses those that the model has no embedding for."""
        return _whole("input_ids", given, loaded.info.d_vocab - 1)

    def check_n_top(self, n_top: int) -> None:
        """Refuse a number of tokens that nobody shows."""
        check_limits({"n_top": (n_top, 1, MAX_TOP)})

    def lens(self, request: LensRequest, loaded: LoadedModel) -> tuple[int, ...]:
        """The token ids to read; refuses a position that is not there, and more than all positions allow."""
        ids = self.input_ids(request, loaded)
        check_limits({"n_top": (request.n_top, 1, loaded.info.d_vocab)})
        if request.position is not None:
            check_limits({"position": (request.position, 0, len(ids) - 1)})
            return ids
        positions = range(len(ids)) if request.positions is None else request.positions
        _whole("positions", positions, len(ids) - 1)
        self.check_all_heads(len(positions))
        return ids

    def beams(self, request: BeamsRequest, loaded: LoadedModel) -> tuple[int, ...]:
        """The token ids to continue; refuses settings that cannot be, and a search that keeps too much."""
        check_limits(
            {
                "n_beams": (request.n_beams, 1, self._settings.max_beams),
                "length_penalty": (request.length_penalty, -10.0, 10.0),
                "max_new_tokens": (request.max_new_tokens, 1, self._settings.max_new_tokens),
            }
        )
        self.require_writing(loaded)
        ids = self.input_ids(request, loaded)
        n_tokens = len(ids) + request.max_new_tokens
        self.check_window(_longest(loaded, len(ids), request.max_new_tokens), loaded)
        most = self._settings.max_beam_tokens
        if request.n_beams * n_tokens > most:
            limit = max(0, most // request.n_beams - request.max_new_tokens)
            raise TooManyTokens(limit=limit, got=len(ids))
        return ids

    def decoder_ids(self, request: TraceRequest, loaded: LoadedModel) -> tuple[int, ...]:
        """The start of the target of an encoder-decoder model, () for the others."""
        if loaded.info.kind != "encoder-decoder":
            return ()
        given = request.decoder_ids
        if given is None:
            self.check_text(request.decoder_text)
            given = loaded.tokenizer.encode(request.decoder_text, add_special_tokens=False)
        ids = target_start(loaded) + self.known_ids(given, loaded)
        self.check_window(len(ids), loaded)
        if request.capture.attentions:
            self.check_all_heads(len(ids))
        if request.capture.logits == "all":
            self._check_logits(len(ids), loaded)
        return ids

    def scored(self, request: ScoreRequest, loaded: LoadedModel) -> list[tuple[Ids, tuple[Ids, ...]]]:
        """Token ids of every text and of its candidates; refuses empty ones, too many and too long ones."""
        self.require_writing(loaded)
        most = self._settings.max_scored_texts
        if not 0 < len(request.texts) <= most:
            raise BadValue(name="texts", value=len(request.texts), allowed=f"1-{most}")
        following = request.following or ("",) * len(request.texts)
        for name, lists in (("len(candidates)", request.candidates), ("len(following)", following)):
            if len(lists) != len(request.texts):
                raise BadValue(name=name, value=len(lists), allowed=str(len(request.texts)))
        each = zip(request.texts, request.candidates, following, strict=True)
        return [self._scored(*one, loaded) for one in each]

    def _scored(
        self, text: str | Ids, candidates: tuple[str, ...], following: str, loaded: LoadedModel
    ) -> tuple[Ids, tuple[Ids, ...]]:
        """Token ids of one text and of its candidates."""
        if not 0 < len(candidates) <= self._settings.max_candidates:
            allowed = f"1-{self._settings.max_candidates}"
            raise BadValue(name="candidates", value=len(candidates), allowed=allowed)
        if not text or not all(candidates):
            raise EmptyText
        limit, longest = self._settings.max_prompt_chars, max(map(len, candidates)) + len(following)
        n_chars = longest + (len(text) if isinstance(text, str) else 0)
        if n_chars > limit:
            raise TextTooLong(limit=limit, got=n_chars)
        if loaded.info.kind == "encoder-decoder":
            ids = loaded.tokenizer.encode(text) if isinstance(text, str) else text
            cut = cut_targets(loaded.tokenizer, candidates, following)
        elif isinstance(text, str):
            ids, cut = cut_together(loaded.tokenizer, text, candidates, following)
        else:
            ids = text
            cut = tuple(loaded.tokenizer.encode(one, add_special_tokens=False) for one in candidates)
        self._check_scored(ids, cut, loaded)
        return self.known_ids(ids, loaded), cut

    def _check_scored(self, ids: Ids, candidates: tuple[Ids, ...], loaded: LoadedModel) -> None:
        if not ids or not all(candidates):
            raise EmptyText
        n_tokens = _longest(loaded, len(ids), max(map(len, candidates)))
        limit = min(self._settings.max_prompt_tokens, loaded.info.n_ctx or n_tokens)
        if n_tokens > limit:
            raise TooManyTokens(limit=limit, got=n_tokens)
        n_nodes, limit = len(ids) + sum(map(len, candidates)), 2 * self._settings.max_prompt_tokens
        if n_nodes > limit:
            raise TooManyTokens(limit=limit, got=n_nodes)

    def capture(self, capture: Capture, loaded: LoadedModel, n_tokens: int) -> Capture:
        """The same in one spelling; refuses what the model has not, and all heads of too many tokens."""
        for wanted, capability in (
            (capture.attentions, "attentions"),
            (capture.hidden_states, "hidden_states"),
            (capture.logits, "fill" if "fill" in loaded.info.capabilities else "logits"),
            (capture.query_key, "query_key"),
            (capture.block_outputs, "query_key"),
            (capture.predictions, "generate"),
        ):
            if wanted:
                self.require(loaded, capability)
        for name, wanted, allowed in (
            ("attentions", capture.attentions, ("uint8", "float32")),
            ("logits", capture.logits, ("last", "all")),
        ):
            if wanted is not None and wanted not in allowed:
                raise BadValue(name=name, value=repr(wanted), allowed=", ".join(allowed))
        start, stop = capture.window or (0, n_tokens)
        if capture.window:
            start, stop = _whole("window", capture.window, n_tokens)
            if start >= stop:
                raise BadValue(name="window", value=f"{start}-{stop}", allowed=f"0-{n_tokens}")
        if capture.attentions:
            self.check_all_heads(stop - start)
        if capture.logits == "all" and loaded.info.kind != "encoder-decoder":
            self._check_logits(n_tokens, loaded)
        if capture.query_key and 0 < loaded.info.seen_whole < n_tokens:
            raise TooManyTokens(limit=loaded.info.seen_whole, got=n_tokens)
        layers = capture.hidden_states
        if layers is not None and layers != "all":
            layers = _whole("hidden_states", layers, loaded.info.n_layer)
        check_limits({"predictions": (capture.predictions, 0, MAX_ALTERNATIVES)})
        return replace(
            capture,
            hidden_states=layers,
            window=(start, stop) if capture.window else None,
            predictions=min(capture.predictions, loaded.info.d_vocab),
        )

    def _check_logits(self, n_tokens: int, loaded: LoadedModel) -> None:
        """Refuse more tokens than all logits of each are kept for."""
        limit = self._settings.max_logits_bytes // (4 * max(1, loaded.info.d_vocab))
        if n_tokens > limit:
            raise TooManyTokens(limit=limit, got=n_tokens)

    def check_all_heads(self, n_tokens: int) -> None:
        """Refuse more tokens than all heads are kept for."""
        limit = self._settings.max_tokens_all_heads
        if n_tokens > limit:
            raise TooManyTokens(limit=limit, got=n_tokens)

    def require(self, loaded: LoadedModel, capability: str) -> None:
        """Refuse a model that cannot do it."""
        if capability not in loaded.info.capabilities:
            raise Unsupported(model_id=loaded.info.model_id, capability=capability)

    def require_writing(self, loaded: LoadedModel) -> None:
        """Refuse a model that writes neither a continuation nor, with a text as its source, a target."""
        if "generate_target" not in loaded.info.capabilities:
            self.require(loaded, "generate")

    def check_window(self, n_tokens: int, loaded: LoadedModel) -> None:
        """Refuse more tokens than the model's context window."""
        limit = loaded.info.n_ctx or self._settings.max_tokens
        if n_tokens > limit:
            raise TooManyTokens(limit=limit, got=n_tokens)
