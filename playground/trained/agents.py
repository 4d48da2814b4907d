"""The runs that the page Agents shows before anybody starts one: five strategies on twelve problems, and a gallery.

The model is the embedded one, greedy; the loop is the one of the page. Problems that are at the same turn share a
batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from playground.core.agents.loop import Loop, Reply
from playground.core.agents.problems import problems, world_of
from playground.core.agents.record import STRATEGIES, Run, Setup
from playground.core.agents.recorded import FILE, FOLDER, Recorded, measured, table, written
from playground.core.agents.strategies import Ask
from playground.core.sampling import GREEDY
from playground.engine import create_engine
from playground.engine.contract.constraints import Constraint
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.traces import TraceRequest
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.note import seal_with_note

SEED = 0  # of the draw; greedy, so it decides nothing
LANGUAGES = ("en", "ko")
_SETTINGS = Settings(device="cpu", torch_threads=1)


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Run everything and write the folder `agents`."""
    engine = create_engine(_SETTINGS)
    told: list[Recorded] = []
    try:
        for group in groups(engine, LANGUAGES):
            told += group
            say(str(measured(group)))
    finally:
        engine.close()
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(written(told), "utf-8")
    figures = {
        f"{one.strategy}_{'constrained' if one.constrained else 'free'}_{one.language}": float(one.n_right)
        for language in LANGUAGES
        for one in table(told, language)
    }
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures, file=FILE)


def groups(
    engine: Engine, languages: Sequence[str], strategies: Sequence[str] = STRATEGIES
) -> Iterator[list[Recorded]]:
    """The runs of each strategy, without and with a constraint, on all problems."""
    model = _ready(engine)
    for language in languages:
        asked = problems(language)
        for strategy in STRATEGIES:
            for constrained in (False, True):
                if strategy not in strategies:
                    continue
                setups = [
                    Setup(one.question, strategy, constrained=constrained, language=language) for one in asked
                ]
                runs = together(engine, model, setups)
                yield [
                    Recorded("problem", one.problem_id, model.model_id, model.revision, run)
                    for one, run in zip(asked, runs, strict=True)
                ]


def together(engine: Engine, model: ModelInfo, setups: Sequence[Setup]) -> list[Run]:
    """Runs side by side: each waits for the turn of the others."""
    loops = [Loop(setup, world_of(setup.language)) for setup in setups]
    while open_now := [(loop, loop.move) for loop in loops if isinstance(loop.move, Ask)]:
        asks = [move for _loop, move in open_now if isinstance(move, Ask)]
        for (loop, _move), reply in zip(open_now, replies(engine, model, asks), strict=True):
            loop.give(reply)
    return [run for loop in loops if (run := loop.run()) is not None]


def replies(engine: Engine, model: ModelInfo, asks: Sequence[Ask]) -> list[Reply | None]:
    """The model's text for each request, in one batch; None where a prompt does not fit."""
    limit = min(_SETTINGS.max_tokens, model.n_ctx or _SETTINGS.max_tokens)
    prompts = [
        engine.tokenizers.tokenize(model.model_id, ask.prompt, add_special_tokens=True).input_ids
        for ask in asks
    ]
    fitting = [
        place for place, ids in enumerate(prompts) if len(ids) + asks[place].n_new <= limit
    ]
    found: list[Reply | None] = [None] * len(asks)
    if not fitting:
        return found
    requests = tuple(_request(model, asks[place], prompts[place]) for place in fitting)
    texts, ids = {place: "" for place in fitting}, {place: [] for place in fitting}  # type: ignore[var-annotated]
    begun_at = time.monotonic()
    for row, step in engine.generate_many(GenerateManyRequest(model.model_id, requests)):
        texts[fitting[row]] += step.text
        ids[fitting[row]].append(step.token_id)
    seconds = (time.monotonic() - begun_at) / len(fitting)
    for place in fitting:
        found[place] = Reply(texts[place], tuple(prompts[place]), tuple(ids[place]), seconds)
    return found


def _request(model: ModelInfo, ask: Ask, prompt: Sequence[int]) -> GenerateRequest:
    form = None if ask.grammar is None else Constraint(ask.grammar.kind, ask.grammar.source)
    return GenerateRequest(
        model.model_id, input_ids=tuple(prompt), sampling=GREEDY, seed=SEED, stop=ask.stop, constraint=form,
        max_new_tokens=ask.n_new, n_top=1,
    )  # fmt: skip


def _ready(engine: Engine) -> ModelInfo:
    engine.trace(TraceRequest(DEFAULT_DECODER, "a"))  # loads it
    return next(info for info in engine.models() if info.model_id == DEFAULT_DECODER)
