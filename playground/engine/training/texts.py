"""Training rows as the model reads them: token ids, and which of them count in the loss."""

from __future__ import annotations

from collections.abc import Iterator

from playground.core.files.training_rows import TrainingRow
from playground.engine.contract.training import TrainingText
from playground.engine.models.named_tokenizers import NamedTokenizers
from playground.engine.models.tokenizing import TextTokenizer

ASSISTANT = "assistant"
Piece = tuple[tuple[int, ...], bool]


def training_text(
    row: TrainingRow,
    model_id: str,
    tokenizer: TextTokenizer,
    tokenizers: NamedTokenizers,
    *,
    has_template: bool,
    max_tokens: int,
) -> TrainingText:
    """One row as the model reads it.

    Of a conversation the assistant's words count, and the mark that ends them; of a plain text all tokens
    count, and the mark of its end. Without a chat template the messages stand one below the other.

    Args:
        row: A conversation or a text.
        model_id, tokenizer, tokenizers: Id and tokenizers of the model.
        has_template: True if the model has a chat template.
        max_tokens: Most tokens; a longer text is cut at its end.
    """
    ends = tuple(sorted(tokenizer.eos_ids))[:1]
    if not row.messages:
        pieces: list[Piece] = [(tokenizer.encode(row.text), True), (ends, True)]
    elif has_template:
        pieces = list(_conversation(row, model_id, tokenizer, tokenizers))
    else:
        pieces = list(_lines(row, tokenizer, ends))
    ids = [token for piece, _is_trained in pieces for token in piece]
    trained = [is_trained for piece, is_trained in pieces for _token in piece]
    if trained:
        trained[0] = False  # nothing is before it
    n_cut = max(0, len(ids) - max_tokens)
    return TrainingText(tuple(ids[:max_tokens]), tuple(trained[:max_tokens]), n_cut)


def _conversation(
    row: TrainingRow, model_id: str, tokenizer: TextTokenizer, tokenizers: NamedTokenizers
) -> Iterator[Piece]:
    messages = [{"role": role, "content": content} for role, content in row.messages]
    frames = tokenizers.chat_frames(model_id, messages, answer_follows=False)
    spoke = ""
    for frame, (role, content) in zip(frames, [*row.messages, ("", "")], strict=True):
        marks = tokenizer.tokenize(frame, False, read_special=True).input_ids
        ends_answer = spoke == ASSISTANT and bool(marks) and marks[0] in tokenizer.eos_ids
        yield marks[:1], ends_answer
        yield marks[1:], False
        yield tokenizer.encode(content, add_special_tokens=False), role == ASSISTANT
        spoke = role


def _lines(row: TrainingRow, tokenizer: TextTokenizer, ends: tuple[int, ...]) -> Iterator[Piece]:
    for place, (role, content) in enumerate(row.messages):
        line = content if place == len(row.messages) - 1 else f"{content}\n"
        yield tokenizer.encode(line, add_special_tokens=False), role == ASSISTANT
        if role == ASSISTANT:
            yield ends, True
