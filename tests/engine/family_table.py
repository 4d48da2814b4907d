"""Table of family x capability with the errors against plain transformers, as assets/families.md holds it.

python -m tests.engine.family_table      measures everything and writes the file
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playground.engine import create_engine
from playground.engine.local.engine import LocalEngine
from playground.errors import Unsupported
from playground.paths import site_root
from tests import families
from tests.engine.target_measures import ALL, measure

PATH = site_root() / "assets" / "families.md"
REFUSED = "refused"
_HEAD = """# Families of models and what they can do

Largest error of each answer of the engine against plain transformers (a share of the largest number it gives,
where that is above 1), over tiny random models of the family with the values of `config.json` that change a
forward: `tests/families.py`. *refused*: the engine says so by name. Written by
`python -m tests.engine.family_table`; `tests/engine/models/test_families.py` holds every cell against what it
measures. Of an encoder-decoder the attentions are those of encoder, decoder and between them, a head or a
state is changed in the encoder, and what it generates, scores and searches for are targets.
"""


def read() -> dict[str, dict[str, str]]:
    """Family -> capability -> what the file says."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PATH.read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    names = rows[0][1:]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows[2:]}


def cell(engine: LocalEngine, models: list[str], capability: str) -> str:
    """The largest error of these models, to one digit; or that they refuse."""
    try:
        found = max(measure(engine, engine._settings, model, capability) for model in models)
    except Unsupported:
        return REFUSED
    return f"{found:.0e}"


def write(path: Path = PATH) -> None:
    """Measure everything and write the file."""
    lines = [_HEAD, f"| family | {' | '.join(ALL)} |", f"|---|{'---|' * len(ALL)}"]
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(families.make(Path(folder)))
        assert isinstance(engine, LocalEngine)
        for family in families.CASES:
            models = [one for one in families.VARIANTS if families.family_of(one) == family]
            cells = [cell(engine, models, capability) for capability in ALL]
            lines.append(f"| {family} | {' | '.join(cells)} |")
        engine.close()
    path.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    write()
