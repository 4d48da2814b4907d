"""The code of the panel runs in a notebook that has nothing but OpenAI's client, and prints our numbers."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from playground.core.sampling import GREEDY
from playground.engine.contract.generation import GenerateRequest
from playground.engine.contract.scores import ScoreRequest
from playground.engine.local.engine import LocalEngine
from playground.ui import show
from tests.v1.conftest import CHAT, Served

TEXT = "The capital of England is"


def test_the_shown_code_prints_what_the_engine_computes(
    served: Served, local: LocalEngine, tmp_path: Path
) -> None:
    script = tmp_path / "endpoint.py"
    script.write_text(show.code("endpoint", address=served.url, model=CHAT, text=TEXT), "utf-8")
    key = {"OPENAI_API_KEY": served.key()}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env={**os.environ, **key, "PYTHONIOENCODING": "utf-8"},
        capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    steps = list(local.generate(GenerateRequest(CHAT, text=TEXT, sampling=GREEDY, max_new_tokens=8)))
    shares = [float(share) for share in re.findall(r" (\d+\.\d) %$", done.stdout, re.MULTILINE)]
    assert shares == pytest.approx([100 * math.exp(step.logprob) for step in steps], abs=0.051)
    first = served.engine.tokenizers.tokenize(CHAT, TEXT, add_special_tokens=True)
    rest = TEXT.removeprefix(first.tokens[0])
    ((_place, scores),) = local.score(ScoreRequest(CHAT, (first.tokens[0],), ((rest,),)))
    (told,) = re.findall(r"text: (-\d+\.\d\d) nats", done.stdout)
    assert float(told) == pytest.approx(scores.logprobs[0], abs=0.006)
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith('{"city": "')
    assert '"' in last
    if last.endswith('"}'):
        assert list(json.loads(last)) == ["city"]
