"""A tokenizer whose tokens are single characters."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from tokenizers.decoders import Fuse
from transformers import PreTrainedTokenizerFast

PAD, EOS, UNK = "<pad>", "</s>", "<unk>"  # ids 0, 1, 2, as in T5


def character_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """A tokenizer that knows the characters of these texts; any other is `<unk>`.

    Letters are read without their case and as NFKC composes them, so that a full-width digit is a digit and
    Hangul typed in parts is whole. A text ends with `</s>`.
    """
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    known = sorted({char for text in texts for char in normalizer.normalize_str(text)})
    vocab = {token: token_id for token_id, token in enumerate((PAD, EOS, UNK, *known))}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token=UNK))
    tokenizer.add_special_tokens([PAD, EOS, UNK])
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(?m:.)"), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(f"$A {EOS}", special_tokens=[(EOS, vocab[EOS])])
    tokenizer.decoder = Fuse()
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the files that transformers reads a tokenizer from."""
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=EOS, unk_token=UNK)
    made.save_pretrained(folder)
