"""`python -m playground.trained [NAME ...]`: train again what is shipped, all or what is named."""

from __future__ import annotations

import click
import torch

from playground.engine.models.shipped import trained_assets
from playground.trained.scripts import SCRIPTS


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(SCRIPTS)))
def main(names: tuple[str, ...]) -> None:
    """Train NAMES again, or everything, and replace what is shipped."""
    torch.set_num_threads(1)  # sums in one order, so that the same seed gives the same numbers
    for name in names or SCRIPTS:
        click.echo(name)
        SCRIPTS[name](trained_assets(), click.echo)


if __name__ == "__main__":
    main(prog_name="python -m playground.trained")
