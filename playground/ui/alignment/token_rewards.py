"""The reader's own answers under a reward model: the reward of each beginning, token by token."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from playground.charts import rewards as charts
from playground.core import pieces
from playground.core.tables import rewards as frames
from playground.engine.contract.reward_models import RewardHeadInfo, RewardScores
from playground.errors import EmptyText
from playground.ui import preferences, show
from playground.ui.alignment import rewarded
from playground.ui.state import PageContext
from playground.ui.text import _, sentence, strong
from playground.ui.url import setting

MOST_CHARS = 500
LEAST = 1.0  # half of the smallest axis, nats of odds


def picture(context: PageContext, head: RewardHeadInfo) -> None:
    """Draw fields for a prompt and two answers, and the reward of each of their beginnings."""
    st.markdown(f"## {_('Score your own answers, token by token')}")
    prompt, answers = _texts(context)
    if not prompt.strip() or not all(one.strip() for one in answers):
        st.info(sentence(EmptyText()))
        return
    found = preferences.scores(context, head.head_id, [(prompt, one) for one in answers], topic="al_tokens")
    names = ("A", "B")
    labels = [
        list(pieces.sequence_labels([one.decode("utf-8", "replace") for one in own.pieces])) for own in found
    ]
    middle = float(np.mean([one.reward for one in found]))
    values = [one.values.astype(np.float64) - middle for one in found]
    table = frames.beginnings(names, labels, values)
    most = max(LEAST, float(np.ceil(np.abs(table.reward).max() * 1.15)))
    words = {
        "token": _("Token"), "place": _("tokens of the answer"), "reward": _("reward (log-odds, nats)"),
        "change": _("change"), "answer": _("Answer"),
    }  # fmt: skip
    show.show_chart(
        charts.beginnings(words, names=names, most=most, longest=max(map(len, labels))), "al_tokens",
        _("Reward of each beginning of both answers"), data=table,
    )  # fmt: skip
    st.markdown(_reading(found, labels))
    st.caption(
        _(
            "The reward that each answer would have if it ended there; 0 is the mean of both whole "
            "answers, since "

          "only differences mean something. The tokens that change it most are named.")
    )  # fmt: skip
    show.source(context.model, head.settings.name)
    show.under_picture(
        "al_tokens", frame=lambda: table,
        code=partial(_code, context, head, prompt, answers),
        picture="al_tokens",
    )  # fmt: skip


def _texts(context: PageContext) -> tuple[str, tuple[str, str]]:
    """Draw the fields; prompt and both answers."""
    first = {
        "prompt": _("How do I boil an egg?"),
        "a": _("Gladly. Put it in boiling water for eight minutes, please mind the steam."),
        "b": _("Everybody knows that. Eight minutes in boiling water, and stop asking."),
    }
    words = {"prompt": _("Prompt"), "a": _("Answer A"), "b": _("Answer B")}
    given = {
        name: st.text_input(
            words[name],
            default,
            max_chars=MOST_CHARS,
            **setting(f"al_score_{name}_{context.language}", default),
        )
        for name, default in first.items()
    }
    return given["prompt"], (given["a"], given["b"])


def _code(context: PageContext, head: RewardHeadInfo, prompt: str, answers: tuple[str, str]) -> str:
    """The script that trains this reward model, where its pairs are known, and scores both answers."""
    asked, given = head.settings, rewarded.given_of_head(context, head.run)
    known = {"pairs": [(one.prompt, one.chosen, one.rejected) for one in given.train]} if given else {}
    return show.code(
        "token_rewards", folder=show.model_folder(asked.model), prompt=prompt, answers=list(answers),
        inverse_penalty=asked.inverse_penalty, n_steps=asked.n_steps,
        learning_rate=asked.learning_rate, **known,
    )  # fmt: skip


def _reading(found: list[RewardScores], labels: list[list[str]]) -> str:
    """The sentence that reads the picture; Markdown."""
    gap = found[0].reward - found[1].reward
    answer, other = ("A", "B") if gap > 0 else ("B", "A")
    chance = 1 / (1 + float(np.exp(-abs(gap))))
    told = _("The reward model prefers {answer} to {other} by {gap:.2f} nats: with probability {chance:.0%}.")
    if not gap:
        told = _("The reward model gives both answers the same reward.")
    words = told.format(answer=answer, other=other, gap=abs(gap), chance=chance)
    own, names = found[0].values.astype(np.float64), labels[0]
    if len(own) > 2:
        at = int(np.abs(np.diff(own)).argmax()) + 1
        told = _("In A the token {token} changes it most: {change:+.2f}.")
        words += " " + told.format(token=strong(names[at]), change=own[at] - own[at - 1])
    return words
