"""Drift: the same prompts under two models, what each writes, and how probable that is for the other one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

import streamlit as st

from playground.charts import lifecycle as charts
from playground.core import drift as core
from playground.core.drift import Shift, mean_shifts
from playground.core.sampling import GREEDY
from playground.core.tables import lifecycle as frames
from playground.engine.contract.models import AdapterName, CatalogueEntry, ModelInfo
from playground.navigation import BY_NAME
from playground.ui import adapters, compute, course, frame, roles, run_log, show, stepwise, warming
from playground.ui.choose import choose, choose_from_list
from playground.ui.lifecycle import logged
from playground.ui.lifecycle.project import MOST_CHARS
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.state import PageContext
from playground.ui.text import _, ngettext, plain

N_TOKENS, MOST_PROMPTS = 16, 8
KEY = "lc_drift"
Asked = tuple[str, str, tuple[str, ...]]  # model A, model B, prompts


@dataclass(slots=True)
class Drift:
    """The last comparison of a session.

    Attributes:
        asked: Both models and the prompts.
        texts: "a" and "b" -> what each wrote, prompt by prompt.
        rows: The texts scored by both; complete when `is_done`.
    """

    asked: Asked
    texts: dict[str, list[str]] = field(default_factory=dict)
    rows: tuple[Shift, ...] = ()
    is_done: bool = False


def panel(context: PageContext) -> Later | None:
    """Draw both models, the prompts, and how far the texts have moved."""
    st.markdown(f"## {_('Same prompts, another model: what has changed?')}")
    first = roles.player(context, "decoder")
    if first is None:
        return None
    base_id = AdapterName.of(first.model.model_id).base_id
    others = _others(base_id)
    picture = st.container()
    if not others:
        _shipped(context, picture)
        return None
    with st.container(key="below_picture_lc_drift"):
        model_at, prompts_at = st.columns([3, 2], vertical_alignment="bottom")
        with model_at:
            chosen = choose_from_list(
                "lc_b", {one: entry.name for one, entry in others.items()}, _("Model B")
            )
        with prompts_at:
            names = {"ours": _("Prompts of ours"), "log": _("Prompts of the log")}
            which = choose("lc_prompts_of", names, _("Prompts"))
    base = _base_of(first, base_id)
    second = _ready(first, others[chosen])
    prompts = _ours() if which == "ours" else _logged()
    if second is None or not prompts:
        if not prompts:
            picture.info(_("The log holds no prompt yet."))
        return None
    asked = (base.model.model_id, second.model.model_id, prompts)
    found: Drift | None = st.session_state.get(KEY)
    found = found if found is not None and found.asked == asked else None
    place = _buttons(picture, found)
    if found is not None and found.is_done:
        with picture:
            _draw(context, base.model, second.model, found)
        return None
    return partial(_measure, base, second, asked, place)


def _others(base_id: str) -> dict[str, CatalogueEntry]:
    """Models to compare with the base: own adapters on it, the newest first, then other decoders here."""
    states = {info.model_id: info.state for info in compute.models()}
    known = frame.choices()
    own = [one.model_id for one in reversed(adapters.mine()) if one.base_id == base_id]
    rest = [
        model_id for model_id, entry in known.items()
        if model_id not in own and model_id != base_id and not AdapterName.of(model_id).adapter_id
        and "generate" in entry.capabilities and states.get(model_id) in ("ready", "waiting", "loading")
    ]  # fmt: skip
    return {model_id: known[model_id] for model_id in (*own, *rest) if model_id in known}


def _shipped(context: PageContext, picture: Any) -> None:  # noqa: ANN401  (Streamlit's container)
    """The record that a script took down, where there is no second model to measure."""
    record = core.shipped()
    names = (logged.model_name(record.model_id), _("an adapter, trained to talk like a pirate"))
    found = Drift(
        (record.model_id, "", core.PROMPTS),
        {who: [*texts] for who, texts in record.texts.items()},
        record.rows,
    )
    with picture:
        _chart(context, names, found)
        words = _("taken down by a script of the playground: LoRA, steps: {n}").format(n=record.n_steps)
        if context.language != "en":
            words += f" · {_('in English')}"
        st.caption(plain(f"{record.model_id} · {words}"))
        st.info(
            _(
                "There is one language model on this machine and no adapter of yours, so this is an "
                "example. Train "
                "an adapter, which takes a minute, and come back: yours is measured here."
            ),
            icon=":material/compare_arrows:",
        )
        course.link(BY_NAME["finetuning"])
        _all_texts(found, names)
        show.under_picture(
            "lifecycle_drift", frame=lambda: frames.shifts(found.rows), picture="lc_drift_picture",
            code=lambda: _code(show.model_folder(record.model_id), _trained_folder(record.model_id), found),
        )  # fmt: skip


def _base_of(context: PageContext, base_id: str) -> PageContext:
    """The page's context with the base of its model."""
    if context.model.model_id == base_id:
        return context
    info = next(one for one in compute.models() if one.model_id == base_id)
    return replace(context, model=info)


def _ready(context: PageContext, entry: CatalogueEntry) -> PageContext | None:
    info = warming.model_when_ready(entry)
    return None if info is None else replace(context, model=info)


def _ours() -> tuple[str, ...]:
    return (
        _("The capital of England is"), _("Once upon a time there was"), _("The best advice I ever got was"),
        _("To make a cup of tea, first"), _("What is the capital of France?"),
        _("Write one sentence about the sea."),
    )  # fmt: skip


def _logged() -> tuple[str, ...]:
    """The latest different prompts of the log that were asked as text, in an order that a new run keeps."""
    texts = [run.request.text for run in reversed(run_log.log().runs) if run.request.input_ids is None]
    short = [text for text in dict.fromkeys(texts) if text.strip() and len(text) <= MOST_CHARS]
    return tuple(sorted(short[:MOST_PROMPTS]))


# ---------------------------------------------------------------- measuring


def _buttons(picture: Any, found: Drift | None) -> Any:  # noqa: ANN401
    with picture:
        place = st.empty()
        if found is not None:
            st.button(_("Measure again"), key="lc_drift_again", icon=":material/replay:", on_click=_forget)
    return place


def _forget() -> None:
    st.session_state.pop(KEY, None)


def _measure(first: PageContext, second: PageContext, asked: Asked, place: Any) -> None:  # noqa: ANN401
    """Let both write, then let both score all that was written; a click ends it."""
    found = st.session_state[KEY] = Drift(asked)
    prompts = asked[2]
    with place.container():
        total = 4 * len(prompts)
        bar = Progress("drift", second.model.model_id, total, _("Both models write and read"))
        for who, one in (("a", first), ("b", second)):
            texts = found.texts[who] = [""] * len(prompts)
            settings = [{"text": prompt, "sampling": GREEDY} for prompt in prompts]
            ended = set()
            with closing(stepwise.generate_many(one, settings, max_new_tokens=N_TOKENS)) as steps:
                for number, step in steps:
                    texts[number] += step.text
                    if step.finish_reason is not None:
                        ended.add(number)
                        bar.draw(
                            (who == "b") * len(prompts) + len(ended),
                            _("{name} writes").format(name=one.model.name),
                        )
            if len(ended) < len(prompts):
                return
        scored = [_scores(one, found, bar, (2 + at) * len(prompts)) for at, one in enumerate((first, second))]
        if None in scored:
            return
    by_a, by_b = scored
    assert by_a is not None
    assert by_b is not None
    found.rows = tuple(core.shifts(prompts, found.texts, by_a, by_b))
    found.is_done = True
    st.rerun()


def _scores(
    context: PageContext, found: Drift, bar: Progress, done: int
) -> dict[tuple[int, str], float] | None:
    """(Number of a prompt, who wrote) -> log-probability of that text; None when a click ended it."""
    prompts = found.asked[2]
    candidates = [
        tuple(dict.fromkeys(filter(None, (found.texts["a"][at], found.texts["b"][at]))))
        for at in range(len(prompts))
    ]
    asked = [at for at in range(len(prompts)) if candidates[at]]
    logprobs: dict[tuple[int, str], float] = {}
    steps = stepwise.scores(
        context, [prompts[at] for at in asked], [candidates[at] for at in asked], topic="lc_drift"
    )
    n = 0
    with closing(steps):
        for place, scores in steps:
            at, n = asked[place], n + 1
            known = dict(zip(candidates[at], scores.logprobs, strict=True))
            for who in ("a", "b"):
                if (text := found.texts[who][at]) in known:
                    logprobs[at, who] = known[text]
            bar.draw(done + n, _("{name} reads").format(name=context.model.name))
    return logprobs if n == len(asked) else None


# ---------------------------------------------------------------- what was found


def _draw(context: PageContext, first: ModelInfo, second: ModelInfo, found: Drift) -> None:
    names = (logged.model_name(first.model_id), logged.model_name(second.model_id))
    _chart(context, names, found)
    show.source(first, second.model_id, _("greedy"))
    _all_texts(found, names)
    show.under_picture(
        "lifecycle_drift", frame=lambda: frames.shifts(found.rows), picture="lc_drift_picture",
        code=lambda: _code(show.model_folder(first.model_id), show.model_folder(second.model_id), found),
    )  # fmt: skip


def _chart(context: PageContext, names: tuple[str, str], found: Drift) -> None:
    alt = _("Bits per byte of each text under both models")
    spec = _spec(context.language, names, len(found.rows))
    show.show_chart(spec, "lc_drift_picture", alt, data=frames.shifts(found.rows))
    st.markdown(_read(found))


def _code(first: str, second: str, found: Drift) -> str:
    rows = [(row.prompt, row.text) for row in found.rows]
    return show.code("drift", first=first, second=second, rows=rows)


def _trained_folder(base_id: str) -> str:
    """The base with an adapter that the reader trains and downloads on *Fine-tuning*."""
    return show.MergedFolder(show.model_folder(base_id), "~/Downloads/adapter-pirate", 1.0)


def _all_texts(found: Drift, names: tuple[str, str]) -> None:
    with st.container(key="lc_drift_texts"):
        for prompt, *texts in zip(found.asked[2], found.texts["a"], found.texts["b"], strict=True):
            _texts(prompt, texts[0], texts[1], names)


def _texts(prompt: str, first: str, second: str, names: tuple[str, str]) -> None:
    with st.expander(f"{plain(prompt)} · {_('the same text') if first == second else _('another text')}"):
        for name, text in zip(names, (first, second), strict=True):
            st.caption(plain(name))
            st.text(text or "–")


def _read(found: Drift) -> str:
    """The picture in a sentence: how many texts are the same, and what the other model needs more."""
    n = len(found.asked[2])
    same = sum(a == b for a, b in zip(found.texts["a"], found.texts["b"], strict=True))
    told = ngettext("{same} of {n} text is the same.", "{same} of {n} texts are the same.", n)
    said = [told.format(same=same, n=n)]
    shifts = mean_shifts(found.rows)
    if "a" in shifts:
        words = _("What A wrote costs B {bits:+.3f} bits per byte compared with A itself")
        said.append(words.format(bits=shifts["a"]))
        said[-1] += (
            "; " + _("what B wrote costs A {bits:+.3f}.").format(bits=shifts["b"]) if "b" in shifts else "."
        )
    return " ".join(said)


@lru_cache(64)
def _spec(language: str, names: tuple[str, str], n: int) -> dict[str, Any]:
    """The constant part of the picture; `language` is the session's."""
    words = {
        "bits": _("Bits per byte of the text"), "text": _("Text"), "prompt": _("Prompt"),
        "shift": _("the other model needs more"), "a": f"A: {names[0]}", "b": f"B: {names[1]}",
        "by_a": _("written by A"), "by_b": _("written by B"),
    }  # fmt: skip
    return charts.drift(words, n)
