"""The invented handbook shows what it is for: SmolLM2 against plain transformers, chunk by chunk."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from playground.core import shipped_documents as shipped
from playground.core.answering import says
from playground.core.chunks import Chunking, boundaries, cut
from playground.core.grounding import WORDINGS, pick, question_blocks
from playground.engine.models.catalogue import model_folder
from playground.settings import Settings
from tests.engine.conftest import oracle

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
ASKED = ("ticket", "cat")
N_NEW = 16


@pytest.fixture(scope="module")
def model(real_settings: Settings) -> Any:
    return oracle(real_settings, MODEL)


def answer(model: Any, tokenizer: Any, chunks: tuple[str, ...], question: str) -> str:
    text = "".join(block.text for block in question_blocks(chunks, question, WORDINGS["en"]))
    turn = [{"role": "user", "content": text}]
    ids = tokenizer.apply_chat_template(
        turn, add_generation_prompt=True, return_tensors="pt", return_dict=False
    )
    with torch.no_grad():
        found = model.generate(ids, do_sample=False, max_new_tokens=N_NEW, pad_token_id=2)
    return str(tokenizer.decode(found[0, ids.shape[1] :], skip_special_tokens=True))


def test_the_handbook_is_known_from_the_right_chunk_alone_and_believed_when_it_lies(
    model: Any, real_settings: Settings
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_folder(MODEL, real_settings))
    document = shipped.document("observatory", "en")
    spans = cut(boundaries(document.text), Chunking())
    chunks = [document.text[start:end] for start, end in spans]
    questions = {one.question_id: one for one in shipped.questions("observatory", "en")}
    right = believed = 0
    for question_id in ASKED:
        question = questions[question_id]
        picked = pick(chunks, question, 1)
        (best,), (other,) = picked.right, picked.wrong
        assert not says(answer(model, tokenizer, (), question.text), question.answers)
        assert not says(answer(model, tokenizer, (chunks[other],), question.text), question.answers)
        right += says(answer(model, tokenizer, (chunks[best],), question.text), question.answers)
        spoilt = answer(model, tokenizer, (question.falsified(chunks[best]),), question.text)
        assert not says(spoilt, question.answers)
        believed += says(spoilt, (question.planted,))
    assert right == len(ASKED)
    assert believed >= 1
