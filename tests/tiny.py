"""Tiny models of four families, made here and read back through the real loading.py.

Their weights are random, so nothing they say means anything; but every shape, mask, cache and tokenizer
scheme is the family's own. Wide weights make attention maps and distributions far from uniform, so that a
wrong row or a wrong mask shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from playground.engine.models.whole_folder import METADATA
from playground.settings import Settings

LLAMA, GPT2, BERT, T5 = "tiny/llama", "tiny/gpt2", "tiny/bert", "tiny/t5"
MASKED = "tiny/masked"  # a BERT with its masked-LM head; not one of the four that every page is run with
FAMILIES = (LLAMA, GPT2, BERT, T5)
N_CTX = 128
CORPUS = (
    "The capital of England is London. The capital of France is Paris.",
    "the cat sat on the mat and the dog sat on the cat",
    "서울은 한국의 수도입니다. 나는 오늘 학교에 갑니다.",
    "def add(a, b): return a + b",
    "0 1 2 3 4 5 6 7 8 9 ! ? , . : ; ( ) 😀 🎉",
) * 4


def make(cache_dir: Path) -> Settings:
    """Write the four models, and one that fills masks, below `cache_dir` and return settings that allow them.

    The default model is the tiny llama; the device is the CPU; the hub is switched off.
    """
    byte_level, word_piece, unigram = byte_level_tokenizer(), word_piece_tokenizer(), unigram_tokenizer()
    made: dict[str, tuple[PreTrainedModel, Tokenizer, dict[str, str]]] = {
        LLAMA: (_llama(byte_level), byte_level, {"eos_token": "<|endoftext|>"}),
        GPT2: (_gpt2(byte_level), byte_level, {"eos_token": "<|endoftext|>"}),
        BERT: (_bert(word_piece), word_piece, {"cls_token": "[CLS]", "sep_token": "[SEP]"}),
        T5: (_t5(unigram), unigram, {"eos_token": "</s>", "pad_token": "<pad>"}),
        MASKED: (
            BertForMaskedLM(_bert_config(word_piece)),
            word_piece,
            {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"},
        ),
    }
    for seed, (model_id, (model, tokenizer, names)) in enumerate(made.items()):
        folder = cache_dir / "models" / model_id.replace("/", "--")
        # T5 does not divide its scores: larger weights would make much of how a product is rounded
        save(folder, model, tokenizer, seed=seed, std=0.15 if model_id == T5 else 0.3, **names)
    return Settings(
        cache_dir=cache_dir,
        extra_models=(*FAMILIES, MASKED),
        default_model=LLAMA,
        default_encoder=BERT,
        device="cpu",
        HF_HUB_OFFLINE=True,
    )


def save(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    *,
    seed: int,
    std: float = 0.3,
    norms: float = 1.0,
    **names: str,
) -> None:
    """Fill the model with random weights, those of norms around `norms`, and write a plain folder."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(std=std, generator=generator)
            if "norm" in name.lower() or "ln_" in name:
                parameter.add_(norms if name.endswith("weight") else 0.0)
    model.save_pretrained(folder)
    save_tokenizer(folder, tokenizer, revision=f"tiny-{seed}", **names)


def save_tokenizer(folder: Path, tokenizer: Tokenizer, *, revision: str, **names: str) -> None:
    """Write what a model folder holds beside its weights."""
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    (folder / METADATA).write_text(json.dumps({"revision": revision}), "utf-8")


def byte_level_tokenizer(n_vocab: int = 400) -> Tokenizer:
    """GPT-2's scheme: BPE over bytes, no frame tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return _train(
        tokenizer,
        trainers.BpeTrainer(
            vocab_size=n_vocab,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            special_tokens=["<|endoftext|>", "<|im_start|>"],
            show_progress=False,
        ),
    )


def word_piece_tokenizer(n_vocab: int = 300) -> Tokenizer:
    """BERT's scheme: lower case, [CLS] ... [SEP]."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trained = _train(
        tokenizer, trainers.WordPieceTrainer(vocab_size=n_vocab, special_tokens=special, show_progress=False)
    )
    frame = [(name, trained.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    trained.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=frame)
    return trained


def unigram_tokenizer(n_vocab: int = 200, *, byte_fallback: bool = False) -> Tokenizer:
    """T5's scheme: Unigram over text whose spaces are ▁, `</s>` at the end."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trained = _train(
        tokenizer,
        trainers.UnigramTrainer(
            vocab_size=n_vocab,
            special_tokens=["<pad>", "</s>", "<unk>"],
            unk_token="<unk>",
            show_progress=False,
        ),
    )
    trained.decoder = decoders.Metaspace()
    if byte_fallback:
        trained = _with_byte_fallback(trained)
    trained.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", trained.token_to_id("</s>"))]
    )
    return trained


def _with_byte_fallback(tokenizer: Tokenizer) -> Tokenizer:
    spec: dict[str, Any] = json.loads(tokenizer.to_str())
    spec["model"]["byte_fallback"] = True
    spec["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    return Tokenizer.from_str(json.dumps(spec))


def _train(tokenizer: Tokenizer, trainer: trainers.Trainer) -> Tokenizer:
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _llama(tokenizer: Tokenizer) -> PreTrainedModel:
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=N_CTX,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.token_to_id("<|endoftext|>"),
    )
    return LlamaForCausalLM(config)


def _gpt2(tokenizer: Tokenizer) -> PreTrainedModel:
    eos = tokenizer.token_to_id("<|endoftext|>")
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_positions=N_CTX,
        n_embd=64,
        n_layer=2,
        n_head=4,
        bos_token_id=eos,
        eos_token_id=eos,
    )
    return GPT2LMHeadModel(config)


def _bert(tokenizer: Tokenizer) -> PreTrainedModel:
    return BertModel(_bert_config(tokenizer))


def _bert_config(tokenizer: Tokenizer) -> BertConfig:
    return BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=N_CTX,
        pad_token_id=tokenizer.token_to_id("[PAD]"),
    )


def _t5(tokenizer: Tokenizer) -> PreTrainedModel:
    config = T5Config(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=64,
        d_kv=16,
        d_ff=96,
        num_layers=2,
        num_heads=4,
        pad_token_id=tokenizer.token_to_id("<pad>"),
        eos_token_id=tokenizer.token_to_id("</s>"),
        decoder_start_token_id=tokenizer.token_to_id("<pad>"),
    )
    return T5ForConditionalGeneration(config)
