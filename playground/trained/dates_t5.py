"""A small T5 that reads a date in English or Korean and writes it as ISO 8601 does.

2 + 2 layers of 4 heads over single characters; dates that `is_held_out` names are never trained on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn.utils import clip_grad_norm_
from transformers import T5Config, T5ForConditionalGeneration

from playground.core.pairs.dates import LANGUAGES, date_pairs, written
from playground.core.pairs.pair import Pair
from playground.trained.characters import EOS, PAD, character_tokenizer, save_tokenizer
from playground.trained.note import seal_with_note

SEED = 0
N_STEPS, BATCH_SIZE = 1_500, 64
LEARNING_RATE, N_WARM_UP = 3e-3, 100
N_JUDGED = 1_000  # held-out dates of each language
_MAX_TARGET_TOKENS = 12  # "2026-05-03" and its end, and one too many


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Train the model and write its folder `dates-t5`."""
    tokenizer = tokenizer_of_dates()
    model = untrained(tokenizer, SEED)
    for step, loss in enumerate(losses(model, tokenizer, N_STEPS, SEED), start=1):
        if step % 100 == 0:
            say(f"step {step} of {N_STEPS}, loss {loss:.4f}")
    figures = {f"exact_match_{name}": exact_match(model, tokenizer, judged(name)) for name in LANGUAGES}
    say(", ".join(f"{name} {figure:.3f}" for name, figure in figures.items()))
    folder = assets / "dates-t5"
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures)


def tokenizer_of_dates() -> Tokenizer:
    """A tokenizer that knows every character of the written forms and of ISO 8601."""
    year = [date(2024, 1, 1) + timedelta(days=number) for number in range(366)]
    pairs = [pair for day in year for language in LANGUAGES for pair in written(day, language)]
    return character_tokenizer(text for pair in pairs for text in (pair.source, pair.target))


def judged(language: str, n: int = N_JUDGED) -> tuple[Pair, ...]:
    """Held-out dates that the figures of the note are measured on, the first `n` of them."""
    return date_pairs(n, SEED, [language], held_out=True)


def untrained(tokenizer: Tokenizer, seed: int) -> Any:  # noqa: ANN401  (transformers is untyped)
    """The network before training, its weights drawn with this seed."""
    config = T5Config(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=64,
        d_kv=16,
        d_ff=128,
        num_layers=2,
        num_heads=4,
        relative_attention_max_distance=32,  # the longest source has 30 characters
        dropout_rate=0.0,
        decoder_start_token_id=tokenizer.token_to_id(PAD),
        pad_token_id=tokenizer.token_to_id(PAD),
        eos_token_id=tokenizer.token_to_id(EOS),
    )
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        return T5ForConditionalGeneration(config)


def losses(model: Any, tokenizer: Tokenizer, n_steps: int, seed: int) -> Iterator[float]:  # noqa: ANN401
    """Train the model; every step gives its loss before the step, in nats a target token.

    Adam with a linear warm-up and a cosine decay to zero over `n_steps`.
    """
    pairs = date_pairs(n_steps * BATCH_SIZE, seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98))
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / N_WARM_UP) * (1 + math.cos(math.pi * step / n_steps)) / 2,
    )
    model.train()
    for step in range(n_steps):
        batch = pairs[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]
        source_ids, mask = _padded(tokenizer, [pair.source for pair in batch])
        target_ids, written_mask = _padded(tokenizer, [pair.target for pair in batch])
        labels = target_ids.masked_fill(written_mask == 0, -100)
        loss = model(input_ids=source_ids, attention_mask=mask, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        yield loss.item()
    model.eval()


def exact_match(model: Any, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> float:  # noqa: ANN401
    """Share of sources whose target is written whole and right by greedy decoding."""
    source_ids, mask = _padded(tokenizer, [pair.source for pair in pairs])
    with torch.inference_mode():
        answers = model.generate(
            input_ids=source_ids, attention_mask=mask, do_sample=False, max_new_tokens=_MAX_TARGET_TOKENS
        )
    texts = tokenizer.decode_batch(answers.tolist(), skip_special_tokens=True)
    return sum(text == pair.target for text, pair in zip(texts, pairs, strict=True)) / len(pairs)


def _padded(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, padded on the right, [text, position]."""
    rows = [torch.tensor(row.ids) for row in tokenizer.encode_batch(list(texts))]
    pad_id = tokenizer.get_vocab()[PAD]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad_id)
    lengths = torch.tensor([len(row) for row in rows])
    return ids, (torch.arange(ids.shape[1]) < lengths[:, None]).long()
