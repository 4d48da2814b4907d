"""The leash: the policy with the most reward less β times its distance, as a closed form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from playground.core.policy.outcomes import Outcomes, outcomes, path, sampled
from playground.core.rewards import TextReward, rewards_of
from playground.core.tables import alignment_leash as frames
from playground.engine.contract.models import AdapterName
from playground.engine.contract.traces import Capture
from playground.ui import compute, show, stepwise
from playground.ui.alignment import hack, leash_words, rewarding
from playground.ui.alignment.said import or_sentence
from playground.ui.choose import choose
from playground.ui.components.tilt import BETAS, Trained, tilt
from playground.ui.labels import token_labels
from playground.ui.panels import Later
from playground.ui.prompted import context_of, prompt_ids
from playground.ui.state import PageContext
from playground.ui.text import _
from playground.ui.throttle import Throttle
from playground.ui.url import setting

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

N_ANSWERS, MAX_TOKENS = 16, 24
KEY, REWARDS = "al_leash_written", "al_leash_rewards"
CHUNK = 2_000  # tokens of the vocabulary that share the second that an expression may take
MAX_PROMPT = 200  # characters
N_TRIED = 61  # leashes


@dataclass
class WrittenAnswers:
    """Answers that the reference wrote.

    Attributes:
        asked: Model and prompt.
        texts: The answers, as far as they are written.
        is_whole: True once all of them have ended.
    """

    asked: tuple[str, str]
    texts: list[str]
    is_whole: bool = False


@or_sentence
def panel(context: PageContext) -> Later | None:
    """Draw the choice, the outcomes with their slider, and what they say of a trained policy.

    Returns:
        What writes the answers, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('How far would the best policy move?')}")
    base = context_of(context, AdapterName.of(context.model.model_id).base_id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        views = {"tokens": _("next token"), "answers": _("16 written answers")}
        view = choose("al_leash_view", views, _("Outcomes"))
        first = hack.FIRST_PROMPT
        prompt = st.text_input(_("Prompt"), first, max_chars=MAX_PROMPT, **setting("al_asked", first))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reward = rewarding.choose_text_reward(hack.FIRST_REWARD)
    assert isinstance(reward, TextReward)
    if not prompt.strip():
        st.info(_("Type a prompt."))
        return None
    if view == "answers":
        return _answers(base, prompt, reward)
    _tokens(base, prompt, reward)
    return None


def _tokens(base: PageContext, prompt: str, reward: TextReward) -> None:
    """The next token: all of the vocabulary, exactly."""
    model_id = base.model.model_id
    ids = prompt_ids(model_id, prompt)
    trace = compute.trace(base, ids, Capture(logits="last"), topic="al_leash")
    assert trace.logits is not None
    logits = trace.logits[-1].astype(np.float64)
    probs = np.exp(logits - np.logaddexp.reduce(logits))
    choice = outcomes(probs, _rewards_of_tokens(model_id, len(probs), reward))
    labels = token_labels(model_id, choice.places)
    _picture(base, choice, labels, reward)
    st.markdown(leash_words.reading(choice, labels))
    show.provenance(trace)
    _under(choice, labels, lambda: show.code(
        "leash", folder=show.model_folder(model_id), input_ids=list(ids), kind=reward.kind,
        wanted=reward.wanted, sign=reward.sign, n_shown=len(labels), places=choice.places.tolist(),
    ))  # fmt: skip
    st.markdown(leash_words.explanation())


def _rewards_of_tokens(model_id: str, n_tokens: int, reward: TextReward) -> NDArray[np.float64]:
    """The reward of each token of the vocabulary; the session keeps the last ones. Shape [token]."""
    asked = (model_id, n_tokens, reward)
    known = st.session_state.get(REWARDS)
    if known is None or known[0] != asked:
        spelled = compute.tokenizers().bytes_of_tokens(model_id, n_tokens)
        texts = [one.decode("utf-8", "replace") for one in spelled]
        parts = [rewards_of(reward, texts[at : at + CHUNK]) for at in range(0, n_tokens, CHUNK)]
        known = st.session_state[REWARDS] = (asked, np.concatenate(parts))
    found: NDArray[np.float64] = known[1]
    return found


def _answers(base: PageContext, prompt: str, reward: TextReward) -> Later | None:
    """Answers that the reference wrote, each with the same weight at first."""
    asked = (base.model.model_id, prompt)
    known: WrittenAnswers | None = st.session_state.get(KEY)
    if known is None or known.asked != asked:
        first = hack.first_answers(asked)
        known = WrittenAnswers(asked, first, is_whole=True) if first else None
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button(_("Write 16 answers"), type="primary", key="al_leash_write", icon=":material/edit:")
        st.button(_("Stop"), key="al_leash_stop", icon=":material/stop:", disabled=not start)
    place = st.empty()
    if start:
        return partial(_write, base, prompt, WrittenAnswers(asked, [""] * N_ANSWERS), place)
    if known is None:
        st.caption(_("The reference writes 16 answers to this prompt; each is then an outcome."))
        return None
    choice = sampled(rewards_of(reward, known.texts))
    labels = [f"{number}: {' '.join(text.split()) or '∅'}" for number, text in enumerate(known.texts, 1)]
    _picture(base, choice, labels, reward, hack.trained(asked, reward))
    st.markdown(leash_words.reading(choice, labels))
    st.caption(
        _(
            "Each answer was drawn from the reference and stands for a sixteenth of it, so no tilt of these "
            "16 reaches a KL above ln 16 = {most:.2f} nats. A policy that writes other answers can."
        ).format(most=float(np.log(len(labels))))
    )
    show.source(base.model)
    _under(choice, labels, lambda: show.code(
        "leash_answers", answers=known.texts, kind=reward.kind, wanted=reward.wanted, sign=reward.sign,
    ))  # fmt: skip
    st.markdown(leash_words.explanation())
    return None


def _picture(
    base: PageContext, choice: Outcomes, labels: Sequence[str], reward: TextReward,
    trained: Sequence[Trained] = (),
) -> None:  # fmt: skip
    with st.container(key="al_tilt_picture"):
        tilt(
            choice, labels, beta=first_beta(choice), unit=rewarding.unit_of(reward), trained=trained,
            key="al_tilt", language=base.language,
        )  # fmt: skip


def first_beta(choice: Outcomes) -> float:
    """Leash at first: of those on the slider, the one whose KL divergence is nearest to one nat."""
    betas = np.geomspace(*BETAS, N_TRIED)
    kl = path(choice, betas.tolist())[:, 1]
    return float(betas[np.abs(kl - 1).argmin()])


def _under(choice: Outcomes, labels: Sequence[str], code: Callable[[], str]) -> None:
    show.under_picture(
        "alignment_leash", frame=lambda: frames.outcomes(choice, labels, _("all others")), code=code,
        picture="al_tilt_picture",
    )  # fmt: skip


def _write(base: PageContext, prompt: str, written: WrittenAnswers, place: DeltaGenerator) -> None:
    """All answers at once, each by a random stream of its own; any click stops within a step."""
    ids = prompt_ids(base.model.model_id, prompt)
    asked = [{"input_ids": ids, "seed": seed} for seed in range(N_ANSWERS)]
    pace = Throttle()
    n_ended = 0
    with closing(stepwise.generate_many(replace(base, text=""), asked, max_new_tokens=MAX_TOKENS)) as steps:
        for at, step in steps:
            written.texts[at] += step.text
            n_ended += step.finish_reason is not None
            told = _("Answers that are whole: {n} of {all}").format(n=n_ended, all=N_ANSWERS)
            pace(partial(place.progress, n_ended / N_ANSWERS, told))
    written.is_whole = n_ended == N_ANSWERS
    if written.is_whole:
        st.session_state[KEY] = written
    st.rerun()
