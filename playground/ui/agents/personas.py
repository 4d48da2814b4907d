"""The panel of several personas: they talk about a question in turns; minds are read before and after."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from playground.charts import agents as charts
from playground.core.agents.personas import (
    DEFAULTS,
    N_NEW,
    STOP,
    UTTERANCE,
    Role,
    Talk,
    TalkSetup,
    candidates,
    next_prompt,
    opinion_prompt,
    share,
    shipped,
)
from playground.core.tables import agents as frames
from playground.ui import compute, roles, show, stepwise
from playground.ui.agents.world import language
from playground.ui.components.agent_turns import Card, TurnCards, agent_turns
from playground.ui.number import number_field
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import _, strong
from playground.ui.throttle import Throttle
from playground.ui.url import setting

TALKS, TALKING = "ag_talks", "ag_talking"
MOST_KEPT = 12
BOX_HEIGHT = 96
outlives_reload(TALKS)


def panel(context: PageContext) -> Later | None:
    """Draw the talk: the reader's own, otherwise the shipped one about this question.

    Returns:
        Writes the next utterance, or reads the minds; None while nobody talks.
    """
    st.markdown(f"## {_('Who moves when several personas argue?')}")
    answering = roles.player(context, "decoder")
    if answering is None:
        return None
    setup = _controls()
    begun = _talks().get(_key(answering, setup))
    recorded = next((one for one in shipped() if one.talk.setup == setup), None)
    line = _buttons(answering, setup, begun)
    if begun is not None:
        box = _draw(answering, begun)
        show.source(answering.model, _("seed {seed}").format(seed=setup.seed))
    elif recorded is not None:
        _draw(answering, recorded.talk)
        told = _("recorded by a script of the playground; press Run now for a run of your own")
        st.caption(f"{recorded.model_id} · {recorded.revision[:12]} · {told}")
    else:
        st.info(_("Nobody has talked about this yet: press Run now."), icon=":material/play_arrow:")
    return None if begun is None or line is None else partial(_go_on, answering, begun, line, box)


def _controls() -> TalkSetup:
    default = DEFAULTS.get(language(), DEFAULTS["en"])
    question_at, seed_at, more_at = st.columns([6, 2, 2], vertical_alignment="bottom")
    question = question_at.text_input(
        _("Question with two answers"), max_chars=120, placeholder=default.question,
        **setting("ag_talk_question", ""),
    )  # fmt: skip
    with seed_at:
        seed = number_field(_("Seed"), 0, 999, 0, 1, key="ag_talk_seed")
    with more_at, st.popover(_("More"), icon=":material/tune:"):
        answers = tuple(
            _field(_("Answer {n}").format(n=n), default.answers[n - 1], 24, f"ag_talk_answer{n}")
            for n in (1, 2)
        )
        found = tuple(_role(default.roles[n - 1], n) for n in (1, 2))
        rounds = number_field(_("Rounds"), 1, 3, default.rounds, 1, key="ag_talk_rounds")
    return TalkSetup(
        question.strip() or default.question, (answers[0], answers[1]), found, int(rounds), int(seed)
    )


def _role(default: Role, number: int) -> Role:
    name = _field(_("Name of persona {n}").format(n=number), default.name, 24, f"ag_talk_name{number}")
    is_what = _field(_("Persona {n} is").format(n=number), default.is_what, 120, f"ag_talk_what{number}")
    return Role(name, is_what)


def _field(label: str, default: str, most: int, key: str) -> str:
    typed = st.text_input(label, max_chars=most, placeholder=default, **setting(key, ""))
    return " ".join(typed.split()) or default


def _buttons(context: PageContext, setup: TalkSetup, begun: Talk | None) -> Any:  # noqa: ANN401
    """Run, stop, go on; the place of the progress where a talk is under way, otherwise None."""
    key = _key(context, setup)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.session_state.get(TALKING) == key and begun is not None and not begun.after:
            st.button(_("Stop"), key="ag_talk_stop", icon=":material/stop:", on_click=_talk_on, args=(None,))
            return st.container()
        st.button(
            _("Run now") if begun is None else _("Run once more"), key="ag_talk_run", type="primary",
            icon=":material/play_arrow:", on_click=_begin, args=(key, setup),
        )  # fmt: skip
        if begun is not None and not begun.after:
            st.button(
                _("Go on"), key="ag_talk_go_on", icon=":material/resume:", on_click=_talk_on, args=(key,)
            )
    return None


def _begin(key: Hashable, setup: TalkSetup) -> None:
    talks = _talks()
    talks.pop(key, None)
    talks[key] = Talk(setup)
    while len(talks) > MOST_KEPT:
        talks.pop(next(iter(talks)))
    st.session_state[TALKING] = key


def _talk_on(key: Hashable) -> None:
    st.session_state[TALKING] = key


def _go_on(context: PageContext, talk: Talk, line: Any, box: Any) -> None:  # noqa: ANN401  (containers)
    """One step of a talk: minds before, an utterance, or minds after; then the page is drawn anew."""
    key, st.session_state[TALKING] = _key(context, talk.setup), None  # an error ends it
    total = talk.setup.n_utterances * N_NEW
    with line:
        bar = Progress("talk", context.model.model_id, total, _("The model writes"), len(talk.said) * N_NEW)
    if not talk.before:
        talk = replace(talk, before=_minds(context, talk))
    if talk.before and not talk.is_over:
        said = _utterance(context, talk, bar, box)
        talk = talk if said is None else replace(talk, said=(*talk.said, said))
    elif talk.before:
        talk = replace(talk, after=_minds(context, talk))
    changed = talk != _talks().get(key)
    _talks()[key] = talk
    st.session_state[TALKING] = key
    if changed:
        st.rerun()


def _utterance(context: PageContext, talk: Talk, bar: Progress, box: Any) -> str | None:  # noqa: ANN401
    """The words of the next role; None where a click came before their end."""
    prompt = compute.tokenizers().tokenize(context.model.model_id, next_prompt(talk), add_special_tokens=True)
    place, pace, text, n = box.container(border=True, height=BOX_HEIGHT).empty(), Throttle(), "", 0
    before, total = len(talk.said) * N_NEW, talk.setup.n_utterances * N_NEW
    settings = {
        "input_ids": tuple(prompt.input_ids), "sampling": UTTERANCE,
        "seed": talk.setup.seed + len(talk.said), "stop": STOP,
    }  # fmt: skip
    with closing(stepwise.generate_many(context, [settings], max_new_tokens=N_NEW)) as steps:
        for _row, step in steps:
            text, n = text + step.text, n + 1
            pace(
                partial(_show, place, bar, f"{talk.speaker(len(talk.said)).name}: {text}", before + n, total)
            )
            if step.finish_reason is not None:
                return text.strip()
    return None


def _show(place: Any, bar: Progress, text: str, done: int, total: int) -> None:  # noqa: ANN401
    place.text(text)
    bar.draw(done, _("{done} of {total} tokens").format(done=done, total=total))


def _minds(context: PageContext, talk: Talk) -> tuple[float, ...]:
    """Share of the first answer in each role's mind; () where a click came first."""
    everyone = talk.setup.roles
    texts = [opinion_prompt(talk, role) for role in everyone]
    told: dict[int, float] = {}
    asked = [candidates(talk.setup)] * len(everyone)
    with closing(stepwise.scores(context, texts, asked, topic="minds")) as found:
        for place, scores in found:
            told[place] = share((scores.logprobs[0], scores.logprobs[1]))
    return tuple(told[place] for place in range(len(everyone))) if len(told) == len(everyone) else ()


# ---------------------------------------------------------------- what was said


def _draw(context: PageContext, talk: Talk) -> Any:  # noqa: ANN401  (a container)
    """Draw a talk; the place, below its cards, of the words that are being written."""
    cards = [
        TurnCards("", (Card("thought" if n % 2 == 0 else "action", talk.speaker(n).name, text or "–"),))
        for n, text in enumerate(talk.said)
    ]
    agent_turns(cards, key="ag_talk_cards")
    box = st.container(key="ag_talk_now")
    if not talk.after:
        return box
    table = table_of(talk)
    st.markdown(_told(talk, table))
    names = [role.name for role in talk.setup.roles]
    words = {
        "before": _("before the talk"), "after": _("after it"),
        "share": _("probability of the answer {answer}").format(answer=talk.setup.answers[0]),
    }  # fmt: skip
    alt = _("Each persona's probability of the first answer, before and after the talk")
    show.show_chart(charts.opinions(words, names), "ag_talk_picture", alt, data=table)
    code = partial(
        show.code, "agent_opinions", folder=show.model_folder(context.model.model_id),
        before=[opinion_prompt(replace(talk, said=()), role) for role in talk.setup.roles],
        after=[opinion_prompt(talk, role) for role in talk.setup.roles],
        answers=list(candidates(talk.setup)),
    )  # fmt: skip
    show.under_picture("ag_talk", frame=table, code=code, picture="ag_talk_picture")
    return box


def table_of(talk: Talk) -> pd.DataFrame:
    """The rows of the picture."""
    names = [role.name for role in talk.setup.roles]
    return frames.opinions(
        dict(zip(names, talk.before, strict=True)), dict(zip(names, talk.after, strict=True))
    )


def _told(talk: Talk, table: pd.DataFrame) -> str:
    most = table.iloc[int(table["moved"].abs().to_numpy().argmax())]
    told = _(
        "{role} moved most: the answer {answer} had {before:.1%} before the talk and has {after:.1%} after."
    ).format(
        role=strong(str(most["role"])), answer=strong(talk.setup.answers[0]), before=most["before"],
        after=most["after"],
    )  # fmt: skip
    return told


def _talks() -> dict[Hashable, Talk]:
    talks: dict[Hashable, Talk] = st.session_state.setdefault(TALKS, {})
    return talks


def _key(context: PageContext, setup: TalkSetup) -> Hashable:
    model = context.model
    return model.model_id, model.revision, model.adapter, setup
