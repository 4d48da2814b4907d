"""The console command, called in this process."""

from __future__ import annotations

from click.testing import CliRunner, Result

from playground import cli


def invoke(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(cli.main, list(arguments), env=env)


def one_sentence(result: Result) -> str:
    """What a failed command wrote: one line, no traceback."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.output.strip().splitlines()
    assert len(lines) == 1, result.output
    return lines[0]
