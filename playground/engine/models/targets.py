"""Tokens that every target of an encoder-decoder begins with, and those that it never holds."""

from __future__ import annotations

from typing import Any

from playground.engine.models.config_rules import INDEX, Rule, shown
from playground.engine.models.loaded import LoadedModel
from playground.errors import ConfigRefused


def target_start(loaded: LoadedModel) -> tuple[int, ...]:
    """The tokens before every target: the start token and, where the model is made so, a token after it.

    That is the language of the target in mBART, `<s>` in some BARTs.
    """
    forced = loaded.model.generation_config.forced_bos_token_id
    start = int(loaded.model.config.decoder_start_token_id)
    return (start,) if forced is None else (start, int(forced))


def never_written(loaded: LoadedModel) -> tuple[int, ...]:
    """Tokens that a target never goes on with: Marian's padding, which it was not trained to leave out."""
    return tuple(int(one[0]) for one in loaded.model.generation_config.bad_words_ids or ())


def check_writing(model_id: str, model: Any) -> None:  # noqa: ANN401  (transformers is untyped)
    """Refuse settings of how targets are written that the engine would get wrong.

    Args:
        model_id: Id of the model.
        model: An encoder-decoder of transformers.

    Raises:
        ConfigRefused: A token that is not there, or words of several tokens that are never to be written.
    """
    said, token = model.generation_config, _one_of_first(model.config.vocab_size)

    def fits(value: Any) -> bool:  # noqa: ANN401  (JSON)
        return isinstance(value, list) and len(value) == 1 and token.fits(value[0])

    words = Rule(f"[[{token.allowed}], …]", lambda value: isinstance(value, list) and all(map(fits, value)))
    for key, value, rule in (
        ("decoder_start_token_id", model.config.decoder_start_token_id, token),
        ("forced_bos_token_id", said.forced_bos_token_id, token.or_null()),
        ("bad_words_ids", said.bad_words_ids, words.or_null()),
    ):
        if not rule.fits(value):
            raise ConfigRefused(model_id=model_id, key=key, value=shown(value), allowed=rule.allowed)


def _one_of_first(n: int) -> Rule:
    return Rule(f"0, 1, …, {n - 1}", lambda value: INDEX.fits(value) and value < n)
