"""A masked-LM head for the frozen multilingual-e5-small: transform, norm and bias over its own embedding.

The encoder's states at masks are computed once; the head learns from them. One sentence of eight is held out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoConfig, BertForMaskedLM
from transformers.models.bert.modeling_bert import BertLMPredictionHead

from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import pull
from playground.engine.models.shipped import trained_assets
from playground.settings import MULTILINGUAL_ENCODER, Settings
from playground.trained.masked_texts import Sentence, cut, is_held_out, one_word_masked, some_masked
from playground.trained.note import seal_with_note

NAME = "e5-masked-head"
SENTENCES = "sentences.txt"
SEED = 20
N_PASSES = 6  # masks are drawn anew in each
N_EPOCHS, BATCH_SIZE = 12, 256
LEARNING_RATE, N_WARM_UP = 3e-3, 50
N_UNSEEN = 512  # tokens of no training text that stand for all of them in a step
_ROWS = 32  # sentences of one forward
_DROPOUT, _PULL_TO_IDENTITY = 0.1, 0.01
_NEVER = -100.0  # bias of tokens that are no piece of a text
_PREFIX = "cls.predictions."


@dataclass(frozen=True, slots=True)
class Encoder:
    """The frozen encoder.

    Attributes:
        tokenizer: Its tokenizer.
        scores: Log-probability of every piece in the tokenizer's own unigram model, nats; -inf for what is no
            piece of a text. Shape [d_vocab].
        model: The library's model with a new head, whose transform is the identity.
        mask_id: The mask's token id.
    """

    tokenizer: Tokenizer
    scores: torch.Tensor
    model: BertForMaskedLM
    mask_id: int

    @property
    def embedding(self) -> torch.Tensor:
        """Shape [d_vocab, d_model]."""
        weights: torch.Tensor = self.model.get_input_embeddings().weight
        return weights.detach()


@dataclass(frozen=True, slots=True)
class Masked:
    """States at masks, what was there, and the sentence it was in.

    Attributes:
        states: Shape [mask, d_model].
        tokens: Shape [mask].
        sentences: Number of the sentence. Shape [mask].
    """

    states: torch.Tensor
    tokens: torch.Tensor
    sentences: torch.Tensor


def make(assets: Path, say: Callable[[str], None]) -> None:
    """Train the head and write its folder `e5-masked-head`."""
    lines = (trained_assets() / NAME / SENTENCES).read_text("utf-8").splitlines()
    encoder = read_encoder(Settings(device="cpu"))
    learnt, held = (
        cut([line for line in lines if is_held_out(line) is held_out], encoder.tokenizer)
        for held_out in (False, True)
    )
    drawn = np.random.default_rng(SEED)
    parts = []
    for number in range(N_PASSES):
        parts.append(states_at_masks(encoder, learnt, some_masked, drawn))
        say(f"pass {number + 1} of {N_PASSES}, {len(parts[-1].tokens)} masks")
    states, tokens = (torch.cat([getattr(part, name) for part in parts]) for name in ("states", "tokens"))
    for epoch, loss in enumerate(losses(encoder, states, tokens, N_EPOCHS, SEED), start=1):
        say(f"epoch {epoch} of {N_EPOCHS}, loss {loss:.4f}")
    folder = assets / NAME
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SENTENCES).write_text("\n".join(lines) + "\n", "utf-8")
    save_file(round_to_half(encoder.model), folder / "model.safetensors", metadata={"format": "pt"})
    figures = {"n_sentences": len(learnt), "n_masks": len(tokens)} | measured(encoder, held)
    say(", ".join(f"{name} {figure:.4g}" for name, figure in figures.items()))
    seal_with_note(folder, script=__name__, seed=SEED, figures=figures)


def read_encoder(settings: Settings) -> Encoder:
    """The embedded encoder from the user's cache, with a head that has learnt nothing."""
    folder = pull(catalogue(settings)[MULTILINGUAL_ENCODER], settings, lambda message, share: None)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = BertForMaskedLM.from_pretrained(folder, config=AutoConfig.from_pretrained(folder)).eval()
    model.requires_grad_(False)
    model.cls.predictions.transform.requires_grad_(True)
    with torch.no_grad():
        dense = model.cls.predictions.transform.dense
        dense.weight.copy_(torch.eye(len(dense.weight)))
        dense.bias.zero_()
    return Encoder(
        tokenizer, _scores(folder, model.config.vocab_size), model, tokenizer.get_vocab()["<mask>"]
    )


def _scores(folder: Path, d_vocab: int) -> torch.Tensor:
    spec = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    scores = torch.full((d_vocab,), -math.inf)
    pieces = spec["model"]["vocab"]
    scores[: len(pieces)] = torch.tensor([score for _piece, score in pieces])
    scores[[added["id"] for added in spec["added_tokens"]]] = -math.inf
    return scores


def states_at_masks(
    encoder: Encoder,
    sentences: Sequence[Sentence],
    positions_of: Callable[[Sentence, np.random.Generator], list[int]],
    drawn: np.random.Generator,
) -> Masked:
    """The last hidden states at masks, after one reading of every sentence."""
    states, tokens, numbers = [], [], []
    for start in range(0, len(sentences), _ROWS):
        rows = sentences[start : start + _ROWS]
        places = [
            (row, place)
            for row, one in enumerate(rows)
            for place in positions_of(one, drawn)
            if torch.isfinite(encoder.scores[one.ids[place]])  # an unknown piece is nothing to learn
        ]
        if not places:
            continue
        at = tuple(torch.tensor(places).T)
        ids = torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(one.ids) for one in rows], batch_first=True, padding_value=1
        )
        lengths = torch.tensor([len(one.ids) for one in rows])
        tokens.append(ids[at])
        ids[at] = encoder.mask_id
        seen = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        with torch.inference_mode():
            states.append(encoder.model.bert(ids, attention_mask=seen).last_hidden_state[at])
        numbers.append(at[0] + start)
    return Masked(torch.cat(states).clone(), torch.cat(tokens), torch.cat(numbers))


def losses(
    encoder: Encoder, states: torch.Tensor, tokens: torch.Tensor, n_epochs: int, seed: int
) -> Iterator[float]:
    """Train the head; every epoch gives its mean loss, nats a mask.

    A step's softmax is over all tokens of the training text and a few of the others, which stand for all of
    them (their logits are raised by the logarithm of how many each stands for). What the training never saw
    keeps the tokenizer's own log-probability, scaled and moved by two numbers that are learnt, as its bias.
    """
    head = encoder.model.cls.predictions
    known = torch.unique(tokens)
    unseen = torch.isfinite(encoder.scores).index_fill(0, known, False).nonzero()[:, 0]
    bias = torch.zeros(len(known), requires_grad=True)
    scale, shift = torch.ones((), requires_grad=True), torch.zeros((), requires_grad=True)
    own, own_scores = encoder.embedding[known], encoder.scores[known]
    raised = math.log(len(unseen) / N_UNSEEN)
    wanted = torch.searchsorted(known, tokens)
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        optimizer = torch.optim.Adam([*head.transform.parameters(), bias, scale, shift], LEARNING_RATE)
        n_steps = n_epochs * math.ceil(len(tokens) / BATCH_SIZE)
        rate = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1, (step + 1) / N_WARM_UP) * (1 - step / n_steps)
        )
        for _epoch in range(n_epochs):
            found = []
            for batch in torch.split(torch.randperm(len(tokens)), BATCH_SIZE):
                some = unseen[torch.randint(len(unseen), (N_UNSEEN,))]
                vectors = head.transform(functional.dropout(states[batch], _DROPOUT))
                logits = torch.cat(
                    [
                        vectors @ own.T + scale * own_scores + bias,
                        vectors @ encoder.embedding[some].T + scale * encoder.scores[some] + shift + raised,
                    ],
                    dim=1,
                )
                loss = functional.cross_entropy(logits, wanted[batch])
                optimizer.zero_grad()
                torch.autograd.backward(loss + _PULL_TO_IDENTITY * _far_from_identity(head))
                optimizer.step()
                rate.step()
                found.append(loss.item())
            _set_bias(encoder, known, bias, scale, shift)
            yield sum(found) / len(found)


def _far_from_identity(head: BertLMPredictionHead) -> torch.Tensor:
    weight: torch.Tensor = head.transform.dense.weight
    return (weight - torch.eye(len(weight))).square().sum() / len(weight)


@torch.no_grad()
def _set_bias(
    encoder: Encoder, known: torch.Tensor, bias: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor
) -> None:
    whole = scale * encoder.scores + shift
    whole[known] += bias - shift
    encoder.model.cls.predictions.bias.copy_(whole.where(torch.isfinite(whole), _NEVER))


@torch.no_grad()
def round_to_half(model: BertForMaskedLM) -> dict[str, torch.Tensor]:
    """The head's weights in half precision, by the library's names; the model is rounded like them."""
    head = model.cls.predictions
    named = {
        "bias": head.bias,
        **{f"transform.{name}": value for name, value in head.transform.named_parameters()},
    }
    halves = {f"{_PREFIX}{name}": value.detach().half() for name, value in named.items()}
    for name, value in named.items():
        value.copy_(halves[f"{_PREFIX}{name}"])
    return halves


def measured(encoder: Encoder, held: Sequence[Sentence]) -> dict[str, float]:
    """Figures on held-out sentences, by language.

    accuracy, top5: share of masks whose token is the most probable, or one of five; 20 % of a sentence is
        masked.
    most_frequent: that share for always the same token, the most frequent one of these very masks.
    words: share of words of which every token is the most probable; one word of a sentence is masked, whole.
    bits_per_byte: of these words, in UTF-8, each token by itself.
    """
    figures: dict[str, float] = {}
    for language in sorted({one.language for one in held}):
        sentences = [one for one in held if one.language == language]
        single = states_at_masks(encoder, sentences, some_masked, np.random.default_rng(SEED))
        ranks, _bits = _judged(encoder, single)
        words = states_at_masks(encoder, sentences, one_word_masked, np.random.default_rng(SEED))
        word_ranks, bits = _judged(encoder, words)
        chosen = set(words.sentences.tolist())
        wrong = set(words.sentences[word_ranks > 0].tolist())
        n_bytes = _n_bytes_of_words(sentences)
        found = {
            "n_masks_held_out": len(ranks),
            "accuracy": (ranks == 0).float().mean().item(),
            "top5": (ranks < 5).float().mean().item(),
            "most_frequent": (single.tokens == single.tokens.mode().values).float().mean().item(),
            "n_words_held_out": len(chosen),
            "words": 1 - len(wrong) / max(1, len(chosen)),
            "bits_per_byte": bits.sum().item() / max(1, n_bytes),
        }
        figures |= {f"{name}_{language}": round(value, 4) for name, value in found.items()}
    return figures


def _n_bytes_of_words(sentences: Sequence[Sentence]) -> int:
    drawn = np.random.default_rng(SEED)
    total = 0
    for one in sentences:
        positions = one_word_masked(one, drawn)
        if positions:
            total += len(one.text.split()[one.words[positions[0]]].encode())
    return total


def _judged(encoder: Encoder, masked: Masked) -> tuple[torch.Tensor, torch.Tensor]:
    """Rank of the token that was there, 0 for the most probable, and its surprisal in bits. Shapes [mask]."""
    ranks, bits = [], []
    with torch.inference_mode():
        for states, tokens in zip(
            torch.split(masked.states, 128), torch.split(masked.tokens, 128), strict=True
        ):
            logits = encoder.model.cls(states)
            own = logits.gather(1, tokens[:, None])
            ranks.append((logits > own).sum(1))
            bits.append((logits.logsumexp(1) - own[:, 0]) / math.log(2))
    return torch.cat(ranks), torch.cat(bits)
