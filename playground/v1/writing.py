"""Text that is written for a client: settings of the draw, and the rows of one request in one batch."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from playground.core.penalties import Penalties
from playground.core.sampling import Sampling
from playground.core.tokens import well_formed
from playground.engine.contract.constraints import Constraint
from playground.engine.contract.generation import (
    FinishReason,
    GenerateManyRequest,
    GenerateRequest,
    GenerateStep,
)
from playground.settings import Settings
from playground.v1.asking import Asking
from playground.v1.fields import Fields, list_of
from playground.v1.refusals import bad_value

MAX_TOP: Final = 20
SEEDS: Final = 2**64
FIELDS: Final = (
    "model", "n", "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty",
    "repetition_penalty", "seed", "stop", "stream", "stream_options", "user",
)  # fmt: skip
REASONS: Final[dict[FinishReason, str]] = {
    "stop": "stop", "end_of_text": "stop", "matched": "stop", "length": "length", "context_full": "length",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Writing:
    """Settings of a request that writes.

    Attributes:
        model: Id of the model.
        n: Number of texts for each prompt; the j-th has the seed `seed + j`.
        max_tokens: Most tokens of each.
        sampling, penalties, seed, stop: As in `GenerateRequest`.
        n_top: Alternatives of each token.
        is_streamed: True sends each step when it is there.
        tells_usage: True ends a stream with the counts.
    """

    model: str
    n: int
    max_tokens: int
    sampling: Sampling
    penalties: Penalties
    seed: int
    stop: tuple[str, ...]
    n_top: int
    is_streamed: bool
    tells_usage: bool

    @classmethod
    def read(cls, fields: Fields, settings: Settings, max_tokens: int, n_top: int) -> Writing:
        """The settings that both ways of writing have in common; their bounds are the engine's."""
        options = fields.object("stream_options", ("include_usage",))
        fields.text("user", "")
        return cls(
            fields.text("model"),
            fields.whole("n", 1, 1, settings.max_continuations),
            max_tokens,
            Sampling(
                temperature=fields.number("temperature", 1.0), top_k=fields.whole("top_k", 0, 0, 10**7),
                top_p=fields.number("top_p", 1.0), min_p=fields.number("min_p", 0.0),
            ),
            Penalties(
                fields.number("repetition_penalty", 1.0), fields.number("presence_penalty", 0.0),
                fields.number("frequency_penalty", 0.0),
            ),
            fields.whole("seed", secrets.randbits(53), 0, SEEDS - 1),
            _stop(fields),
            max(1, n_top),
            fields.flag("stream"),
            options is not None and options.flag("include_usage"),
        )  # fmt: skip

    def steps(
        self, asking: Asking, prompts: Sequence[tuple[int, ...]], constraint: Constraint | None = None
    ) -> Iterator[tuple[int, GenerateStep]]:
        """(number of the text, its next step), as they are computed; texts are counted prompt by prompt.

        Args:
            asking: The request that is answered.
            prompts: Token ids of each prompt.
            constraint: Form of each text.
        """
        requests = tuple(
            GenerateRequest(
                self.model, input_ids=ids, sampling=self.sampling, penalties=self.penalties,
                seed=(self.seed + place) % SEEDS, max_new_tokens=self.max_tokens, stop=self.stop,
                n_top=self.n_top, constraint=constraint,
            )
            for ids in prompts
            for place in range(self.n)
        )  # fmt: skip
        many = GenerateManyRequest(
            self.model, requests, owner=asking.owner, topic=asking.topic, request_id=asking.request_id
        )
        asking.n_tokens += sum(map(len, prompts))
        for which, step in asking.engine.generate_many(many, asking.check):
            asking.check()
            asking.n_tokens += 1
            yield which, step


def _stop(fields: Fields) -> tuple[str, ...]:
    stop = fields.any("stop")
    if stop is None:
        return ()
    if isinstance(stop, str):
        return (well_formed(stop),)
    if not list_of(stop, str):
        raise fields.refusal("stop", "a text or a list of texts")
    return tuple(map(well_formed, stop))


def check_rows(n_prompts: int, n: int, settings: Settings) -> None:
    """Refuse more texts than one request may have."""
    limit = settings.max_continuations
    if not 0 < n_prompts * n <= limit:
        allowed = f"1-{limit} texts (prompts times n) in one request"
        raise bad_value("prompt", f"{n_prompts} prompts with n {n}", allowed)


def usage(n_read: int, n_written: int) -> dict[str, int]:
    """Counts of tokens, as clients read them."""
    return {"prompt_tokens": n_read, "completion_tokens": n_written, "total_tokens": n_read + n_written}
