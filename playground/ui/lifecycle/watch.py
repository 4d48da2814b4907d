"""In use: signs in the log that somebody who answers for a model watches, and how long readers waited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import streamlit as st

from playground.charts import lifecycle as charts
from playground.core.log_checks import LOOP_SHARE, percentiles, personal, repeated_share
from playground.core.tables import lifecycle as frames
from playground.ui import run_log, show
from playground.ui.lifecycle import track
from playground.ui.panels import Later
from playground.ui.run_log import Run, RunLog
from playground.ui.state import PageContext
from playground.ui.text import N_, _, plain

_NAMES: Mapping[str, str] = {
    "asked": N_("personal data in the prompt"), "told": N_("personal data in the text"),
    "loop": N_("the text repeats itself"), "cut": N_("cut off at the chosen length"),
    "down": N_("thumbs down, of those rated"),
}  # fmt: skip
_CURES: Mapping[str, str] = {
    "asked": N_("Prompts are sent and logged: mask names, addresses and numbers before they are."),
    "told": N_(
        "Look at it: it may come from the prompt, from training, or be made up. Filter it before it is shown."
    ),
    "loop": N_("Draw instead of always taking the most probable token, or set a repetition penalty."),
    "cut": N_("Allow more tokens, or ask for a shorter answer."),
    "down": N_("These are the pairs that alignment needs, and the cases that the next test set should hold."),
}
_MOST_NAMED = 12


def panel(context: PageContext) -> Later | None:
    """Draw the signs and the waiting times; on an empty log, make the first runs."""
    st.markdown(f"## {_('What would you have to notice in use?')}")
    log = run_log.log()
    picture = st.container()
    if not log.runs:
        return track.empty(context, picture)
    found = signs(log)
    table = frames.signs({key: (_(_NAMES[key]), len(numbers), n) for key, (numbers, n) in found.items()})
    with picture:
        alt = _("Share of the runs with each sign, with its 95 % interval")
        show.show_chart(_spec(context.language), "lc_signs", alt, data=table)
        st.markdown(_waits(log.runs))
        st.markdown("\n".join(_line(key, *one) for key, one in found.items()))
        st.caption(
            _(
                "Personal data is sought by three patterns (e-mail, telephone, Korean registration "
                "number); a "
                "pattern does not prove it. Who answers for a model also asks whom its errors hit: no count "
                "shows that."
            )
        )
        show.under_picture(
            "lifecycle_signs", frame=table, code=partial(show.code, "watching"), picture="lc_signs"
        )
    return None


def signs(log: RunLog) -> dict[str, tuple[list[int], int]]:
    """Sign -> numbers of the runs that show it, and how many were looked at."""
    runs = log.runs
    n = len(runs)
    return {
        "asked": ([run.number for run in runs if personal(run.request.text)], n),
        "told": ([run.number for run in runs if personal(run.text)], n),
        "loop": ([run.number for run in runs if repeated_share(run.text) >= LOOP_SHARE], n),
        "cut": ([run.number for run in runs if run.finish == "length"], n),
        "down": ([number for number, thumb in log.thumbs.items() if thumb == "down"], len(log.thumbs)),
    }


def _line(key: str, numbers: Sequence[int], n: int) -> str:
    told = _("{n_true} of {n}").format(n_true=len(numbers), n=n)
    line = f"- **{plain(_(_NAMES[key]))}**: {told}"
    if not numbers:
        return line
    named = ", ".join(str(number) for number in numbers[:_MOST_NAMED])
    more = ", …" if len(numbers) > _MOST_NAMED else ""
    return f"{line} ({_('runs {numbers}').format(numbers=named + more)}). {_(_CURES[key])}"


def _waits(runs: Sequence[Run]) -> str:
    """Waiting times and speed in a sentence."""
    middle, late = percentiles([run.first_s for run in runs])
    seconds = [(run.elapsed_s - run.first_s) / (run.n_tokens - 1) for run in runs if run.n_tokens > 1]
    per_token, slow = percentiles(seconds)
    told = _(
        "First token after {middle:.2f} s (median; 95 % within {late:.2f} s), each further one after "
        "{token:.0f} ms (95 % within {slow:.0f} ms)."
    )
    return told.format(middle=middle, late=late, token=1_000 * per_token, slow=1_000 * slow)


@lru_cache
def _spec(language: str) -> dict[str, Any]:
    """The constant part of the picture; `language` is the session's."""
    words = {
        "share": _("Share of the runs"), "low": _("95 % interval from"), "high": _("to"),
        "n_true": _("With it"),
        "n": _("Runs looked at"), "sign": _("Sign"),
    }  # fmt: skip
    return charts.signs(words, [_(name) for name in _NAMES.values()])
