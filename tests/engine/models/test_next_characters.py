"""Next characters of a loaded model, against every continuation of its vocabulary written out in float64."""

from __future__ import annotations

import copy
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel

from playground.core.next_characters import Floats, Path, Spelling, next_characters
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.loaded import LoadedModel
from playground.engine.models.loading import load
from playground.settings import Settings
from tests import tiny

MODEL = "tiny/few"
N_TOKENS = 4  # so long are the continuations that are written out
TEXTS = {
    "Korean": "대한민국의 수도는",
    "emoji": "I 😀",
    "joined emoji": "👩‍🚀 👍🏽",
    "jamo": unicodedata.normalize("NFD", "한글"),
    "one leading consonant": "ᄒ",
    "a letter": "I",
}


def each(probabilities: Callable[[Path], Floats | None]) -> Callable[[Sequence[Path]], list[Floats | None]]:
    """The same for several paths."""
    return lambda paths: list(map(probabilities, paths))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A model whose vocabulary is the bytes of these texts, some pairs of them, and an end."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    end = "<|endoftext|>"
    tokenizer.train_from_iterator(
        TEXTS.values(), trainers.BpeTrainer(vocab_size=90, special_tokens=[end], show_progress=False)
    )
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_positions=64, n_embd=32, n_layer=2, n_head=4,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    settings = Settings(
        cache_dir=tmp_path_factory.mktemp("few"), extra_models=(MODEL,), device="cpu", HF_HUB_OFFLINE=True
    )
    tiny.save(model_folder(MODEL, settings), GPT2LMHeadModel(config), tokenizer, seed=5, eos_token=end)
    return load(catalogue(settings)[MODEL], settings, lambda *_told: None)


class Continuations:
    """The next token's probabilities after a text and after every path of tokens that decides nothing yet."""

    def __init__(self, loaded: LoadedModel, text: str) -> None:
        self.model: Any = copy.deepcopy(loaded.model).double()
        self.ids = list(loaded.tokenizer.encode(text))
        self.d_vocab = loaded.info.d_vocab
        self.bytes = [loaded.tokenizer.token_bytes(i) for i in range(self.d_vocab)]
        self.after: dict[Path, Floats] = {}
        self.sums, self.ended, self.undecided = defaultdict[str, float](float), 0.0, 0.0
        self._write_out()

    def _write_out(self) -> None:
        paths: list[tuple[Path, float]] = [((), 1.0)]
        for depth in range(N_TOKENS):
            following: list[tuple[Path, float]] = []
            for start in range(0, len(paths), 2_000):
                part = paths[start : start + 2_000]
                rows = torch.tensor([[*self.ids, *path] for path, _mass in part])
                with torch.no_grad():
                    probs = self.model(rows).logits[:, -1].softmax(-1).numpy()
                for (path, mass), each in zip(part, probs, strict=True):
                    self.after[path] = each
                    for token in range(self.d_vocab):
                        self._note((*path, token), mass * float(each[token]), following)
            paths = following
            if depth == N_TOKENS - 1:
                self.undecided = sum(mass for _path, mass in paths)

    def _note(self, path: Path, mass: float, following: list[tuple[Path, float]]) -> None:
        if not self.bytes[path[-1]]:
            self.ended += mass
            return
        char = decided(b"".join(self.bytes[token] for token in path))
        if char:
            self.sums[char] += mass
        else:
            following.append((path, mass))


def decided(spelled: bytes) -> str:
    """The white space and the character after it that each text has that begins with these bytes."""
    for end in range(1, len(spelled) + 1):
        try:
            text = spelled[:end].decode()
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                return spelled[: error.start].decode() + "\ufffd"
            continue
        if text.strip():
            return text
    return ""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_sums_are_those_of_every_continuation(text: str, loaded: LoadedModel) -> None:
    every = Continuations(loaded, text)
    assert sum(every.sums.values()) + every.ended + every.undecided == pytest.approx(1, abs=1e-12)
    found = next_characters(
        Spelling(every.bytes), each(every.after.get), max_followed=10**6, enough=0.0
    )  # None where nothing was written out: those stay undecided on both sides
    assert set(found.probs) == {char for char, mass in every.sums.items() if mass}
    assert found.probs == pytest.approx(dict(every.sums), abs=1e-12)
    assert (found.ended, found.left) == pytest.approx((every.ended, every.undecided), abs=1e-12)
    assert any(len(char.encode()) > 2 for char in found.probs), "characters of several tokens"


@pytest.mark.parametrize("most", [0, 1, 4, 8])
def test_what_is_not_followed_is_left_and_no_character_has_more_than_its_share_and_that(
    most: int, loaded: LoadedModel
) -> None:
    every = Continuations(loaded, "대한민국의 수도는")
    found = next_characters(Spelling(every.bytes), each(every.after.get), max_followed=most, enough=0.0)
    assert found.n_followed <= most
    assert sum(found.probs.values()) + found.ended + found.left == pytest.approx(1, abs=1e-12)
    for char, mass in every.sums.items():
        share = found.probs.get(char, 0.0)
        assert share - 1e-12 <= mass <= share + found.left + 1e-12


def test_the_first_jamo_of_a_composed_and_of_a_decomposed_syllable_are_characters_of_their_own() -> None:
    """각 is one code point, ᄀ + ᅡ + ᆨ are three: what is spelled is told, not what looks alike."""
    spelling = Spelling(["각".encode(), *(jamo.encode() for jamo in unicodedata.normalize("NFD", "각"))])
    probs: Floats = np.array([0.5, 0.25, 0.125, 0.125])
    found = next_characters(spelling, each(lambda _path: probs), max_followed=0, enough=0.0)
    assert found.probs == {"각": 0.5, "\u1100": 0.25, "\u1161": 0.125, "\u11a8": 0.125}
