"""Guess the next token: the reader against the model, token by token."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import lru_cache

import pandas as pd
import streamlit as st

from playground.core import pieces
from playground.core.guessing import bound_bits, is_right
from playground.core.predictions import Predictions
from playground.core.tables import predictions as frames
from playground.core.tables.predictions import GuessedToken
from playground.core.trace import Trace
from playground.engine.contract.traces import Capture
from playground.paths import site_root
from playground.ui import compute, show
from playground.ui.components.scored_text import scored_text
from playground.ui.expected import N_EXPECTED
from playground.ui.scored import scored_tokens
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, strong

N_GIVEN = 2  # tokens the reader sees at first


@dataclass
class Game:
    """One text being guessed.

    Attributes:
        model_id: Model of the tokens.
        number: Number of the text.
        tries: Wrong guesses for the token that is next.
        done: The tokens guessed so far.
    """

    model_id: str
    number: int = 0
    tries: list[str] = field(default_factory=list)
    done: list[GuessedToken] = field(default_factory=list)


def panel(context: PageContext) -> None:
    """The text so far, a field for the guess, the score."""
    st.markdown(f"## {_('Can you guess better than the model?')}")
    game: Game = st.session_state.get("sam_game") or Game(context.model.model_id)
    if game.model_id != context.model.model_id:
        game = Game(context.model.model_id)
    st.session_state["sam_game"] = game
    hidden_text = replace(context, text=texts()[game.number % len(texts())])
    tokens = compute.tokenize(hidden_text)
    trace = compute.trace(hidden_text, tokens.input_ids, Capture(predictions=N_EXPECTED), topic="guess")
    read = trace.predictions
    assert read is not None
    labels = pieces.labels(tokens)
    shown = N_GIVEN + len(game.done)
    scored_text(
        scored_tokens(trace.model_id, read, tokens)[:shown],
        key="sam_guess_text",
        selected=shown - 1,
    )
    if shown < len(tokens):
        _ask(game, tokens.tokens[shown], labels[shown], read, shown)
    else:
        st.success(_("The text is complete."))
        st.button(
            _("Next text"), key="sam_guess_next", on_click=_next, args=(game,), icon=":material/skip_next:"
        )
    if game.done:
        _score(game, trace, hidden_text.text[: tokens.offsets[shown - 1][1]])


def _ask(game: Game, token: str, label: str, read: Predictions, position: int) -> None:
    truth = GuessedToken(
        step=position + 1,
        token=label,
        guesses=0,
        gave_up=False,
        rank=int(read.ranks[position - 1]) + 1,
        surprisal_bits=float(read.surprisal_bits[position - 1]),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            _("Which token comes next?"), key="sam_guess", max_chars=40, width=300,
            placeholder=_("a word, a part of one, or a sign"),
            on_change=_take, args=(game, token, truth),
        )  # fmt: skip
        st.button(
            _("Show it"), key="sam_guess_show", icon=":material/visibility:",
            on_click=_give_up, args=(game, truth),
        )  # fmt: skip
    if game.tries:
        said = ", ".join(strong(one) for one in game.tries[-8:])
        st.markdown(_("Not {guesses}.").format(guesses=said))


def _take(game: Game, token: str, truth: GuessedToken) -> None:
    guess = st.session_state["sam_guess"].strip()
    st.session_state["sam_guess"] = ""
    if is_right(guess, token):
        _reveal(game, truth._replace(guesses=len(game.tries) + 1))
    elif guess:
        game.tries.append(guess)


def _give_up(game: Game, truth: GuessedToken) -> None:
    _reveal(game, truth._replace(guesses=len(game.tries), gave_up=True))


def _reveal(game: Game, guessed: GuessedToken) -> None:
    game.done.append(guessed)
    game.tries.clear()


def _next(game: Game) -> None:
    st.session_state["sam_game"] = Game(game.model_id, game.number + 1)


def _score(game: Game, trace: Trace, so_far: str) -> None:
    table = frames.guesses(game.done)
    own = table[~table["gave_up"]]
    last = game.done[-1]
    told = _("{token}: the model ranks it {rank:,} with {bits:.2f} bits.")
    words = [told.format(token=strong(last.token), rank=last.rank, bits=last.surprisal_bits)]
    words.append(
        _(
            "You found {n} of {total} tokens, {first} at once; the model's first choice is right for {model}."
        ).format(
            n=len(own), total=len(table), first=int((own["guesses"] == 1).sum()),
            model=int((table["rank"] == 1).sum()),
        )
    )  # fmt: skip
    st.markdown(" ".join(words))
    st.markdown(_bounds(table))
    st.caption(_("Shannon 1951, equation 17, over the tokens so far: the more tokens, the more it says."))
    show.provenance(trace)
    code = show.code("guessing", folder=show.model_folder(trace.model_id), text=so_far)
    show.under_picture("guess", frame=table, code=code)


def _bounds(table: pd.DataFrame) -> str:
    """Upper bounds in bits per token from the guesses of both; the reader's once every token was found."""
    model, bits = bound_bits(table["rank"].tolist()), table["surprisal_bits"].mean()
    if n := int(table["gave_up"].sum()):
        told = ngettext(
            "You gave up on {n} token: how many guesses it takes is not known, so there is no bound for "
            "yours. By Shannon's bound the model's ranks say at most {model:.2f} bits per token; its "
            "surprisal is {bits:.2f} bits per token.",
            "You gave up on {n} tokens: how many guesses they take is not known, so there is no bound for "
            "yours. By Shannon's bound the model's ranks say at most {model:.2f} bits per token; its "
            "surprisal is {bits:.2f} bits per token.",
            n,
        )
        return told.format(n=n, model=model, bits=bits)
    told = _(
        "By Shannon's bound your guesses say at most {own:.2f} bits per token, the model's ranks "
        "{model:.2f}; its surprisal is {bits:.2f} bits per token."
    )
    return told.format(own=bound_bits(table["guesses"].tolist()), model=model, bits=bits)


@lru_cache
def texts() -> list[str]:
    """The texts to guess, in English: the default model reads Korean as bytes, which nobody can guess."""
    found: list[str] = json.loads((site_root() / "assets/samples/guess.json").read_text("utf-8"))
    return found
