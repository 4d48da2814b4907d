"""Pairs and prompts as a model reads them, against its own chat template."""

from __future__ import annotations

from itertools import pairwise

import pytest

from playground.core.files.training_rows import TrainingRow
from playground.core.preferences.pair import PreferencePair
from playground.core.preferences.shipped import shipped_pairs
from playground.engine.local.engine import LocalEngine
from playground.engine.training.direct_preferences import most_pair_tokens
from playground.engine.training.preference_texts import PairCutter
from tests import tiny


def cutter(engine: LocalEngine, model: str, max_tokens: int) -> PairCutter:
    loaded = engine.adapters.load(model).result(timeout=60)
    return PairCutter(loaded, engine.tokenizers, max_tokens)


@pytest.mark.real
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_shipped_pair_is_read_whole_as_the_template_frames_it(
    real_engine: LocalEngine, language: str
) -> None:
    model = real_engine.settings.default_model
    loaded = real_engine.adapters.load(model).result(timeout=60)
    library = loaded.tokenizer.tokenizer
    assert most_pair_tokens(real_engine.settings, loaded.info) == 320
    given = shipped_pairs(language)
    for pair, found in zip(given, real_engine.preferences.examples(model, given), strict=True):
        messages = [{"role": "user", "content": pair.prompt}]
        before = library.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        assert library.decode(found.prompt_ids) == before
        for ids, answer in ((found.chosen_ids, pair.chosen), (found.rejected_ids, pair.rejected)):
            assert library.decode(ids) == answer + library.eos_token
        assert found.n_cut == 0
    [prompt] = real_engine.preferences.prompts(model, [given[0].prompt])
    assert prompt.prompt_ids == real_engine.preferences.examples(model, given[:1])[0].prompt_ids


def test_a_model_without_a_template_reads_lines(tiny_engine: LocalEngine) -> None:
    [found] = tiny_engine.preferences.examples(tiny.LLAMA, [PreferencePair("the cat", "sat", "on the mat")])
    loaded = tiny_engine.adapters.load(tiny.LLAMA).result(timeout=60)

    def spelled(ids: tuple[int, ...]) -> str:
        return b"".join(map(loaded.tokenizer.token_bytes, ids)).decode()

    assert list(map(spelled, (found.prompt_ids, found.chosen_ids, found.rejected_ids))) == [
        "the cat\n", "sat", "on the mat",
    ]  # fmt: skip
    assert {found.chosen_ids[-1], found.rejected_ids[-1]} == set(loaded.tokenizer.eos_ids)


@pytest.mark.real
def test_a_pair_is_read_as_a_conversation_that_is_trained(
    real_engine: LocalEngine, tiny_engine: LocalEngine
) -> None:
    pair = shipped_pairs("ko")[0]
    for engine in (real_engine, tiny_engine):
        model = engine.settings.default_model
        [found] = engine.preferences.examples(model, [pair])
        rows = [
            TrainingRow(messages=(("user", pair.prompt), ("assistant", answer)))
            for answer in (pair.chosen, pair.rejected)
        ]
        for text, answer in zip(
            engine.training.texts(model, rows), (found.chosen_ids, found.rejected_ids), strict=True
        ):
            read = (*found.prompt_ids, *answer)
            assert text.input_ids[: len(read)] == read[: len(text.input_ids)]
            trained = [place for place, is_trained in enumerate(text.is_trained) if is_trained]
            assert trained[0] == len(found.prompt_ids)
            assert text.n_cut or found.n_cut or trained[-1] == len(read) - 1


def test_what_is_too_long_loses_its_end_and_says_how_much(tiny_engine: LocalEngine) -> None:
    pair = PreferencePair("the cat sat " * 20, "the dog " * 3, "on the mat " * 40)
    whole = cutter(tiny_engine, tiny.LLAMA, 10**6).pair(pair)
    lengths = []
    for limit in (90, 60, 30):
        cut = cutter(tiny_engine, tiny.LLAMA, limit).pair(pair)
        assert cut.n_tokens <= limit
        assert cut.n_cut == whole.n_tokens - cut.n_tokens
        assert whole.prompt_ids[: len(cut.prompt_ids) - 2] == cut.prompt_ids[:-2], "the frame's end stays"
        assert whole.chosen_ids[: len(cut.chosen_ids)] == cut.chosen_ids
        assert whole.rejected_ids[: len(cut.rejected_ids)] == cut.rejected_ids
        lengths.append((len(cut.prompt_ids), len(cut.rejected_ids)))
    assert all(a > b for more, less in pairwise(lengths) for a, b in zip(more, less, strict=True))
    short = cutter(tiny_engine, tiny.LLAMA, 90).pair(pair)
    assert short.chosen_ids == whole.chosen_ids, "a short answer stays whole"
