"""The chains of attack, answer, critique and revision that Alignment shows first, in English."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

N_RULES = 2  # of those that come with the playground


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Write the chains of all rules and the folder `constitution`."""
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        Settings(device="cpu", torch_threads=1, request_timeout_s=3_600, queue_timeout_s=3_600)
    )
    try:
        engine.trace(TraceRequest(DEFAULT_DECODER, "a"))  # loads it
        info = next(one for one in engine.models() if one.model_id == DEFAULT_DECODER)
        words = core.constitution("en")
        rules = words.rules[:N_RULES]
        asked = [(one.rule, attack) for one in rules for attack in one.attacks]
        found = chains_of(engine, words, asked)
    finally:
        engine.close()
    chains = {
        one.rule: tuple(
            chain for chain, (rule, _attack) in zip(found, asked, strict=True) if rule == one.rule
        )
        for one in rules
    }
    table = ShippedChains(info.model_id, info.revision, chains)
    (folder / FILE).write_text(written(table), "utf-8")
    say(f"{counted_all(table)}")
    seal_with_note(folder, script=__name__, seed=0, figures=asdict(counted_all(table)), file=FILE)


def counted_all(found: ShippedChains) -> ChainCounts:
    """All chains counted."""
    return counted([chain for each in found.chains.values() for chain in each])


def chains_of(engine: Engine, words: Constitution, asked: Sequence[tuple[str, str]]) -> list[Chain]:
    """The chain of each rule and attack, greedily, and what the model prefers."""
    chains = [Chain(attack) for _rule, attack in asked]
    for step in STEPS:
        requests = tuple(
            _request(engine, words, rule, one, step)
            for (rule, _attack), one in zip(asked, chains, strict=True)
        )
        texts = [""] * len(chains)
        for at, token in engine.generate_many(GenerateManyRequest(DEFAULT_DECODER, requests)):
            texts[at] += token.text
        chains = [with_text(one, step, text.strip() or "…") for one, text in zip(chains, texts, strict=True)]
    rules = [rule for rule, _attack in asked]
    return [_judged(engine, words, rule, one) for rule, one in zip(rules, chains, strict=True)]


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
