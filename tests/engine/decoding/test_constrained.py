"""Constrained rows: what they write matches, from the exact distribution, and nobody beside them notices."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from playground.core import ranking, sampling
from playground.core.penalties import Penalties, penalised
from playground.core.sampling import GREEDY, Sampling
from playground.engine.constraining import form as forms
from playground.engine.contract.constraints import Constraint
from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.errors import Cancelled, ConstraintRefused, Superseded
from tests import tiny

TEXT = "the cat sat on"
WARM = Sampling(temperature=0.9)


def regex_request(source: str, **more: Any) -> GenerateRequest:
    asked: dict[str, Any] = {"model": tiny.LLAMA, "text": TEXT, "sampling": WARM, "max_new_tokens": 40}
    return GenerateRequest(constraint=Constraint("regex", source), **(asked | more))


def written(steps: list[GenerateStep]) -> str:
    return "".join(step.text for step in steps)


def tokens(steps: list[GenerateStep]) -> list[int]:
    return [step.token_id for step in steps]


def check_reasons(steps: list[GenerateStep]) -> None:
    last = steps[-1]
    assert last.constrained is not None
    assert last.finish_reason in ("matched", "end_of_text", "length")
    if last.finish_reason != "length":
        assert last.constrained.matches


# ---- the distribution


@pytest.mark.parametrize(
    "chosen",
    [
        Sampling(), GREEDY, Sampling(0.7, top_k=3), Sampling(1.4, top_p=0.8), Sampling(1.0, min_p=0.2),
        Sampling(1.1, typical_p=0.6), Sampling(1.3, top_k=5, top_p=0.9, min_p=0.05, order="vllm"),
        Sampling(1.3, top_k=5, typical_p=0.8, order="llama.cpp"),
    ],
)  # fmt: skip
def test_each_draw_is_from_the_models_distribution_with_all_else_ruled_out(
    tiny_engine: LocalEngine, chosen: Sampling
) -> None:
    """The same arithmetic over all logits, -inf where the bytes of a token cannot go on (a list of texts)."""
    texts = ["the cat", "the mat and", "that 서울", "1 2 3", "the"]
    penalties = Penalties(repetition_penalty=1.3, presence_penalty=0.4, frequency_penalty=0.2)
    asked = regex_request("|".join(texts), sampling=chosen, seed=5, penalties=penalties, n_top=9)
    steps = list(tiny_engine.generate(asked))
    assert written(steps) in texts
    tokenizer = tiny_engine._table.tokenizer(tiny.LLAMA)
    vocabulary = [tokenizer.token_bytes(at) for at in range(400)]
    stream = np.random.Generator(np.random.Philox(key=5))
    prompt, done, ids = tokenizer.encode(TEXT), b"", list[int]()
    for step in steps:
        request = TraceRequest(tiny.LLAMA, input_ids=(*prompt, *ids), capture=Capture(logits="last"))
        logits = np.asarray(tiny_engine.trace(request).logits).reshape(-1)
        can = np.array(
            [bool(own) and any(text.encode().startswith(done + own) for text in texts) for own in vocabulary]
        )
        can[sorted(tokenizer.eos_ids)] = done.decode("utf-8", "replace") in texts
        masked = np.where(can[: len(logits)], penalised(logits, prompt, ids, penalties), -np.inf)
        kept = sampling.distribution(ranking.rank(masked), chosen)
        place, _margin = sampling.draw_index(kept, stream.random())
        assert step.near_tie or step.token_id == kept.token_ids[place]
        at = int(np.flatnonzero(kept.token_ids == step.token_id)[0])
        np.testing.assert_allclose(step.prob, kept.probs[at], atol=1e-5)
        assert step.n_kept == kept.n_kept
        own = np.exp(logits.astype(np.float64) - np.logaddexp.reduce(logits.astype(np.float64)))
        assert step.constrained is not None
        assert step.constrained.n_allowed == can.sum()
        np.testing.assert_allclose(step.constrained.mass, own[can[: len(logits)]].sum(), rtol=1e-4)
        np.testing.assert_allclose(np.exp(step.logprob), own[step.token_id], rtol=1e-4)
        assert step.rank == (logits > logits[step.token_id]).sum() or step.near_tie
        np.testing.assert_allclose(step.top_logits, np.sort(logits)[::-1][:9], atol=1e-4)
        ids.append(step.token_id)
        done += vocabulary[step.token_id]


def test_a_constraint_that_rules_out_nothing_changes_nothing_but_what_is_no_text(
    tiny_engine: LocalEngine,
) -> None:
    """Only tokens that cannot be part of UTF-8 text fall."""
    free = regex_request("x", seed=3, alone=True)
    plain = list(tiny_engine.generate(replace(free, constraint=None)))
    held = list(tiny_engine.generate(replace(free, constraint=Constraint("regex", "(?s).*"))))
    for one, other in zip(plain, held, strict=False):
        assert other.constrained is not None
        assert other.constrained.mass <= 1
        if one.token_id != other.token_id:
            break
        assert (one.logprob, one.entropy_bits) == (other.logprob, other.entropy_bits)


# ---- beside others


def test_rows_beside_constrained_ones_are_bitwise_what_they_are_without(tiny_engine: LocalEngine) -> None:
    def together(constraint: Constraint | None) -> list[list[GenerateStep]]:
        free = [
            GenerateRequest(tiny.LLAMA, text, sampling=WARM, seed=seed, max_new_tokens=12)
            for seed, text in enumerate(("a dog", TEXT))
        ]
        held = replace(free[0], constraint=constraint, text="the mat")
        found: list[list[GenerateStep]] = [[], [], []]
        for which, step in tiny_engine.generate_many(GenerateManyRequest(tiny.LLAMA, (*free, held))):
            found[which].append(step)
        return found

    without, beside = together(None), together(Constraint("regex", "[a-z ]{200}"))
    assert [len(one) for one in without] == [len(one) for one in beside] == [12, 12, 12]
    assert tokens(without[2]) != tokens(beside[2])
    for one, other in zip([*without[0], *without[1]], [*beside[0], *beside[1]], strict=True):
        assert other.constrained is None
        same = ("token_id", "logprob", "prob", "entropy_bits", "log_sum_exp", "n_kept", "near_tie")
        assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
        assert one.top_logits.tobytes() == other.top_logits.tobytes()


def test_a_seed_gives_the_same_tokens_whoever_joins_and_leaves(tiny_engine: LocalEngine) -> None:
    sources = [r"\d+( \d+)*", "(the|a) (cat|dog|mat)( sat)?", r"[가-힣 ]{2,9}\.", "[^z]{3,30}", "(ab?)*!"]
    wanted = [regex_request(sources[i % 5], seed=i, max_new_tokens=4 + i, alone=False) for i in range(20)]
    alone = [tokens(list(tiny_engine.generate(one))) for one in wanted]
    found: dict[int, list[GenerateStep]] = {}

    def student(i: int) -> None:
        time.sleep(0.003 * (i % 7))
        found[i] = list(tiny_engine.generate(wanted[i]))

    threads = [threading.Thread(target=student, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, ids in enumerate(alone):
        ties = [step.near_tie for step in found[i]]
        assert tokens(found[i]) == ids or any(ties)
        check_reasons(found[i])


def test_a_run_is_taken_up_again_in_the_middle_of_a_match(tiny_engine: LocalEngine) -> None:
    asked = regex_request(r"\d{3}-\d{4}-[a-c]{3}", seed=4)
    whole = list(tiny_engine.generate(asked))
    assert len(whole) > 3
    for n in range(1, len(whole)):
        rest = replace(
            asked, written=tuple(tokens(whole[:n])), n_drawn=n, max_new_tokens=asked.max_new_tokens - n
        )
        steps = list(tiny_engine.generate(rest))
        assert tokens(steps) == tokens(whole[n:])
        assert steps[-1].finish_reason == "matched"


def test_an_error_of_a_form_ends_its_own_row(
    tiny_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, n_taken = forms.Form.take, 0

    def fails(self: forms.Form, token_id: int) -> None:
        nonlocal n_taken
        n_taken += 1
        if n_taken == 3:
            raise self._refused(forms._NO_TEXT)
        take(self, token_id)

    monkeypatch.setattr(forms.Form, "take", fails)
    held = regex_request("[a-z]{100}")
    free: list[list[GenerateStep]] = []
    beside = threading.Thread(
        target=lambda: free.append(list(tiny_engine.generate(replace(held, constraint=None, owner="bo"))))
    )
    beside.start()
    with pytest.raises(ConstraintRefused, match="no text that this model can write"):
        list(tiny_engine.generate(held))
    beside.join()
    assert len(free[0]) == 40 or free[0][-1].finish_reason == "end_of_text"


def test_constrained_rows_are_cancelled_and_superseded_as_any(tiny_engine: LocalEngine) -> None:
    held = regex_request("[a-z]{400}", max_new_tokens=100, owner="ann", request_id="it")
    for is_cancelled, error in ((True, Cancelled), (False, Superseded)):
        steps = tiny_engine.generate(held)
        next(steps)
        if is_cancelled:
            tiny_engine.cancel("it")
        newer = tiny_engine.generate(regex_request("ab", owner="ann"))
        assert written(list(newer)) == "ab"
        with pytest.raises(error):
            list(steps)


# ---- the end


def test_why_a_text_ended_is_said(tiny_engine: LocalEngine) -> None:
    def ending(source: str, **more: Any) -> tuple[str | None, bool]:
        last = list(tiny_engine.generate(regex_request(source, **more)))[-1]
        assert last.constrained is not None
        return last.finish_reason, last.constrained.matches

    assert ending("ab") == ("matched", True)
    assert ending("(?:)") == ("end_of_text", True)
    assert ending("[a-z]{90}", max_new_tokens=3) == ("length", False)
    assert ending("[a-z]*!", max_new_tokens=3, sampling=GREEDY)[0] in ("length", "matched")
    assert ending("cat and dog", stop=("and",)) == ("stop", False)
    assert ending("cat and", stop=("and",)) == ("stop", False)
    n_text = len(tiny_engine.tokenizers.tokenize(tiny.LLAMA, TEXT, add_special_tokens=True).input_ids)
    n_left = tiny.N_CTX - n_text
    assert ending("[a-c]{999}", max_new_tokens=n_left) == ("length", False)
    assert ending("[a-c]{999}", max_new_tokens=n_left + 1) in (("context_full", False), ("length", False))
