"""Tokenizers by name: tiktoken's official ones, one trained here, and those of the catalogue's models."""

from __future__ import annotations

import codecs
import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from jinja2 import TemplateError

from playground.core.tokens import (
    Tokenization,
    TokenizerInfo,
    join,
    readable,
    spans_of_bytes,
    well_formed,
)
from playground.engine.contract.models import AdapterName
from playground.engine.contract.tokenizers import TIKTOKEN, UNIGRAM
from playground.engine.models import tiktoken_files
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import locate
from playground.engine.models.tokenizing import TextTokenizer
from playground.engine.models.whole_folder import write_whole
from playground.errors import Message, TextTooLong, Unsupported
from playground.paths import site_root
from playground.settings import Settings

if TYPE_CHECKING:
    import tiktoken

N_UNIGRAM = 2_000
NAMES = {
    "r50k_base": "GPT-2 · r50k_base",
    "cl100k_base": "GPT-4 · cl100k_base",
    "o200k_base": "GPT-4o · o200k_base",
    UNIGRAM: "Unigram",
}
_PLACE = "\ue000"  # stands for a message's words while the template is filled in; private, so in no template


class NamedTokenizer(Protocol):
    """The protocol of all tokenizers."""

    @property
    def special_ids(self) -> frozenset[int]:
        """Ids of the tokens that are marks of the format, not text."""
        ...

    @property
    def start_id(self) -> int | None:
        """The token that stood before a text in training, None where it is not known."""
        ...

    @property
    def mask_id(self) -> int | None:
        """The token that stands for one the model cannot see, None where there is none."""
        ...

    @property
    def d_vocab(self) -> int:
        """Number of token ids."""
        ...

    @property
    def algorithm(self) -> str:
        """Name of the algorithm that cuts words."""
        ...

    def tokenize(
        self, text: str, add_special_tokens: bool = ..., *, read_special: bool = ...
    ) -> Tokenization:
        """Cut a text."""
        ...


class TiktokenTokenizer:
    """An official tiktoken encoding behind the same face as a model's tokenizer."""

    algorithm = "byte-level BPE"

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        self._encoding = encoding
        self.special_ids = frozenset(map(encoding.encode_single_token, encoding.special_tokens_set))
        self.start_id: int | None = None
        self.mask_id: int | None = None
        self.d_vocab = encoding.n_vocab

    def tokenize(
        self, text: str, add_special_tokens: bool = True, *, read_special: bool = False
    ) -> Tokenization:
        """Cut `text`. These encodings add no frame, so `add_special_tokens` changes nothing."""
        text = well_formed(text)
        encode = self._encoding.encode
        ids = encode(text, allowed_special="all") if read_special else self._encoding.encode_ordinary(text)
        pieces = tuple(map(self._encoding.decode_single_token_bytes, ids))
        return Tokenization(
            model_id=self._encoding.name,
            text=text,
            input_ids=tuple(ids),
            tokens=tuple(map(readable, pieces)),
            token_bytes=pieces,
            offsets=spans_of_bytes(text, pieces),
            special=(False,) * len(ids),
        )


class NamedTokenizers:
    """The `Tokenizers` of this process, each made on first use. Safe to share between threads.

    Args:
        settings: Places and limits.
        of_model: Gives the tokenizer of a catalogue model.
    """

    def __init__(self, settings: Settings, of_model: Callable[[str], TextTokenizer]) -> None:
        self._settings = settings
        self._of_model = of_model
        self._made: dict[str, NamedTokenizer] = {}
        self._lock = threading.Lock()

    def names(self) -> dict[str, str]:
        """Tokenizer id -> short name, in display order: the named ones, then models on this machine."""
        entries = catalogue(self._settings).values()
        return NAMES | {e.model_id: e.name for e in entries if locate(e, self._settings) is not None}

    def info(self, tokenizer_id: str) -> TokenizerInfo:
        """Facts about a tokenizer.

        Raises:
            ModelNotFound: There is none of this name here.
        """
        made = self._get(tokenizer_id)
        base = AdapterName.of(tokenizer_id).base_id
        entries = catalogue(self._settings)  # a session's own model is in none
        name = NAMES[base] if base in NAMES else entries[base].name if base in entries else base
        source = _source("tiktoken" if tokenizer_id in TIKTOKEN else "tokenizers")
        folder = str(unigram_folder(self._settings.cache_dir)) if tokenizer_id == UNIGRAM else ""
        return TokenizerInfo(
            tokenizer_id, name, made.algorithm, made.d_vocab, source, made.special_ids,
            start_id=made.start_id, mask_id=made.mask_id, folder=folder,
        )  # fmt: skip

    def tokenize(
        self, tokenizer_id: str, text: str, *, add_special_tokens: bool, read_special: bool = False
    ) -> Tokenization:
        """Cut `text` with the tokenizer of this name.

        Args:
            tokenizer_id: A key of `names`.
            text: Anything.
            add_special_tokens: True adds the tokenizer's frame ([CLS] ... [SEP]).
            read_special: True reads `<|endoftext|>` in the text as the special token of that name.

        Raises:
            ModelNotFound, TextTooLong.
        """
        if len(text) > self._settings.max_prompt_chars:
            raise TextTooLong(limit=self._settings.max_prompt_chars, got=len(text))
        return self._get(tokenizer_id).tokenize(text, add_special_tokens, read_special=read_special)

    def tokenize_masked(self, model_id: str, text: str) -> Tokenization:
        """Cut `text` as a model reads it, framed, with the masks that it spells."""
        if len(text) > self._settings.max_prompt_chars:
            raise TextTooLong(limit=self._settings.max_prompt_chars, got=len(text))
        return self._of_model(model_id).tokenize_masked(text)

    def token_texts(self, model_id: str, token_ids: Iterable[int]) -> tuple[str, ...]:
        """Readable form of each of a model's token ids."""
        return self._of_model(model_id).token_texts(token_ids)

    def text_of(self, model_id: str, token_ids: Iterable[int]) -> str:
        """The text a model's tokens spell, without a last character that still misses bytes."""
        spelled = b"".join(map(self._of_model(model_id).token_bytes, token_ids))
        return codecs.getincrementaldecoder("utf-8")("replace").decode(spelled)

    def bytes_of_tokens(self, model_id: str, d_vocab: int) -> list[bytes]:
        """Bytes that each token of a model adds to a text, b"" for special tokens and ids without a token.

        Args:
            model_id: Id of a model, not of a tokenizer alone.
            d_vocab: Number of ids that the model gives probabilities to.

        Raises:
            ModelNotFound: The model is not on this machine.
        """
        tokenizer = self._of_model(model_id)
        return [tokenizer.token_bytes(token_id) for token_id in range(d_vocab)]

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
        limit, n_chars = self._settings.max_prompt_chars, sum(len(m["content"]) for m in messages)
        if n_chars > limit:
            raise TextTooLong(limit=limit, got=n_chars)
        tokenizer = self._of_model(model_id)
        messages = [{**message, "content": well_formed(message["content"])} for message in messages]
        contents = [message["content"] for message in messages]
        if read_special or not any(map(tokenizer.spells_mark, contents)):
            return tokenizer.tokenize(_render(tokenizer, messages), False, read_special=True)
        parts: list[Tokenization] = []
        for frame, content in zip(self.chat_frames(model_id, messages), [*contents, ""], strict=True):
            parts.append(tokenizer.tokenize(frame, False, read_special=True))
            parts.append(tokenizer.tokenize(content, False))
        return join(parts)

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
        empty = [{**message, "content": _PLACE} for message in messages]
        return _render(self._of_model(model_id), empty, answer_follows).split(_PLACE)

    def _get(self, tokenizer_id: str) -> NamedTokenizer:
        if tokenizer_id not in NAMES:
            return self._of_model(tokenizer_id)
        with self._lock:
            if tokenizer_id not in self._made:
                self._made[tokenizer_id] = self._make(tokenizer_id)
            return self._made[tokenizer_id]

    def _make(self, tokenizer_id: str) -> NamedTokenizer:
        if tokenizer_id == UNIGRAM:
            return TextTokenizer(UNIGRAM, unigram_folder(self._settings.cache_dir))
        return TiktokenTokenizer(tiktoken_files.encoding(tokenizer_id, self._settings.cache_dir))


def unigram_folder(cache_dir: Path) -> Path:
    """The folder of the Unigram tokenizer; trained on the bundled texts when it is not there yet."""
    texts = [
        (site_root() / "assets" / "samples" / f"corpus_{code}.txt").read_text("utf-8") for code in _CORPORA
    ]
    lines = [line for text in texts for line in text.splitlines()]
    fingerprint = hashlib.sha256("\n".join([str(N_UNIGRAM), *lines]).encode()).hexdigest()[:12]
    folder = cache_dir / "tokenizers" / f"{UNIGRAM}-{fingerprint}"
    if not (folder / "tokenizer.json").is_file():
        write_whole(folder / "tokenizer.json", train_unigram(lines, N_UNIGRAM).encode())
    return folder


def train_unigram(lines: Sequence[str], n_vocab: int) -> str:
    """Train a Unigram tokenizer as SentencePiece does; characters it never saw fall back to their bytes.

    Args:
        lines: Training text.
        n_vocab: Pieces to learn, the 256 bytes not counted.

    Returns:
        Its tokenizer.json.

    Source:
        Kudo 2018, "Subword Regularization", arXiv:1804.10959, section 3.2.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=n_vocab, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    spec = json.loads(tokenizer.to_str())
    lowest = min(score for _piece, score in spec["model"]["vocab"])
    spec["model"]["byte_fallback"] = True
    spec["model"]["vocab"] += [[f"<0x{byte:02X}>", lowest - 10] for byte in range(256)]
    return json.dumps(spec, ensure_ascii=False)


_CORPORA = ("en", "ko")


def _render(
    tokenizer: TextTokenizer, messages: Sequence[Mapping[str, str]], answer_follows: bool = True
) -> str:
    if not tokenizer.tokenizer.chat_template:
        raise Unsupported(model_id=tokenizer.model_id, capability=Message("chat template"))
    try:
        return str(
            tokenizer.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=answer_follows
            )
        )
    except TemplateError:  # some refuse a system message, or roles that do not take turns
        told = Message("chat template for these roles")
        raise Unsupported(model_id=tokenizer.model_id, capability=told) from None


@cache
def _source(package: str) -> str:
    return f"{package} {version(package)}"
