"""The code under the pictures of models trained from zero."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from playground.core.pretraining_run import folder
from playground.ui import show
from playground.ui.pretraining import texts
from playground.ui.pretraining.seen import Seen

N_SHOWN = 10  # steps that the shown code trains


def training(seen: Seen) -> str:
    """The first steps of a run again: plain torch for the next byte, else the playground's own loop."""
    own = seen.settings
    if own.objective != "next" or seen.read.other:
        return run(seen, min(N_SHOWN, own.n_steps))
    names = (
        "n_layers", "d_model", "n_heads", "window", "n_steps", "learning_rate", "warm_up", "batch_size",
        "seed",
    )  # fmt: skip
    values = {name: getattr(own, name) for name in names}
    return show.code("pretraining", n_shown=min(N_SHOWN, own.n_steps), **values, **_source(seen))


def run(seen: Seen, n_shown: int) -> str:
    """The playground's own loop over the first steps of a run, and a head and the bytes after them."""
    return show.code(
        "pretraining_run", settings=asdict(seen.settings), n_shown=n_shown, is_half=bool(seen.read.other),
        **_source(seen),
    )  # fmt: skip


def words(seen: Seen) -> str:
    """The share of real words at each milestone."""
    prompts = seen.read.prompts
    samples = [(one.step, prompts[one.prompt], one.text) for one in seen.samples if one.prompt < len(prompts)]
    return show.code("pretraining_words", samples=samples, **_source(seen))


def byte_map(seen: Seen, step: int) -> str:
    """The bytes at one step: from the file that comes with the playground, else by training up to there."""
    if not seen.is_shipped:
        return run(seen, step)
    file = folder() / f"{seen.run_id}.npz"
    return show.code("pretraining_bytes", file=str(file), step=step)


def transfer(seen: Seen, job: str) -> str:
    """Heads on both bodies: the run again up to its end, then the same few labels."""
    return show.code("pretraining_transfer", settings=asdict(seen.settings), job=job, **_source(seen))


def _source(seen: Seen) -> dict[str, Any]:
    """The text: a file that comes with the playground, or the reader's own."""
    if seen.settings.data == texts.OWN:
        return {"text": seen.read.text + seen.read.other}
    return {"file": str(texts.file_of(seen.settings.data))}
