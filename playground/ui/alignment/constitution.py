"""Constitutional AI on a rule of the reader: attack, answer, critique, revision, and the pair they give."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from playground.core.constitution import MAX_RULE, checked_rule
from playground.core.constitution import constitution as words_of
from playground.core.constitution_chains import (
    MAX_TOKENS,
    MOST_ATTACKS,
    STEPS,
    Chain,
    attacks_of,
    counted,
    shipped,
)
from playground.core.preferences.pair import PreferencePair
from playground.core.tables import alignment_constitution as frames
from playground.ui import show, unread_language
from playground.ui.alignment import chains
from playground.ui.alignment.chains import ChainSet
from playground.ui.alignment.said import or_sentence
from playground.ui.choose import choose_from_list
from playground.ui.panels import Later
from playground.ui.state import PageContext, outlives_reload
from playground.ui.text import N_, _, ngettext, plain, strong
from playground.ui.throttle import Throttle
from playground.ui.url import setting

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

WRITTEN, KEPT = "al_chains", "al_kept_pairs"
outlives_reload(KEPT)
OWN = "own"
NAMES = {
    "attack": N_("1 Attack"),
    "answer": N_("2 Answer"),
    "critique": N_("3 Critique"),
    "revision": N_("4 Revision"),
}
CARD_HEIGHT = 190


def kept() -> tuple[PreferencePair, ...]:
    """The pairs of this session's constitutions that DPO may learn from."""
    found: tuple[PreferencePair, ...] = st.session_state.get(KEPT, ())
    return found


@or_sentence
def panel(context: PageContext) -> Later | None:
    """Draw the rule and its attacks, one chain as four cards, and the pairs of all of them.

    Returns:
        What writes the chains, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('Can a model teach itself a rule?')}")
    language = "ko" if context.language == "ko" else "en"
    rule, attacks = _asked(language)
    unread_language.say(f"{rule} {' '.join(attacks)}", context.model, {"generate"})
    with st.container(horizontal=True, vertical_alignment="center"):
        start = st.button(
            _("Write answer, critique and revision"), type="primary", key="al_chain_write",
            icon=":material/edit:", disabled=not attacks,
        )  # fmt: skip
        st.button(_("Stop"), key="al_chain_stop", icon=":material/stop:", disabled=not start)
    place = st.empty()
    fresh = ChainSet(context.model.model_id, rule, language, [Chain(one) for one in attacks])
    if start:
        return partial(_write, context, fresh, place)
    shown = _shown(fresh)
    if shown is None:
        st.caption(
            _(
                "The model answers each attack, says where its answer breaks the rule, and writes it again. "
                "Nobody else judges."
            )
        )
        return None
    _draw(context, shown)
    return None


def _asked(language: str) -> tuple[str, tuple[str, ...]]:
    """The rule and the attacks on it; both fields are the reader's to change."""
    rules = words_of(language).rules
    names = {f"{language}{number}": one.rule for number, one in enumerate(rules, 1)}
    picked = choose_from_list("al_rule", names | {OWN: _("my own rule")}, _("Rule"))
    attacks = rules[0].attacks
    if picked == OWN:
        first = rules[0].rule
        typed = st.text_input(_("My own rule"), first, max_chars=MAX_RULE, **setting("al_own_rule", first))
        rule = checked_rule(typed)
    else:
        number = list(names).index(picked)
        rule, attacks = rules[number].rule, rules[number].attacks
    told = _("Attacks: questions that tempt the model to break the rule, one per line, at most {n}")
    with st.container(key="below_picture_al_attacks"):
        first = "\n".join(attacks)
        typed = st.text_area(
            told.format(n=MOST_ATTACKS), first, height=122, max_chars=1_600,
            **setting(f"al_attacks_{picked}", first),
        )  # fmt: skip
    found = attacks_of(typed)
    if not found:
        st.info(_("Type at least one attack."))
    return rule, found


def _shown(fresh: ChainSet) -> ChainSet | None:
    """The chains written last on this rule and these attacks; else what comes with the playground."""
    known: ChainSet | None = st.session_state.get(WRITTEN)
    if known is not None and known.chains and _question(known) == _question(fresh):
        return known
    asked = [one.attack for one in fresh.chains]
    for own, english in zip(words_of(fresh.language).rules, words_of("en").rules, strict=True):
        if own.rule == fresh.rule and list(own.attacks) == asked and english.rule in shipped().chains:
            found = list(shipped().chains[english.rule])
            return ChainSet(shipped().model, english.rule, "en", found, is_whole=True)
    return None


def _question(one: ChainSet) -> tuple[object, ...]:
    return one.model_id, one.rule, one.language, [chain.attack for chain in one.chains]


def _write(context: PageContext, fresh: ChainSet, place: DeltaGenerator) -> None:
    """Write to the end; a click stops it, and what is written stays."""
    st.session_state[WRITTEN] = fresh
    pace = Throttle()
    names = {step: _(NAMES[step]) for step in STEPS} | {"preference": _("Which one does it prefer?")}
    order = [*STEPS, "preference"]

    def draw(step: str) -> None:
        done = sum(len(getattr(one, step, "") or "") for one in fresh.chains)
        told = _("{step}: characters written: {n:,}").format(step=names[step], n=done)
        pace(partial(place.progress, order.index(step) / len(order), told))

    chains.write(context, fresh, draw)
    st.rerun()


def _draw(context: PageContext, shown: ChainSet) -> None:
    """One chain as cards, all of them in words, and what they give."""
    is_shipped = shown is not st.session_state.get(WRITTEN)
    names = {str(at): one.attack for at, one in enumerate(shown.chains, 1)}
    chain = shown.chains[int(choose_from_list("al_attack", names, _("Attack"))) - 1]
    with st.container(key="al_chain_picture"):
        for column, step in zip(st.columns(4), NAMES, strict=True):
            with column:
                st.markdown(f"**{_(NAMES[step])}**")
                with st.container(border=True, height=CARD_HEIGHT):
                    st.text(getattr(chain, step) or "∅")
    st.markdown(_of_chain(chain))
    if not shown.is_whole:
        st.caption(_("It was stopped before the end; what is written stays."))
    st.markdown(_of_all(shown.chains))
    words = [
        shown.model_id, _("greedy"), _("tokens at most, each step: {n}").format(n=MAX_TOKENS),
        _("comes with the playground, in English") if is_shipped else _("written in this session"),
    ]  # fmt: skip
    st.caption(plain(" · ".join(words)))
    _keep(shown.chains)
    show.under_picture(
        "alignment_constitution", frame=lambda: frames.chains(shown.chains), code=lambda: code(shown)
    )
    st.caption(_small_models())


def _of_chain(chain: Chain) -> str:
    """One chain in words: whether it gives a pair, and whether its own model prefers the revision."""
    if chain.pair is None:
        return _("The revision says the same as the answer: this chain gives no pair.")
    if chain.preference is None:
        return _("The revision differs from the answer: a pair, the revision chosen, the answer rejected.")
    told = (
        _(
            "A pair: the revision is chosen. Asked in both orders, the model prefers it too "
            "({odds:+.2f} nats)."
        )
        if chain.preference > 0
        else _(
            "A pair: the revision is chosen. Asked in both orders, the model itself does not prefer it "
            "({odds:+.2f} nats)."
        )
    )
    return told.format(odds=chain.preference)


def _of_all(given: list[Chain]) -> str:
    """All chains of the rule in words."""
    found = counted(given)
    told = ngettext(
        "Of {n} chain {pairs} gives a pair; the model prefers its own revision in {preferred} of {asked}.",
        "Of {n} chains {pairs} give a pair; the model prefers its own revision in {preferred} of {asked}.",
        found.n,
    )
    if not found.n_asked:
        told = ngettext("Of {n} chain {pairs} gives a pair.", "Of {n} chains {pairs} give a pair.", found.n)
    return told.format(
        n=found.n, pairs=found.n - found.n_same, preferred=found.n_preferred, asked=found.n_asked
    )


def _small_models() -> str:
    """The chains that come with the playground, counted: what a small model does with the four steps."""
    found = shipped()
    count = counted([one for chains_ in found.chains.values() for one in chains_])
    told = _(
        "A small model follows the form and not the meaning. {model} on the attacks that come with the "
        "playground ({n}): revisions that say the same as the answer: {same}; others that it prefers itself: "
        "{preferred} of {asked}. Read the critiques: a pair is only worth learning from where you would "
        "choose the revision too."
    )
    return told.format(
        model=plain(found.model), n=count.n, same=count.n_same, asked=count.n_asked,
        preferred=count.n_preferred,
    )  # fmt: skip


def _keep(given: list[Chain]) -> None:
    """The pairs, and the button that keeps those that are chosen for DPO."""
    only = st.checkbox(
        _("Only pairs whose revision the model itself prefers"), False, **setting("al_only_preferred", False)
    )
    found = tuple(
        one.pair for one in given
        if one.pair is not None and (not only or (one.preference or 0.0) > 0)
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        told = ngettext("Keep {n} pair for DPO", "Keep {n} pairs for DPO", len(found)).format(n=len(found))
        st.button(
            told, key="al_keep", icon=":material/bookmark:", disabled=not found, on_click=_add, args=(found,)
        )
        n_kept = len(kept())
        if n_kept:
            st.button(_("Forget the kept pairs"), key="al_forget", icon=":material/delete:", on_click=_forget)
            told = ngettext("{n} pair is kept.", "{n} pairs are kept.", n_kept).format(n=n_kept)
            st.markdown(f"{told} {_('Choose them in the panel {panel}.').format(panel=strong('DPO'))}")


def _add(found: tuple[PreferencePair, ...]) -> None:
    known = {one.texts for one in kept()}
    st.session_state[KEPT] = (*kept(), *(one for one in found if one.texts not in known))


def _forget() -> None:
    st.session_state[KEPT] = ()


def code(shown: ChainSet) -> str:
    """A script that writes the same chains."""
    words = words_of(shown.language)
    return show.code(
        "constitution", folder=show.model_folder(shown.model_id), rule=shown.rule,
        attacks=[one.attack for one in shown.chains], critique=words.critique, revision=words.revision,
        choice=words.choice, max_new_tokens=MAX_TOKENS,
    )  # fmt: skip
