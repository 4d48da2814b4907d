"""The rows of the allow-list: id, name, family, languages, licence and size of every model offered here.

Each is a repository of the model hub with safetensors and a tokenizer.json, of a family in `FAMILIES`, and
smaller than the limit of a download; what lacks one of them could not be loaded. Sizes are those of the files
that are downloaded. In display order: embedded, then Korean, English, many languages; families side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.settings import DATES_MODEL, DEFAULT_DECODER, DEFAULT_ENCODER, MULTILINGUAL_ENCODER


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the list.

    Attributes:
        model_id, name: The hub's name of the model, and a short one for the reader.
        family: `model_type` of its config.json.
        languages: ISO 639-1 codes, separated by spaces, of what it was trained on.
        licence: SPDX id where there is one, otherwise the makers' own name.
        size_mb: Of the download, or of the folder of an embedded model, in 10**6 bytes.
        chats: True if its tokenizer brings a chat template.
        fills: True if its weights bring a masked-LM head.
        is_gated: True if the hub gives it only to accounts that accepted its licence.
    """

    model_id: str
    name: str
    family: str
    languages: str
    licence: str
    size_mb: int
    chats: bool = False
    fills: bool = False
    is_gated: bool = False


APACHE, CC, LLAMA, GEMMA = "Apache-2.0", "CC-BY-SA-4.0", "Llama 3.2 Community", "Gemma"
# of some hundred languages, those with the most text; Conneau et al. 2020, figure 1. All are among those of
# multilingual BERT and of the multilingual MiniLM too.
A_HUNDRED = "en ko ar bg cs da de el es fa fi fr he hi hu id it ja nl no pl pt ro ru sv th tr uk vi zh"
QWEN = "en ko zh ja fr es pt de it ru vi th ar"  # those its makers name

COMMITS = {  # what the hub's repositories held when this list was made; the others follow their branch
    "skt/kogpt2-base-v2": "refs/pr/3",
    "EleutherAI/polyglot-ko-1.3b": "557e162cf6e944fdbae05bab2e45d066a125eacb",
    "klue/bert-base": "77c8b3d707df785034b4e50f2da5d37be5f0f546",
    "klue/roberta-small": "5fe1f0cb3946f0ea1c01e657cd1688771cf47802",
    "klue/roberta-base": "02f94ba5e3fcb7e2a58a390b8639b0fac974a8da",
    "gogamza/kobart-base-v2": "9e0c08ed1ff542aba438d05a0a16e1239b308142",
    "HuggingFaceTB/SmolLM2-135M": "93efa2f097d58c2a74874c7e644dbc9b0cee75a2",
    "HuggingFaceTB/SmolLM2-360M-Instruct": "a10cc1512eabd3dde888204e902eca88bddb4951",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": "fe8a4ea1ffedaf415f4da2f062534de366a451e6",
    "Felladrin/TinyMistral-248M-Chat-v2": "8c0ff274cbe0a9631a50cb3187c267e8cd2d262b",
    "google/gemma-3-270m": "9b0cfec892e2bc2afd938c98eabe4e4a7b1e0ca1",
    "google/gemma-3-270m-it": "ac82b4e820549b854eebf28ce6dedaf9fdfa17b3",
    "google/gemma-3-1b-pt": "fcf18a2a879aab110ca39f8bffbccd5d49d8eb29",
    "google/gemma-3-1b-it": "dcc83ea841ab6100d6b47a070329e1ba4cf78752",
    "allenai/OLMo-2-0425-1B-Instruct": "48d788eca847d4d7548f375ad03d3c9312f6139e",
    "gpt2": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
    "distilgpt2": "2290a62682d06624634c1f46a6ad5be0f47f38aa",
    "EleutherAI/pythia-70m": "2ab25ed47af79376eed2baaf8bbb7a192a0c73ff",
    "EleutherAI/pythia-160m": "50f5173d932e8e61f858120bcb800b97af589f46",
    "google-bert/bert-base-uncased": "86b5e0934494bd15c9632b12f734a8a67f723594",
    "FacebookAI/roberta-base": "e2da8e2f811d1448a5b465c236feacd80ffbac7b",
    "distilbert/distilbert-base-uncased": "12040accade4e8a0f71eabdb258fecc2e7e948be",
    "google/electra-base-discriminator": "622038df5bb2999b99d614f9f604dcc6f08cb3d7",
    "answerdotai/ModernBERT-base": "8949b909ec900327062f0ebf497f51aef5e6f0c8",
    "facebook/bart-base": "aadd2ab0ae0c8268c7c9693540e9904811f36177",
    "Qwen/Qwen2.5-0.5B": "060db6499f32faf8b98477b0a26969ef7d8b9987",
    "Qwen/Qwen2.5-0.5B-Instruct": "7ae557604adf67be50417f59c2c2f167def9a775",
    "Qwen/Qwen3-0.6B-Base": "da87bfb608c14b7cf20ba1ce41287e8de496c0cd",
    "Qwen/Qwen3-0.6B": "c1899de289a04d12100db370d81485cdf75e47ca",
    "meta-llama/Llama-3.2-1B": "4e20de362430cd3b72f300e6b0f18e50e7166e08",
    "meta-llama/Llama-3.2-1B-Instruct": "9213176726f574b556790deb65791e0c5aa438b6",
    "google-bert/bert-base-multilingual-cased": "3f076fdb1ab68d5b2880cb87a0886f315b8146f8",
    "distilbert/distilbert-base-multilingual-cased": "45c032ab32cc946ad88a166f7cb282f58c753c2e",
    "FacebookAI/xlm-roberta-base": "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
    "intfloat/multilingual-e5-base": "d13f1b27baf31030b7fd040960d60d909913633f",
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2": "e8f8c211226b894fcb81acc59f3b34ba3efd5f42",
    "google-t5/t5-small": "df1b051c49625cf57a3d0d8d3863ed4d13564fe4",
    "google/flan-t5-small": "0fc9ddf78a1e988dac52e2dac162b0ede4fd74ab",
}

EMBEDDED = (
    Listed(DEFAULT_DECODER, "SmolLM2 135M Instruct", "llama", "en", APACHE, 542, chats=True),
    Listed(DEFAULT_ENCODER, "MiniLM L6 v2", "bert", "en", APACHE, 92),
    Listed(MULTILINGUAL_ENCODER, "multilingual E5 small", "bert", A_HUNDRED, "MIT", 480),
    Listed(DATES_MODEL, "Dates T5", "t5", "en ko", APACHE, 1),
)
KOREAN = (
    # the branch has no safetensors: the hub's converter offers them as a change
    Listed("skt/kogpt2-base-v2", "KoGPT2 125M", "gpt2", "ko", "CC-BY-NC-SA-4.0", 516),
    Listed("EleutherAI/polyglot-ko-1.3b", "Polyglot-Ko 1.3B", "gpt_neox", "ko", APACHE, 2770),
    Listed("klue/bert-base", "KLUE BERT base", "bert", "ko", CC, 443, fills=True),
    Listed("klue/roberta-small", "KLUE RoBERTa small", "roberta", "ko", CC, 274, fills=True),
    Listed("klue/roberta-base", "KLUE RoBERTa base", "roberta", "ko", CC, 444, fills=True),
    Listed("gogamza/kobart-base-v2", "KoBART base v2", "bart", "ko", "MIT", 497),
)  # fmt: skip
ENGLISH = (
    Listed("HuggingFaceTB/SmolLM2-135M", "SmolLM2 135M", "llama", "en", APACHE, 272),
    Listed("HuggingFaceTB/SmolLM2-360M-Instruct", "SmolLM2 360M Instruct",
           "llama", "en", APACHE, 726, chats=True),
    Listed(
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0", "TinyLlama 1.1B Chat", "llama", "en", APACHE, 2202, chats=True,
    ),
    Listed("Felladrin/TinyMistral-248M-Chat-v2", "TinyMistral 248M Chat",
           "mistral", "en", APACHE, 994, chats=True),
    Listed("google/gemma-3-270m", "Gemma 3 270M", "gemma3_text", "en", GEMMA, 571, is_gated=True),
    Listed("google/gemma-3-270m-it", "Gemma 3 270M Instruct",
           "gemma3_text", "en", GEMMA, 571, chats=True, is_gated=True),
    Listed("google/gemma-3-1b-pt", "Gemma 3 1B", "gemma3_text", "en", GEMMA, 2035, is_gated=True),
    Listed("google/gemma-3-1b-it", "Gemma 3 1B Instruct",
           "gemma3_text", "en", GEMMA, 2035, chats=True, is_gated=True),
    Listed("allenai/OLMo-2-0425-1B-Instruct", "OLMo 2 1B Instruct", "olmo2", "en", APACHE, 2980, chats=True),
    Listed("gpt2", "GPT-2 124M", "gpt2", "en", "MIT", 551),
    Listed("distilgpt2", "DistilGPT-2 82M", "gpt2", "en", APACHE, 355),
    Listed("EleutherAI/pythia-70m", "Pythia 70M", "gpt_neox", "en", APACHE, 168),
    Listed("EleutherAI/pythia-160m", "Pythia 160M", "gpt_neox", "en", APACHE, 377),
    Listed("google-bert/bert-base-uncased", "BERT base", "bert", "en", APACHE, 441, fills=True),
    Listed("FacebookAI/roberta-base", "RoBERTa base", "roberta", "en", "MIT", 502, fills=True),
    Listed(
        "distilbert/distilbert-base-uncased", "DistilBERT base", "distilbert", "en", APACHE, 269, fills=True,
    ),
    # as KoGPT2: a change offered by the hub's converter. The discriminator has no masked-LM head.
    Listed("google/electra-base-discriminator", "ELECTRA base", "electra", "en", APACHE, 441),
    Listed("answerdotai/ModernBERT-base", "ModernBERT base", "modernbert", "en", APACHE, 601, fills=True),
    Listed("facebook/bart-base", "BART base", "bart", "en", APACHE, 561),
)  # fmt: skip
MANY = (
    Listed("Qwen/Qwen2.5-0.5B", "Qwen2.5 0.5B", "qwen2", QWEN, APACHE, 1000, chats=True),
    Listed("Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5 0.5B Instruct", "qwen2", QWEN, APACHE, 1000, chats=True),
    Listed("Qwen/Qwen3-0.6B-Base", "Qwen3 0.6B Base", "qwen3", QWEN, APACHE, 1208, chats=True),
    Listed("Qwen/Qwen3-0.6B", "Qwen3 0.6B", "qwen3", QWEN, APACHE, 1519, chats=True),
    Listed("meta-llama/Llama-3.2-1B", "Llama 3.2 1B",
           "llama", "en de fr it pt hi es th", LLAMA, 2481, is_gated=True),
    Listed("meta-llama/Llama-3.2-1B-Instruct", "Llama 3.2 1B Instruct",
           "llama", "en de fr it pt hi es th", LLAMA, 2481, chats=True, is_gated=True),
    Listed("google-bert/bert-base-multilingual-cased", "multilingual BERT",
           "bert", A_HUNDRED, APACHE, 717, fills=True),
    Listed("distilbert/distilbert-base-multilingual-cased", "multilingual DistilBERT",
           "distilbert", A_HUNDRED, APACHE, 545, fills=True),
    Listed(
        "FacebookAI/xlm-roberta-base", "XLM-RoBERTa base", "xlm-roberta", A_HUNDRED, "MIT", 1125, fills=True,
    ),
    Listed("intfloat/multilingual-e5-base", "multilingual E5 base", "xlm-roberta", A_HUNDRED, "MIT", 1129),
    Listed("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", "multilingual MiniLM L12 v2",
           "bert", A_HUNDRED, APACHE, 480),
    Listed("google-t5/t5-small", "T5 small", "t5", "en fr ro de", APACHE, 244),
    Listed("google/flan-t5-small", "Flan-T5 small", "t5", "en fr ro de", APACHE, 310),
)  # fmt: skip
LISTED = (*EMBEDDED, *KOREAN, *ENGLISH, *MANY)
