"""The part of the engine contract that cuts texts into tokens and spells them: of models and by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from playground.core.tokens import Tokenization, TokenizerInfo

UNIGRAM = "unigram"
TIKTOKEN = ("r50k_base", "cl100k_base", "o200k_base")


class Tokenizers(Protocol):
    """Every tokenizer there is, also those without a model.

    A tokenizer is named by its id: tiktoken's name, `unigram`, or the catalogue id of a model, with or
    without an adapter. A text has at most `max_prompt_chars` characters; how many tokens a model reads is
    its own limit, checked where it is asked.
    """

    def names(self) -> dict[str, str]:
        """Tokenizer id -> short name, in display order: the named ones, then models on this machine."""
        ...

    def info(self, tokenizer_id: str) -> TokenizerInfo:
        """Facts about a tokenizer.

        Raises:
            ModelNotFound: There is none of this name here.
        """
        ...

    def tokenize(
        self, tokenizer_id: str, text: str, *, add_special_tokens: bool, read_special: bool = False
    ) -> Tokenization:
        """Cut a text.

        Args:
            tokenizer_id: Id of the tokenizer.
            text: Anything.
            add_special_tokens: True adds the tokenizer's frame ([CLS] ... [SEP]), as models read.
            read_special: True reads `<|endoftext|>` in the text as the special token of that name.

        Raises:
            ModelNotFound, TextTooLong.
        """
        ...

    def tokenize_masked(self, model_id: str, text: str) -> Tokenization:
        """Cut a text as a model reads it, framed, with the masks that it spells (`[MASK]`, `<mask>`).

        The tokens are those that `Engine.fill` reads; other special tokens in the text are letters.

        Raises:
            ModelNotFound, TextTooLong.
        """
        ...

    def token_texts(self, model_id: str, token_ids: Iterable[int]) -> tuple[str, ...]:
        """Readable form of each of a model's token ids, as in `Tokenization.tokens`."""
        ...

    def text_of(self, model_id: str, token_ids: Iterable[int]) -> str:
        """The text a model's tokens spell, without a last character that still misses bytes."""
        ...

    def bytes_of_tokens(self, model_id: str, d_vocab: int) -> list[bytes]:
        """The bytes that each token of a model adds to a text, b"" for marks and ids without a token.

        Args:
            model_id: Id of a model, not of a tokenizer alone.
            d_vocab: Number of ids that the model gives probabilities to.

        Raises:
            ModelNotFound: The model is not on this machine.
        """
        ...

    def chat(
        self, model_id: str, messages: Sequence[Mapping[str, str]], *, read_special: bool = False
    ) -> Tokenization:
        """The messages in the model's chat template, ready for its answer, as tokens.

        The template's own marks are special tokens. What the messages say is text, also where it spells a
        mark, unless `read_special`.

        Args:
            model_id: A catalogue model.
            messages: `role` and `content` of each.
            read_special: True reads a special token spelled in a message as that token.

        Raises:
            Unsupported: The model has no chat template.
            ModelNotFound, TextTooLong.
        """
        ...

    def chat_frames(
        self, model_id: str, messages: Sequence[Mapping[str, str]], *, answer_follows: bool = True
    ) -> list[str]:
        """The texts that the model's chat template puts before, between and after the messages.

        Args:
            model_id, messages: As in `chat`.
            answer_follows: True if the last piece ends with the special tokens that ask for an answer.

        Raises:
            Unsupported: The model has no chat template, or not for these roles.
        """
        ...
