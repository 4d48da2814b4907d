"""`python -m benchmarks.class_of_thirty`: the class on our server and on the stock peer, and its report."""

from __future__ import annotations

import argparse
import shlex
import sys

from benchmarks.class_of_thirty.measure import Options, measure
from benchmarks.class_of_thirty.report import in_words, write


def main(arguments: list[str]) -> int:
    """Measure, print, write; 1 if a text was lost, strayed, or an action failed."""
    given = _parser().parse_args(arguments)
    options = Options(
        minutes=given.minutes,
        readers=given.readers,
        seed=given.seed,
        think_s=given.think,
        n_steps=given.steps,
        url=given.url or "",
        pid=given.pid,
        server_args=tuple(shlex.split(given.server_args)),
        kill_after_s=given.kill_after,
        kill_pattern=given.kill_pattern,
        with_peer=given.peer,
        with_person=given.person,
    )
    found = measure(options)
    print(in_words(found))
    if given.name:
        write(found, given.name)
    return 0 if found.is_clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.class_of_thirty", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--readers", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--think", type=float, default=12.0, help="mean seconds between two actions")
    parser.add_argument("--steps", type=int, default=12, help="steps of a training")
    parser.add_argument("--url", help="a server that runs already; with --pid it is watched too")
    parser.add_argument("--pid", type=int, default=0)
    parser.add_argument("--server-args", default="", help='such as "--engine ray --replicas 2"')
    parser.add_argument("--kill-after", type=float, default=0.0, help="seconds; then a process is killed")
    parser.add_argument("--kill-pattern", default="", help="pattern of the command line of that process")
    parser.add_argument("--peer", action="store_true", help="the same class on the stock peer afterwards")
    parser.add_argument("--person", action="store_true", help="once more, with a real Chromium among them")
    parser.add_argument("--name", default="", help="name of the report, such as class_local")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
