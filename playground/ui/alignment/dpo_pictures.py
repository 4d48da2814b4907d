"""A run of DPO in pictures and words: loss, both answers, pair by pair, distance, and what is written."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from playground.charts import alignment_dpo as charts
from playground.core.policy.dpo import Dpo
from playground.core.preferences.dpo_run import LN2, DpoRun, moved
from playground.core.tables import alignment_dpo as frames
from playground.ui import show
from playground.ui.choose import choose
from playground.ui.text import _, ngettext, plain

LEAST_EXTENT, LEAST_KL = 5.0, 0.05


def draw(run: DpoRun, key: str) -> None:
    """Draw the picture that the reader wants of a run, the sentences that read it, and the samples.

    Args:
        run: The run.
        key: Beginning of the keys of the pictures.
    """
    views = {
        "answers": _("Loss and both answers"),
        "pairs": _("Pair by pair"),
        "distance": _("KL and accuracy"),
        "samples": _("Before and after"),
    }
    view = choose("al_dpo_view", views, _("Picture of the run"))
    measured = {one.step: one.dpo(run.beta) for one in run.milestones}
    with st.container(key=f"{key}_picture"):
        if view == "answers":
            _answers(run, measured, key)
        elif view == "pairs":
            _pairs(run, measured, key)
        elif view == "distance":
            _distance(run, measured, key)
        else:
            _samples(run)
    for text in reading(run):
        st.markdown(text)


def _answers(run: DpoRun, measured: Mapping[int, Dpo], key: str) -> None:
    left, right = st.columns(2)
    with left:
        spec = charts.losses(_words(), n_steps=run.n_steps)
        alt = _("Loss of each batch and of the held-out pairs against the steps, with the line of ln 2")
        show.show_chart(spec, f"{key}_loss", alt, data=frames.losses(run.train, run.held_out))
    with right:
        table = frames.log_ratios(measured, run.beta)
        extent = _rounded_up(max(LEAST_EXTENT, float(table["log_ratio"].abs().max() or 0.0)))
        spec = charts.log_ratios(_words(), n_steps=run.n_steps, extent=extent)
        alt = _("Log-probability of chosen and rejected answers relative to the reference, step by step")
        show.show_chart(spec, f"{key}_ratios", alt, data=table)


def _pairs(run: DpoRun, measured: Mapping[int, Dpo], key: str) -> None:
    if not measured or len(run.held_out_pairs) != len(run.milestones[-1].chosen):
        st.caption(_("The first measurement comes in a moment; step 0 is the model as it was."))
        return
    step = max(measured)
    table = frames.pairs(measured[step], run.held_out_pairs)
    extent = _rounded_up(max(0.5, float(table["reward"].abs().max())))
    spec = charts.pair_rewards(_words(), extent=extent, n_pairs=len(run.held_out_pairs))
    alt = _("Implicit reward of both answers of each held-out pair after the last measured step")
    show.show_chart(spec, f"{key}_rewards", alt, data=table)
    st.caption(
        _("Held-out pairs after step {step}; the line between the two is the margin.").format(step=step)
    )


def _distance(run: DpoRun, measured: Mapping[int, Dpo], key: str) -> None:
    table = judged(run, measured)
    left, right = st.columns(2)
    with left:
        most = _rounded_up(max(LEAST_KL, float(table["kl"].max()) if len(table) else 0.0))
        spec = charts.divergence(_words(), n_steps=run.n_steps, most=most)
        alt = _("KL divergence from the reference against the steps")
        show.show_chart(spec, f"{key}_kl", alt, data=table)
    with right:
        spec = charts.accuracy(_words(), n_steps=run.n_steps)
        alt = _("Share of the held-out pairs in the right order against the steps, with 95 % intervals")
        show.show_chart(spec, f"{key}_accuracy", alt, data=table)


def _samples(run: DpoRun) -> None:
    """The answers to each prompt before the first step and after the last measured one."""
    found = [(prompt, run.written(at)) for at, prompt in enumerate(run.prompts)]
    if not any(written for _prompt, written in found):
        st.caption(_("At milestones the same held-out prompts are continued here."))
    for prompt, written in found:
        if written is None:
            continue
        before, after, step = written
        st.markdown(f"**{plain(prompt)}**")
        for column, title, text in zip(
            st.columns(2),
            (_("before"), _("after step {step}").format(step=step)),
            (before, after),
            strict=True,
        ):
            with column, st.container(border=True):
                st.caption(title)
                st.text(text or "∅")


def judged(run: DpoRun, measured: Mapping[int, Dpo]) -> pd.DataFrame:
    """KL divergence and pair accuracy at each milestone."""
    return frames.judged(measured, {one.step: one.kl for one in run.milestones})


def reading(run: DpoRun) -> list[str]:
    """The run in words: where its loss began, where both answers went, and what held-out pairs say."""
    if not run.milestones:
        told = _("Every run begins at a loss of ln 2 = {ln2:.4f}: policy and reference are the same.")
        return [told.format(ln2=LN2)]
    first, last = run.milestones[0].dpo(run.beta), run.milestones[-1]
    if not last.step:
        told = _(
            "At step 0 policy and reference are the same model: every margin is 0 and the loss is "
            "{first:.4f} = ln 2."
        )
        return [told.format(first=first.loss)]
    told = _(
        "At step 0 policy and reference are the same model, every margin is 0 and the loss is "
        "{first:.4f} = ln 2; after step {step} it is {last:.4f} on held-out pairs."
    )
    said = told.format(first=first.loss, step=last.step, last=last.dpo(run.beta).loss)
    return [said, _of_answers(run), _of_distance(run)]


def _of_answers(run: DpoRun) -> str:
    """Both log-probabilities relative to the reference; that both can fall while the margin grows."""
    found = moved(run.milestones[-1], run.beta)
    values = {
        "chosen": found.chosen, "rejected": found.rejected, "gap": found.margin,
        "margin": run.beta * found.margin,
    }  # fmt: skip
    if found.both_fell:
        told = _(
            "Both answers became less probable than under the reference: the chosen ones by {down:.1f} nats, "
            "the rejected ones by {more:.1f}. The margin still grew to β · {gap:.1f} = {margin:.2f}: the "
            "loss knows only the difference."
        )
        told = told.format(down=-found.chosen, more=-found.rejected, **values)
    else:
        told = _(
            "Relative to the reference the chosen answers moved by {chosen:+.1f} and the rejected ones by "
            "{rejected:+.1f} nats: the margin is β · {gap:.1f} = {margin:.2f}."
        ).format(**values)
    if found.n_both_fell:
        more = ngettext(
            "In {part} of {n} pair both fell while the margin grew.",
            "In {part} of {n} pairs both fell while the margin grew.",
            found.n,
        )
        told += " " + more.format(part=found.n_both_fell, n=found.n)
    return told


def _of_distance(run: DpoRun) -> str:
    last = run.milestones[-1]
    right = last.accuracy(run.beta)
    if right is None:
        return _("The run diverged: a reward is not a number any more. Try a lower learning rate.")
    told = _(
        "{right:g} of {n} held-out pairs are in the right order ({share:.0%}, 95 % interval {low:.0%} to "
        "{high:.0%}); along their answers the KL divergence from the reference is {kl:.3f} nats per token."
    )
    return told.format(
        right=right.n_right, n=right.n, share=right.share, low=right.low, high=right.high, kl=last.kl
    )


def under(run: DpoRun, *, is_shipped: bool = False) -> None:
    """Draw the source of the numbers, the values and the code."""
    words = [
        run.model,
        _("revision {hash}").format(hash=run.revision[:12]),
        f"β {run.beta:g}",
        _("pairs learned: {n}, held out: {m}").format(n=len(run.pairs), m=len(run.held_out_pairs)),
        *([_("{n:.0f} s").format(n=run.seconds)] if run.seconds >= 1 and not is_shipped else []),
        _("comes with the playground, on its English pairs") if is_shipped else _("trained in this session"),
    ]
    st.caption(plain(" · ".join(words)))
    measured = {one.step: one.dpo(run.beta) for one in run.milestones}
    show.under_picture(
        "alignment_dpo", frame=lambda: values(run, measured), code=lambda: code(run), picture="al_dpo_picture"
    )


def values(run: DpoRun, measured: Mapping[int, Dpo]) -> pd.DataFrame:
    """Every milestone in a row: losses, log-ratios, accuracy and KL."""
    losses = frames.losses((), run.held_out).set_index("step")["loss"].rename("held_out_loss")
    ratios = frames.log_ratios(measured, run.beta).pivot_table(
        index="step", columns="answer", values="log_ratio"
    )
    table = judged(run, measured).set_index("step")
    return table.join([losses, ratios]).reset_index()


def code(run: DpoRun) -> str:
    """The same run with plain peft."""
    own = run.settings
    names = ("n_steps", "learning_rate", "batch_size", "seed", "beta", "r", "lora_alpha", "target_modules")
    return show.code(
        "dpo", folder=show.model_folder(run.model), **{name: own[name] for name in names},
        pairs=[(one.prompt, one.chosen, one.rejected) for one in run.pairs],
        held_out=[(one.prompt, one.chosen, one.rejected) for one in run.held_out_pairs],
    )  # fmt: skip


def _rounded_up(value: float) -> float:
    """1, 2 or 5 times a power of ten, at least as much as a value."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    ten = 10.0 ** math.floor(math.log10(value))
    return next(times * ten for times in (1, 2, 5, 10) if times * ten >= value * (1 - 1e-9))


def _words() -> Mapping[str, str]:
    return {
        "step": _("Training step"),
        "loss": _("Loss (nats per pair)"),
        "data": _("Data"),
        "train": _("each batch"),
        "held_out": _("held-out pairs"),
        "ln2": f"ln 2 = {LN2:.3f}",
        "log_ratio": _("log-ratio to the reference (nats)"),
        "answer": _("Answer"),
        "chosen": _("chosen"),
        "rejected": _("rejected"),
        "reference": _("the reference"),
        "pair": _("Pair"),
        "prompt": _("Prompt"),
        "text": _("Text"),
        "reward": _("Implicit reward (nats)"),
        "margin": _("Margin"),
        "kl": _("KL to the reference (nats per token)"),
        "accuracy": _("Held-out pairs in the right order"),
        "low": _("from"),
        "high": _("to"),
        "n": _("Pairs"),
        "chance": _("chance"),
    }
