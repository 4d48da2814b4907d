"""The runs that the page Agents shows at first: five strategies on twelve problems, failures, a talk.

The model is the embedded one, greedy; the loop is that of the page. Problems at the same turn share a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import MappingProxyType

from playground.core.agents import gallery, personas
from playground.core.agents.loop import Loop
from playground.core.agents.personas import (
    DEFAULTS,
    N_NEW,
    STOP,
    UTTERANCE,
    RecordedTalk,
    Talk,
    TalkSetup,
    candidates,
    next_prompt,
    opinion_prompt,
    share,
)
from playground.core.agents.problems import problems, world_of
from playground.core.agents.record import STRATEGIES, Run, Setup, Strategy
from playground.core.agents.recorded import FILE, FOLDER, Recorded, measured, table, written
from playground.core.agents.strategies import Ask
from playground.core.agents.tools import World
from playground.engine import create_engine
from playground.engine.contract.engine import Engine
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.models import ModelInfo
from playground.engine.contract.scores import ScoreRequest
from playground.engine.contract.traces import TraceRequest
from playground.engine.models.catalogue import model_folder
from playground.settings import DEFAULT_DECODER, Settings
from playground.trained.agents_texts import Writer
from playground.trained.note import seal_with_note

SEED = 0  # of the draw; greedy, so it decides nothing
LANGUAGES = ("en", "ko")
# In Korean, which the embedded model hardly reads, ReAct alone: for the page's first picture.
WANTED: Mapping[str, tuple[Strategy, ...]] = MappingProxyType({"en": STRATEGIES, "ko": ("react",)})
_SETTINGS = Settings(device="cpu", torch_threads=1)


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Run everything and write the folder `agents`."""
    engine = create_engine(_SETTINGS)
    writer = writer_of(engine)
    told: list[Recorded] = []
    try:
        for language, strategies in WANTED.items():
            for group in groups(engine, writer, language, strategies):
                told += group
                say(str(measured(group)))
        told += failing(engine, writer, LANGUAGES[0])
        held = talks(engine, list(DEFAULTS.values()))
    finally:
        engine.close()
    write(assets, told, held)


def write(assets: Path, told: Sequence[Recorded], held: Sequence[RecordedTalk]) -> None:
    """Write runs and talks, with their note of provenance."""
    folder = assets / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(written(told), "utf-8")
    (folder / personas.FILE).write_text(personas.written(held), "utf-8")
    figures = {
        f"{one.strategy}_{'constrained' if one.constrained else 'free'}_{one.language}": float(one.n_right)
        for language in LANGUAGES
        for one in table(told, language)
    }
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures, file=FILE)


def groups(
    engine: Engine, writer: Writer, language: str, strategies: Sequence[Strategy]
) -> Iterator[list[Recorded]]:
    """The runs of each strategy, without and with a constraint, on all problems of a language."""
    model, asked = _ready(engine), problems(language)
    for strategy, constrained in product(strategies, (False, True)):
        setups = [Setup(one.question, strategy, constrained=constrained, language=language) for one in asked]
        runs = together(writer, [(setup, world_of(language)) for setup in setups])
        yield [
            Recorded("problem", one.problem_id, model.model_id, model.revision, run)
            for one, run in zip(asked, runs, strict=True)
        ]


def failing(engine: Engine, writer: Writer, language: str) -> list[Recorded]:
    """The runs of the gallery in which something goes wrong."""
    model, wanted = _ready(engine), gallery.tried(language)
    runs = together(writer, [(setup, gallery.world_of(label, language)) for label, _problem, setup in wanted])
    return [
        Recorded(label, problem.problem_id, model.model_id, model.revision, run)
        for (label, problem, _setup), run in zip(wanted, runs, strict=True)
        if gallery.failures(run)
    ]


def together(writer: Writer, wanted: Sequence[tuple[Setup, World]]) -> list[Run]:
    """Runs side by side: each waits for the turn of the others."""
    loops = [Loop(setup, world) for setup, world in wanted]
    while open_now := [(loop, loop.move) for loop in loops if isinstance(loop.move, Ask)]:
        asks = [move for _loop, move in open_now if isinstance(move, Ask)]
        for (loop, _move), reply in zip(open_now, writer.replies(asks), strict=True):
            loop.give(reply)
    return [run for loop in loops if (run := loop.run()) is not None]


def writer_of(engine: Engine) -> Writer:
    """The embedded model, as the script asks it."""
    return Writer(model_folder(_ready(engine).model_id, _SETTINGS), _SETTINGS.max_tokens)


def _ready(engine: Engine) -> ModelInfo:
    engine.trace(TraceRequest(DEFAULT_DECODER, "a"))  # loads it
    return next(info for info in engine.models() if info.model_id == DEFAULT_DECODER)


def talks(engine: Engine, setups: Sequence[TalkSetup]) -> list[RecordedTalk]:
    """The personas' talks, with everybody's mind before and after."""
    model, found = _ready(engine), []
    for setup in setups:
        talk = Talk(setup)
        before = opinions(engine, model, talk)
        while not talk.is_over:
            talk = replace(talk, said=(*talk.said, _utterance(engine, model, talk)))
        whole = replace(talk, before=before, after=opinions(engine, model, talk))
        found.append(RecordedTalk(model.model_id, model.revision, whole))
    return found


def _utterance(engine: Engine, model: ModelInfo, talk: Talk) -> str:
    prompt = engine.tokenizers.tokenize(model.model_id, next_prompt(talk), add_special_tokens=True)
    request = GenerateRequest(
        model.model_id, input_ids=tuple(prompt.input_ids), sampling=UTTERANCE,
        seed=talk.setup.seed + len(talk.said), stop=STOP, max_new_tokens=N_NEW, n_top=1,
    )  # fmt: skip
    return "".join(step.text for step in engine.generate(request)).strip()


def opinions(engine: Engine, model: ModelInfo, talk: Talk) -> tuple[float, ...]:
    """Share of the first answer in each role's mind."""
    roles = talk.setup.roles
    texts = tuple(opinion_prompt(talk, role) for role in roles)
    told: dict[int, float] = {}
    request = ScoreRequest(model.model_id, texts, (candidates(talk.setup),) * len(roles))
    for place, scores in engine.score(request):
        told[place] = share((scores.logprobs[0], scores.logprobs[1]))
    return tuple(told[place] for place in range(len(roles)))
