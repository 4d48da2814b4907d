"""How a candidate is cut: as in the whole text, whatever stands around it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground.core.few_shot import Example, PromptTask, blocks, candidates, following, label_probabilities
from playground.engine.contract.scores import ScoreRequest, Scores
from playground.engine.local.engine import LocalEngine
from playground.engine.models.catalogue import catalogue
from playground.engine.models.continuations import Ids, cut_together
from playground.engine.models.loading import load_tokenizer
from playground.engine.models.tokenizing import TextTokenizer
from playground.errors import BadValue, TextTooLong
from playground.settings import DEFAULT_DECODER, Settings
from tests import tiny
from tests.engine.conftest import oracle

REVIEWS = (
    Example("The soup was warm and the staff was kind.", "good enough"),
    Example("We waited for an hour.", "good"),
    Example("The cake was dry.", "good"),
)
NESTED = ("good", "good enough")
TEXT = st.lists(
    st.sampled_from(["a", " the", "\n", "\n\n", " ", "cap", "ital", ".", "?!", "7", "나", "👍", "Q:"]),
    max_size=7,
).map("".join)


@pytest.fixture(scope="session")
def smollm(real_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(real_settings)[DEFAULT_DECODER], real_settings)


@pytest.fixture(scope="session")
def tiny_bpe(tiny_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(tiny_settings)[tiny.LLAMA], tiny_settings)


@pytest.fixture(scope="session")
def unigram(tiny_settings: Settings) -> TextTokenizer:
    return load_tokenizer(catalogue(tiny_settings)[tiny.T5], tiny_settings)


def lm_evaluation_harness(tokenizer: TextTokenizer, context: str, continuation: str) -> tuple[Ids, Ids]:
    """`TemplateLM._encode_pair` of lm-evaluation-harness 0.4, word for word."""
    n_spaces = len(context) - len(context.rstrip())
    if n_spaces > 0:
        continuation = context[-n_spaces:] + continuation
        context = context[:-n_spaces]
    whole_enc = tokenizer.encode(context + continuation)
    context_enc = tokenizer.encode(context)
    return context_enc, whole_enc[len(context_enc) :]


@pytest.mark.real
@pytest.mark.parametrize(
    ("text", "candidate"),
    [
        ("The capital of England is", " London"),
        ("The capital of England is ", "London"),
        ("Answer:\n", "yes"),
        ("Q: a\nA: \t", "no"),
        ("수도는 ", "서울"),
        ("x =", "\n\n1"),
    ],
)
def test_candidates_are_cut_as_lm_evaluation_harness_cuts_them(
    smollm: TextTokenizer, text: str, candidate: str
) -> None:
    ids, (cut,) = cut_together(smollm, text, [candidate])
    assert (ids, cut) == lm_evaluation_harness(smollm, text, candidate)


@pytest.mark.real
@settings(max_examples=300)
@given(before=TEXT.map("x".__add__), candidate=TEXT.filter(bool), other=TEXT.filter(bool), behind=TEXT)
@example(before="Q: a\nA:", candidate=" good\n\n", other=" good enough\n\n", behind="Q: b")
@example(before="xThe cap", candidate="ital", other="a", behind="")
@pytest.mark.parametrize("name", ["smollm", "tiny_bpe", "unigram"])
def test_text_and_candidate_are_the_beginning_of_the_whole_text_cut_at_once(
    request: pytest.FixtureRequest, name: str, before: str, candidate: str, other: str, behind: str
) -> None:
    tokenizer: TextTokenizer = request.getfixturevalue(name)
    ids, each = cut_together(tokenizer, before, [candidate, other], behind)
    for one, cut in zip((candidate, other), each, strict=True):
        whole = tokenizer.tokenize(before + one + behind)
        n = sum(start < len(before + one) for start, _end in whole.offsets)
        apart = (tokenizer.encode(before), tokenizer.encode(one, add_special_tokens=False))
        assert (*ids, *cut) == whole.input_ids[:n] or (ids, cut) == apart
        assert cut
    stem = tokenizer.encode(before.rstrip())
    assert ids == stem[: len(ids)] or ids == tokenizer.encode(before)


@pytest.mark.real
def test_a_shared_token_is_scored_for_all_candidates(smollm: TextTokenizer) -> None:
    ids, (one, other) = cut_together(smollm, "x The cap", ["ital", " of"])
    assert smollm.token_texts(ids) == ("x", " The")
    assert smollm.token_texts(one) == (" capital",)
    assert smollm.token_texts(other) == (" cap", " of")


@pytest.mark.real
def test_line_breaks_behind_a_label_are_cut_as_in_a_demonstration(smollm: TextTokenizer) -> None:
    task = PromptTask("", "", "", REVIEWS)
    prompt = "".join(block.text for block in blocks(task, REVIEWS, "It was fine.", "qa"))
    behind = following(task, "qa", NESTED)
    ids, cut = cut_together(smollm, prompt, candidates(NESTED, "qa"), behind)
    assert [smollm.token_texts(one) for one in cut] == [
        (" good", "\n", "\n"),
        (" good", " enough", "\n", "\n"),
    ]
    demonstration = prompt.index(" good enough\n\nQ")
    in_prompt = smollm.tokenize(prompt)
    places = [i for i, (start, _end) in enumerate(in_prompt.offsets) if start >= demonstration][:4]
    assert [in_prompt.input_ids[i] for i in places] == list(cut[1])
    assert ids == in_prompt.input_ids


def shares_of(engine: LocalEngine, model: str, prompt: str, task: PromptTask, style: str) -> list[float]:
    request = ScoreRequest(
        model,
        (prompt,),
        (candidates(NESTED, style),),
        (following(task, style, NESTED),),  # type: ignore[arg-type]
    )
    ((_place, scores),) = list(engine.score(request))
    return label_probabilities(scores.logprobs, [1, 1]).tolist()


@pytest.mark.parametrize("model", [tiny.GPT2, pytest.param(DEFAULT_DECODER, marks=pytest.mark.real)])
@pytest.mark.parametrize("style", ["qa", "labelled", "arrow"])
def test_shares_are_those_of_plain_forwards_over_the_whole_text(
    request: pytest.FixtureRequest, model: str, style: str
) -> None:
    engine: LocalEngine = request.getfixturevalue("tiny_engine" if model in tiny.FAMILIES else "real_engine")
    values = request.getfixturevalue("tiny_settings") if model in tiny.FAMILIES else Settings()
    shots = REVIEWS[2:] if model in tiny.FAMILIES else REVIEWS  # the tiny window is small
    task = PromptTask("", "Review", "Verdict", shots)
    prompt = "".join(block.text for block in blocks(task, shots, "Fine.", style))  # type: ignore[arg-type]
    net = oracle(values, model)
    after = "\n" if style == "arrow" else "\n\n"
    begins = {"qa": "Q: ", "labelled": "Review: ", "arrow": ""}[style]
    n_prompt = len(engine.tokenizers.tokenize(model, prompt, add_special_tokens=True))
    sums = []
    for label in NESTED:
        end = len(f"{prompt} {label}{after}")
        whole = engine.tokenizers.tokenize(
            model, f"{prompt} {label}{after}{begins}{shots[0].text}", add_special_tokens=True
        )
        with torch.no_grad():
            logprobs = torch.log_softmax(net(input_ids=torch.tensor([whole.input_ids])).logits[0], -1)
        scored = [i for i, (start, _end) in enumerate(whole.offsets) if i >= n_prompt and start < end]
        sums.append(sum(float(logprobs[i - 1, whole.input_ids[i]]) for i in scored))
    expected = label_probabilities(sums, [1, 1]).tolist()
    assert shares_of(engine, model, prompt, task, style) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"candidates": ((" a",),) * 2}, BadValue),
        ({"following": ("x", "y")}, BadValue),
        ({"candidates": (("a" * 3_000_000,),)}, TextTooLong),
        ({"following": ("a" * 3_000_000,)}, TextTooLong),
    ],
)
def test_what_cannot_be_scored_is_refused_by_name(
    tiny_engine: LocalEngine, values: dict[str, tuple[object, ...]], error: type[Exception]
) -> None:
    asked = {"texts": ("the cat",), "candidates": ((" a",),), **values}
    with pytest.raises(error):
        next(tiny_engine.score(ScoreRequest(tiny.LLAMA, **asked)))  # type: ignore[arg-type]


@pytest.mark.parametrize("model", [tiny.LLAMA])
def test_a_space_at_the_end_of_a_text_changes_no_answer(tiny_engine: LocalEngine, model: str) -> None:
    def scores(text: str, label: str) -> Scores:
        return next(tiny_engine.score(ScoreRequest(model, (text,), ((label,),))))[1]

    assert scores("the cat sat on", " the mat") == scores("the cat sat on ", "the mat")
