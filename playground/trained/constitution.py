"""The chains of attack, answer, critique and revision that Alignment shows first, in English."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from playground.core import constitution as core
from playground.core.constitution import Constitution
from playground.core.constitution_chains import (
    FILE,
    FOLDER,
    MAX_TOKENS,
    STEPS,
    Chain,
    ChainCounts,
    ShippedChains,
    counted,
    with_text,
    written,
)
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import TraceRequest
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.note import seal_with_note


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Write the chains of all rules and the folder `constitution`."""
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(Settings(device="cpu"))
    try:
        engine.trace(TraceRequest(DEFAULT_DECODER, "a"))  # loads it
        info = next(one for one in engine.models() if one.model_id == DEFAULT_DECODER)
        words = core.constitution("en")
        chains = {one.rule: chains_of(engine, words, one.rule, one.attacks) for one in words.rules}
    finally:
        engine.close()
    found = ShippedChains(info.model_id, info.revision, chains)
    (folder / FILE).write_text(written(found), "utf-8")
    say(f"{counted_all(found)}")
    seal_with_note(folder, script=__name__, seed=0, figures=asdict(counted_all(found)), file=FILE)


def counted_all(found: ShippedChains) -> ChainCounts:
    """All chains counted."""
    return counted([chain for each in found.chains.values() for chain in each])


def chains_of(engine: Engine, words: Constitution, rule: str, attacks: tuple[str, ...]) -> tuple[Chain, ...]:
    """The chains of a rule, greedily, and what the model prefers."""
    chains = [Chain(one) for one in attacks]
    for step in STEPS:
        asked = tuple(_request(engine, words, rule, one, step) for one in chains)
        texts = [""] * len(chains)
        for at, token in engine.generate_many(GenerateManyRequest(DEFAULT_DECODER, asked)):
            texts[at] += token.text
        chains = [with_text(one, step, text.strip() or "…") for one, text in zip(chains, texts, strict=True)]
    return tuple(_judged(engine, words, rule, one) for one in chains)


def _request(engine: Engine, words: Constitution, rule: str, chain: Chain, step: str) -> GenerateRequest:
    messages: tuple[tuple[str, str], ...] = (("user", chain.attack),)
    if step == "critique":
        messages = core.critique_messages(words, rule, chain.attack, chain.answer)
    if step == "revision":
        messages = core.revision_messages(words, rule, chain.attack, chain.answer, chain.critique)
    ids = _ids(engine, messages)
    return GenerateRequest(
        DEFAULT_DECODER, input_ids=ids, sampling=GREEDY, max_new_tokens=MAX_TOKENS, n_top=1
    )


def _judged(engine: Engine, words: Constitution, rule: str, chain: Chain) -> Chain:
    if chain.pair is None:
        return chain
    both = core.choices(words, rule, chain.attack, chain.answer, chain.revision)
    request = ScoreRequest(
        DEFAULT_DECODER, tuple(_ids(engine, (("user", one),)) for one in both), (core.CHOICES,) * 2
    )
    found = {at: (one.logprobs[0], one.logprobs[1]) for at, one in engine.score(request)}
    value = round(core.prefers_revision(found[0], found[1]), 4)
    return Chain(chain.attack, chain.answer, chain.critique, chain.revision, value)


def _ids(engine: Engine, messages: tuple[tuple[str, str], ...]) -> tuple[int, ...]:
    spoken = [{"role": role, "content": text} for role, text in messages]
    return engine.tokenizers.chat(DEFAULT_DECODER, spoken).input_ids
