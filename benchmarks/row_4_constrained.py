"""Row 4, constrained: a form's share of a step, beside the step; what it takes to begin one.

Times are of the processor: they say the same on a busy machine. The peer of a constrained text is the same
request without its constraint.
"""

from __future__ import annotations

import json
import time
from statistics import median
from typing import Any

from playground.core.sampling import GREEDY
from playground.engine.constraining.form import Form, form_of
from playground.engine.constraining.vocabulary import vocabulary_of
from playground.engine.contract.constraints import Constraint
from playground.engine.contract.generation import GenerateRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.loaded import LoadedModel
from playground.settings import Settings

TEXT = "A city and its country, as JSON:\n"
N_TOKENS, ROUNDS = 32, 9
FORMS = {
    "a JSON schema": Constraint(
        "json_schema",
        json.dumps({
            "type": "object", "additionalProperties": False,
            "required": ["city", "country", "people", "notes"],
            "properties": {
                "city": {"type": "string", "maxLength": 30},
                "country": {"enum": ["France", "England", "한국"]},
                "people": {"type": "integer", "minimum": 0, "maximum": 99_999_999},
                "notes": {"type": "string"},
            },
        }),
    ),
    "any text": Constraint("regex", r"(?s).*"),
    "words": Constraint("regex", r"(\w+ )*\w+\."),
}  # fmt: skip


def run() -> list[dict[str, Any]]:
    """Milliseconds of processor time."""
    settings = Settings()
    engine = LocalEngine(settings)
    loaded = engine.adapters.load(settings.default_model).result()
    figures = [_figure("the trie of a vocabulary, once a model", _spent(lambda: vocabulary_of(loaded)))]
    for name, constraint in FORMS.items():
        form_of(constraint, loaded)  # once: classes of characters are kept
        begins = [_spent(lambda one=constraint: form_of(one, loaded)) for _round in range(ROUNDS)]
        figures.append(_figure(f"a form begins: {name}", median(begins)))
        steps = _steps(engine, loaded, constraint)
        figures += [
            _figure(f"a form's share of a step, mean: {name}", sum(steps) / len(steps)),
            _figure(f"a form's share of a step, most: {name}", max(steps)),
        ]
    figures.append(_beside(engine, settings.default_model))
    engine.close()
    return figures


def _spent(act: Any) -> float:  # noqa: ANN401
    started = time.thread_time()
    act()
    return (time.thread_time() - started) * 1e3


def _steps(engine: LocalEngine, loaded: LoadedModel, constraint: Constraint) -> list[float]:
    """Time of each step's mask and of taking its token, of a text that the model wrote."""
    request = GenerateRequest(
        loaded.entry.model_id, TEXT, sampling=GREEDY, max_new_tokens=N_TOKENS, constraint=constraint
    )
    ids = [step.token_id for step in engine.generate(request)]
    form, found = form_of(constraint, loaded), list[float]()
    for token_id in ids:
        found.append(_spent(lambda one=form, at=token_id: _step(one, at)))
    return found


def _step(form: Form, token_id: int) -> None:
    form.allowed()
    form.take(token_id)


def _beside(engine: LocalEngine, model: str) -> dict[str, Any]:
    """A token of a text with and without a constraint that never ends it, in turn."""
    plain = GenerateRequest(model, TEXT, sampling=GREEDY, max_new_tokens=N_TOKENS)
    held = GenerateRequest(
        model, TEXT, sampling=GREEDY, max_new_tokens=N_TOKENS, constraint=Constraint("regex", "[a-z ]{999}")
    )
    times: dict[bool, list[float]] = {True: [], False: []}
    for _round in range(ROUNDS):
        for is_held, request in ((True, held), (False, plain)):
            started = time.process_time()
            n_steps = len(list(engine.generate(request)))
            times[is_held].append((time.process_time() - started) / n_steps * 1e3)
    ours, peer = min(times[True]), min(times[False])
    return _figure("a token of a constrained text, all of it", ours) | {
        "peer": peer, "peer_name": "the same text without a constraint", "ratio": peer / ours,
    }  # fmt: skip


def _figure(metric: str, value: float) -> dict[str, Any]:
    return {
        "row": 4, "metric": metric, "ours": value, "peer": None, "peer_name": None, "unit": "ms",
        "ratio": None, "target": None, "limit": None, "ok": None,
    }  # fmt: skip
