"""The script under the picture of the nine tasks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from playground.core.glue import TASKS
from playground.core.glue_answers import Told, Way
from playground.paths import site_root
from playground.ui import compute, show


def shown(told: Mapping[Way, Mapping[str, Told]], languages: tuple[str, ...]) -> str:
    """A script that gives the figures of the head and of the prompts again.

    Args:
        told: Each way's answers.
        languages: Codes of the languages that count.
    """
    infos = {info.model_id: info for info in compute.models()}
    encoder, decoder = (_model(told, way) for way in ("head", "zero"))
    sets = site_root() / "assets" / "samples" / "glue"
    home = Path.home()
    return show.code(
        "glue",
        sets=f"~/{sets.relative_to(home).as_posix()}" if sets.is_relative_to(home) else str(sets),
        languages=list(languages),
        encoder=show.model_folder(encoder) if encoder else "",
        prefix=infos[encoder].prefixes.text if encoder in infos else "",
        decoder=show.model_folder(decoder) if decoder else "",
        asked={
            task: (about.instruction, list(about.names), about.output, list(about.words))
            for task, about in TASKS.items()
        },
    )


def _model(told: Mapping[Way, Mapping[str, Told]], way: Way) -> str:
    return next((one.model_id for one in told.get(way, {}).values()), "")
