"""The runs of the session's log as rows: names, prompts in words, settings, the project's metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict

import numpy as np
import streamlit as st

from playground.core.penalties import NO_PENALTIES
from playground.core.run_rows import RunRow
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.models import AdapterName
from playground.errors import PlaygroundError
from playground.ui import adapters, compute, frame, run_log
from playground.ui.lifecycle.project import Project
from playground.ui.run_log import Run
from playground.ui.text import N_, _, lesson

FINISH = {
    "stop": N_("a stop string"), "end_of_text": N_("the model ended the text"),
    "length": N_("the chosen length"), "matched": N_("the form is complete"),
    "context_full": N_("the context is full"),
    "": N_("ended by the reader"),
}  # fmt: skip
_PROMPTS = "lc_prompts"  # number of a run -> its prompt in words, where it was asked as token ids


def rows(own: Project) -> list[RunRow]:
    """All runs of the log as rows, oldest first."""
    log = run_log.log()
    prompts = _prompts(log.runs)
    return [_row(run, prompts[run.number], log.thumbs.get(run.number, ""), own) for run in log.runs]


def _row(run: Run, prompt: str, thumb: str, own: Project) -> RunRow:
    name = AdapterName.of(run.request.model)
    adapter = run.request.model.removeprefix(name.base_id).removeprefix("+")
    return RunRow(
        run.number, run.page, name.base_id, adapter, prompt, run.text, settings(run.request), run.finish,
        run.n_tokens, run.bits, own.value(run.text, run.bits, thumb), run.begun_at, run.first_s,
        run.elapsed_s,
        thumb, run.repeats,
    )  # fmt: skip


def settings(request: GenerateRequest) -> dict[str, object]:
    """Every setting of the draw, by name."""
    return {
        **asdict(request.sampling), **asdict(request.penalties), "seed": request.seed,
        "max_new_tokens": request.max_new_tokens, "stop": list(request.stop), "alone": request.alone,
        "n_written": len(request.written), "n_drawn": request.n_drawn,
        "constraint": "" if request.constraint is None else request.constraint.kind,
    }  # fmt: skip


def told(request: GenerateRequest) -> str:
    """The settings that count, in one line."""
    sampling, words = request.sampling, []
    if sampling.temperature == 0:
        words.append(_("greedy"))
    else:
        words += [
            _("temperature {value:g}").format(value=sampling.temperature),
            _("seed {seed}").format(seed=request.seed),
        ]
        for name, off in (("top_k", 0), ("top_p", 1.0), ("min_p", 0.0), ("typical_p", 1.0)):
            if (value := getattr(sampling, name)) != off:
                words.append(f"{name.replace('_', '-')} {value:g}")
    if request.penalties != NO_PENALTIES:
        words.append(_("penalties"))
    words.append(f"max_new_tokens {request.max_new_tokens}")
    return ", ".join(words)


def _prompts(runs: Iterable[Run]) -> Mapping[int, str]:
    """Number of each run -> its prompt; token ids are spelled once a session."""
    known: dict[int, str] = st.session_state.get(_PROMPTS, {})
    found = {run.number: known[run.number] if run.number in known else _prompt(run.request) for run in runs}
    st.session_state[_PROMPTS] = found
    return found


def _prompt(request: GenerateRequest) -> str:
    if request.input_ids is None:
        return request.text
    with suppress(PlaygroundError):
        return "".join(compute.tokenizers().token_texts(request.model, np.array(request.input_ids)))
    return " ".join(map(str, request.input_ids))


def model_names() -> dict[str, str]:
    """Model id, with its adapter -> its name in lists."""
    return {model_id: entry.name for model_id, entry in frame.models().items()} | adapters.names()


def model_name(model: str) -> str:
    """A model with its adapter as it is called in lists; its id where it is gone."""
    name, known = AdapterName.of(model), model_names()
    return known.get(model) or known.get(f"{name.base_id}+{name.adapter_id}") or model


def page_name(page: str) -> str:
    """The title of a page, its name where there is none."""
    with suppress(OSError, KeyError):
        return lesson(page).title
    return page
