"""The events of each page, as a browser would send them, and the picture that depends on each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from benchmarks.class_of_thirty.tab import Tab, Value

Change = Callable[[Tab, random.Random], dict[str, Value]]
SENTENCE = "sentence"  # the name of the action that hands in another sentence; the student makes it


@dataclass(frozen=True, slots=True)
class Action:
    """An event on a page.

    Attributes:
        name: Its name in the report.
        kind: As in `Record`.
        picture, after: The picture that depends on it, as in `tab.first_picture`; "-" = there is none.
        change: The widgets that change; None for a new sentence.
        prepare: Widgets that change before, in a run of their own.
        until_still: It lasts until the page no longer repeats itself: a training.
    """

    name: str
    kind: str
    picture: str
    change: Change | None = None
    after: str = ""
    prepare: Change | None = None
    until_still: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """A page of the class.

    Attributes:
        opened: The picture that stands on it at first, as in `tab.first_picture`.
        actions: Events on it.
    """

    opened: str
    actions: tuple[Action, ...]


def _sentence(picture: str, after: str = "") -> Action:
    return Action(SENTENCE, "sentence", picture, after=after)


def _slide(name: str, key: str, picture: str, after: str = "") -> Action:
    return Action(name, "setting", picture, lambda tab, draw: tab.slide(key, draw.random()), after)


def _choose(name: str, key: str, picture: str, after: str = "", n: int = 4) -> Action:
    return Action(name, "setting", picture, lambda tab, draw: tab.choose(key, draw.randrange(n)), after)


def _panel(
    name: str, key: str, place: int, picture: str = "", kind: str = "panel", after: str = ""
) -> Action:
    return Action(name, kind, picture, lambda tab, _draw: tab.choose(key, place), after or key)


def _number(name: str, key: str, picture: str, after: str = "") -> Action:
    return Action(name, "setting", picture, lambda tab, draw: tab.number(key, draw.randrange(1, 999)), after)


def _typed(name: str, key: str, words: str, picture: str, after: str = "", kind: str = "setting") -> Action:
    def change(tab: Tab, draw: random.Random) -> dict[str, Value]:
        return tab.typed(key, draw.choice(words.split("|")))

    return Action(name, kind, picture, change, after)


def _sampler(tab: Tab, draw: random.Random) -> dict[str, Value]:
    data = tab.component("sampler")
    settings = {**data["settings"], "temperature": round(draw.uniform(0.3, 2.5), 2), "top_p": 0.9}
    return tab.tells("sampler", {"settings": {**settings, "revision": data["revision"]}})


def _mask(tab: Tab, draw: random.Random) -> dict[str, Value]:
    data = tab.component("mas_chips")
    free = [at for at in range(len(data["ids"])) if at not in data["fixed"]]
    return tab.tells("mas_chips", {"view": {"masked": [draw.choice(free)], "revision": data["revision"]}})


def _fewest(tab: Tab, _draw: random.Random) -> dict[str, Value]:
    return tab.slide("seq_steps", 0.0)


QUESTIONS = (
    "Who founded the observatory?|Which bicycle lasts longest?|When does the ferry leave?|표는 얼마인가요?"
)
DATES = "12 May 2019|3 Aug 1987|1st of June 2003"
REVIEWS = (
    "The soup was cold and nobody cared.|A warm room and a view of the sea.|I would come again tomorrow."
)
WORDS = "river|teacher|London|green|seven|quickly"
LIVE = "tok_live"  # what is typed there becomes the sentence at once


def _press(name: str, kind: str, key: str, picture: str, after: str = "", **more: Any) -> Action:  # noqa: ANN401
    return Action(name, kind, picture, lambda tab, _draw: tab.press(key), after, **more)


def _answer(tab: Tab, draw: random.Random) -> dict[str, Value]:
    return tab.number("task_home_count", draw.randrange(9))


def _row(tab: Tab, draw: random.Random) -> dict[str, Value]:
    return tab.number("fin_row", draw.randrange(1, 40))


VEGA = "vega_lite_chart"
PAGES = {
    "home": Book("journey", (
        _sentence("journey"),
        Action("answer a task", "setting", "-", _answer),
    )),
    "tokenization": Book("tok_rows", (
        _sentence("tok_rows"),
        _typed("type in the live field", LIVE, WORDS, "tok_rows"),
        _slide("merges", "tok_merges", "tok_encoded", "tok_merges"),
    )),
    "embeddings": Book(VEGA, (
        _sentence(VEGA, "emb_word"),
        _typed("another token", "emb_word", WORDS, VEGA, "emb_word"),
        _panel("from random to meaning", "emb_view_choice", 2),
        _panel("context", "emb_view_choice", 3),
        _panel("sentences", "emb_view_choice", 4),
        _panel("neighbours", "emb_view_choice", 0),
    )),
    "positions": Book("pos_clocks", (
        _sentence("pos_clocks"),
        _number("shuffle anew", "pos_seed", VEGA, "pos_seed"),
    )),
    "attention": Book("att_grid", (
        _sentence("att_grid"),
        _choose("score of the heads", "att_score_choice", "att_grid", n=7),
        _panel("switch heads off", "att_panel_choice", 1),
        _panel("through all layers", "att_panel_choice", 3),
        _panel("arithmetic of a row", "att_panel_choice", 0),
    )),
    "inside": Book("inside", (
        _sentence("inside"),
        _slide("block that is patched", "ins_block", VEGA, "ins_block"),
        _choose("logit of another token", "ins_token_choice", VEGA, "ins_token_choice"),
    )),
    "seq2seq": Book("seq_unrolled_picture", (
        _typed("another date", "seq_source_dates", DATES, "seq_unrolled_picture"),
        _panel("vanishing gradient", "seq_panel_choice", 1),
        _panel("forced or free", "seq_panel_choice", 2),
        _panel("train it yourself", "seq_panel_choice", 0, "seq_start"),
        _press("train two", "run", "seq_start", VEGA, "seq_start", prepare=_fewest, until_still=True),
    )),
    "families": Book("family_maps", (
        _sentence("family_maps"),
        _typed("another last word", "fam_word", WORDS, VEGA, "fam_panel_choice"),
        _choose("mean or one head", "fam_map_choice", "family_maps", n=2),
    )),
    "masked": Book(VEGA, (
        _sentence(VEGA),
        Action("mask another token", "setting", VEGA, _mask),
        _number("objectives: another seed", "mas_seed", "mas_example", "mas_seed"),
    )),
    "sampling": Book("sampler", (
        _sentence("sampler"),
        Action("let a slider go", "setting", VEGA, _sampler),
        _press("generate 32 tokens", "generate", "sam_start", "text"),
    )),
    "prompting": Book(VEGA, (
        _slide("examples in the prompt", "pro_shots", VEGA, "pro_blocks"),
        _choose("another query", "pro_query_choice", VEGA, "pro_blocks"),
        _press("sweep", "sweep", "pro_sweep_start", VEGA, "progress"),
    )),
    "finetuning": Book("fin_row_tokens", (
        Action("another row", "setting", "fin_row_tokens", _row),
    )),
    "pretraining": Book(VEGA, (
        _panel("knowledge cutoff", "pre_panel_choice", 2, kind="run"),
        _panel("transfer", "pre_panel_choice", 3, kind="run"),
    )),
    "memory": Book("mem_bars", (
        _panel("bits of a weight", "mem_panel_choice", 1),
        _panel("quantize", "mem_panel_choice", 2),
        _panel("many GPUs", "mem_panel_choice", 4),
        _panel("budget", "mem_panel_choice", 0),
    )),
    "scaling": Book(VEGA, (
        _choose("what grows", "sca_axis_choice", VEGA, n=3),
        _panel("known models", "sca_panel_choice", 2),
    )),
    "tasks": Book("", (
        _typed("own text", "tsk_own_classification", REVIEWS, VEGA, "tsk_own", "run"),
        _panel("names", "tsk_job_choice", 1, kind="run"),
        _panel("questions", "tsk_job_choice", 4, kind="run"),
        _panel("sentiment", "tsk_job_choice", 0, kind="run"),
    )),
    "evaluation": Book("ev_court_text", (
        _slide("context of the windows", "ev_context", "ev_court_text", "ev_stride"),
        _panel("BLEU", "ev_panel_choice", 1, kind="run"),
        _panel("GLUE in small", "ev_panel_choice", 3, kind="run"),
        _panel("perplexity", "ev_panel_choice", 0, kind="run"),
    )),
    "retrieval": Book("ret_cuts", (
        _panel("search the chunks", "ret_panel_choice", 1, kind="run"),
        _typed("another question", "ret_query", QUESTIONS, "ret_lists", "ret_query", "run"),
        _panel("answers", "ret_panel_choice", 3, "text", kind="run", after="progress"),
        _panel("index theatre", "ret_panel_choice", 2, kind="run"),
    )),
    "alignment": Book("al_cards", (
        _press("a vote", "setting", "al_vote_first", "al_cards", "al_votes_jsonl"),
        _panel("reward model", "al_panel_choice", 1, kind="run"),
        _panel("the leash", "al_panel_choice", 4, kind="run"),
        _panel("votes", "al_panel_choice", 0, kind="run"),
    )),
    "agents": Book("ag_cards", (
        _panel("five strategies", "ag_panel_choice", 1, VEGA, kind="run"),
        _panel("failures", "ag_panel_choice", 2, "ag_gallery", kind="run"),
        _panel("the loop", "ag_panel_choice", 0, "ag_cards", kind="run"),
        _choose("another strategy", "ag_strategy_choice", "ag_cards", "ag_strategy_choice", n=5),
    )),
    "lifecycle": Book("lc_map", (
        _panel("prompt tracking", "lc_panel_choice", 2, kind="run"),
        _panel("what decides", "lc_panel_choice", 1, kind="run"),
        _panel("map", "lc_panel_choice", 0, kind="run"),
    )),
    "classroom": Book("-", ()),
}  # fmt: skip


def book(n_steps: int) -> Mapping[str, Book]:
    """The book of each page.

    Args:
        n_steps: Steps of a training.
    """

    def steps(tab: Tab, _draw: random.Random) -> dict[str, Value]:
        return {tab.key("fin_steps"): ("double_array_value", [float(n_steps)])}

    training = _press("training", "training", "fin_start", VEGA, "fin_start", prepare=steps, until_still=True)
    rows = PAGES["finetuning"]
    return MappingProxyType(PAGES | {"finetuning": replace(rows, actions=(*rows.actions, training))})
