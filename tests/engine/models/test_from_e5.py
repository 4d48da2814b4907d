"""multilingual-e5-small becomes a plain folder: its numbers, its pieces, its check values."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertConfig, BertModel

from playground.engine.models import from_e5
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.embedded import WHEELS, find_weights
from playground.engine.models.loading import load, locate
from playground.engine.models.tokenizing import TextTokenizer
from playground.errors import Message
from playground.settings import MULTILINGUAL_ENCODER, Settings
from tests import tiny_e5

SIZES = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "vocab_size": 20,  # more rows than pieces, as in the real one
    "max_position_embeddings": 24,
    "type_vocab_size": 2,
}
JOURNEY = "나는 최근 파리 여행을 다녀왔다"


def silent(message: Message, fraction: float) -> None: ...


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, torch.Tensor]]:
    """(file in the wheel's format, the folder converted from it, the weights that went in)."""
    place = tmp_path_factory.mktemp("e5")
    model = BertModel(BertConfig(**SIZES), add_pooling_layer=False)
    generator = torch.Generator().manual_seed(5)
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3, generator=generator)
    weights = tiny_e5.write(place / "tiny.bin", model, list(SIZES.values()))
    folder = place / "folder"
    folder.mkdir()
    from_e5.convert(place / "tiny.bin", folder, silent)
    return place / "tiny.bin", folder, weights


def test_the_folder_holds_the_weights_of_the_file(
    made: tuple[Path, Path, dict[str, torch.Tensor]],
) -> None:
    _file, folder, weights = made
    converted = load_file(folder / "model.safetensors")
    assert set(converted) == set(weights)
    for name, values in weights.items():
        torch.testing.assert_close(converted[name], values, atol=0, rtol=0)


def test_plain_transformers_reads_all_of_it(made: tuple[Path, Path, dict[str, torch.Tensor]]) -> None:
    _file, folder, weights = made
    model, report = BertModel.from_pretrained(folder, add_pooling_layer=False, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert {name: getattr(model.config, name) for name in SIZES} == SIZES
    assert model.config.layer_norm_eps == 1e-12
    oracle = BertModel(BertConfig(**SIZES), add_pooling_layer=False).eval()
    oracle.load_state_dict(weights, strict=True)
    ids = torch.tensor([[0, 5, 6, 7, 2]])
    with torch.no_grad():
        torch.testing.assert_close(model(ids).last_hidden_state, oracle(ids).last_hidden_state)


def test_another_file_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ValueError, match="E5S1"):
        from_e5.convert(tmp_path / "weights.bin", tmp_path, silent)


@pytest.mark.parametrize("text", ["나는 눈이 온다", " a  ab", "a\x01b\t１", "～눈", "ﬁ ab ab", "온다 "])
def test_the_tokenizer_finds_the_best_of_all_ways_to_cut(
    made: tuple[Path, Path, dict[str, torch.Tensor]], text: str
) -> None:
    _file, folder, _weights = made
    tokenizer = TextTokenizer("tiny/e5", folder)
    found = tokenizer.tokenize(text, add_special_tokens=False)
    pieces = [tiny_e5.PIECES[token_id] for token_id in found.input_ids]
    read = "".join(tiny_e5.CHANGED.get(char, char) for char in text)
    read = "▁" + " ".join(read.split(" ")).replace("  ", " ").removeprefix(" ").replace(" ", "▁")
    assert best_cut(read) == pieces
    assert tokenizer.encode(text) == (0, *found.input_ids, 2)


def best_cut(text: str) -> list[str]:
    """Viterbi's way, as `e5.c`; unknown characters that follow one another are one token."""
    scores = dict(zip(tiny_e5.PIECES, tiny_e5.SCORES, strict=True))
    best: list[tuple[float, list[str]]] = [(0.0, [])]
    for end in range(1, len(text) + 1):
        ways = [(best[end - 1][0] + min(tiny_e5.SCORES) - 10, [*best[end - 1][1], "<unk>"])]
        for start in range(end):
            if (piece := text[start:end]) in scores:
                ways.append((best[start][0] + scores[piece], [*best[start][1], piece]))
        best.append(max(ways))
    cut = best[-1][1]
    return [piece for i, piece in enumerate(cut) if not (piece == "<unk>" == ([None, *cut])[i])]


def test_every_single_character_is_read_as_the_map_says(
    made: tuple[Path, Path, dict[str, torch.Tensor]],
) -> None:
    file, folder, _weights = made
    check_characters(file, folder, [*map(chr, range(0x3000)), *"～～🈻한ﬁ１ㅋ"])


def test_another_map_than_nfkc_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = BertModel(BertConfig(**SIZES), add_pooling_layer=False)
    for changed in ({"a": "b"}, {}):
        monkeypatch.setattr(tiny_e5, "CHANGED", changed)
        tiny_e5.write(tmp_path / "other.bin", model, list(SIZES.values()))
        with pytest.raises(ValueError, match="NFKC"):
            from_e5.convert(tmp_path / "other.bin", tmp_path, silent)


def check_characters(file: Path, folder: Path, characters: Iterable[str]) -> None:
    changes = tiny_e5.changes_of(file)
    normalizer = Tokenizer.from_file(str(folder / "tokenizer.json")).normalizer
    odd = {
        char: (normalizer.normalize_str(char), changes.get(char, char))
        for char in characters
        if normalizer.normalize_str(char) != changes.get(char, char)
    }
    assert odd == {}


def test_what_is_typed_in_parts_is_read_as_one_character_with_its_parts_as_span(
    made: tuple[Path, Path, dict[str, torch.Tensor]],
) -> None:
    _file, folder, _weights = made
    whole, parts = "눈이 온다", "\u1102\u116e\u11ab\u110b\u1175 \u110b\u1169\u11ab\u1103\u1161"
    tokenizer = TextTokenizer("tiny/e5", folder)
    assert tokenizer.encode(whole) == tokenizer.encode(parts)
    found = tokenizer.tokenize(parts, add_special_tokens=False)
    assert [parts[start:end] for start, end in found.offsets] == [parts[:3], parts[3:5], parts[5:]]


# the real one


@pytest.fixture(scope="module")
def e5(with_e5: Settings) -> Path:
    return model_folder(MULTILINGUAL_ENCODER, with_e5)


@pytest.mark.real
def test_its_sentence_vectors_have_the_check_values(with_e5: Settings) -> None:
    """`query: ` and `passage: ` before the texts, mean over all tokens; fp32, of the file's 4-bit weights."""
    loaded = load(catalogue(with_e5)[MULTILINGUAL_ENCODER], with_e5, silent)

    def vector(text: str) -> torch.Tensor:
        with torch.no_grad():
            mean = (
                loaded.model.base_model(torch.tensor([loaded.tokenizer.encode(text)]))
                .last_hidden_state[0]
                .mean(0)
            )
        return torch.nn.functional.normalize(mean, dim=0)

    query = vector("query: 한국의 수도는 어디인가요?")
    cosines = {
        "대한민국의 수도는 서울입니다.": 0.923,
        "Seoul is the capital of South Korea.": 0.779,
        "고양이가 소파에서 잠을 잔다.": 0.750,
        "Paris is the capital of France.": 0.717,
        "The cat sleeps on the sofa.": 0.622,
    }
    found = {text: float(query @ vector(f"passage: {text}")) for text in cosines}
    assert found == pytest.approx(cosines, abs=6e-4)
    info = loaded.info
    assert (info.n_layer, info.n_head, info.d_model, info.d_vocab, info.n_ctx) == (12, 12, 384, 250_037, 512)
    assert info.max_seq_length == 512


@pytest.mark.real
def test_its_pieces_of_a_korean_sentence(e5: Path) -> None:
    found = TextTokenizer("e5", e5).tokenize(JOURNEY)
    assert found.tokens == ("<s>", " 나는", " 최근", " 파", "리", " 여행을", " 다녀", "왔", "다", "</s>")
    assert "".join(JOURNEY[start:end] for start, end in found.offsets) == JOURNEY
    assert b"".join(found.token_bytes).decode() == JOURNEY
    assert (found.input_ids[0], found.input_ids[-1]) == (0, 2)
    theirs = AutoTokenizer.from_pretrained(e5, local_files_only=True)(JOURNEY)
    assert tuple(theirs["input_ids"]) == found.input_ids


@pytest.mark.real
def test_every_character_is_read_as_the_map_of_the_wheel_says(e5: Path) -> None:
    weights = find_weights(WHEELS[MULTILINGUAL_ENCODER])
    assert weights is not None
    without = {*range(0xD800, 0xE000), *range(0xFDD0, 0xFDF0)}  # surrogates, a program's own noncharacters
    check_characters(weights, e5, (chr(code) for code in range(0x110000) if code not in without))


@pytest.mark.real
def test_its_conversion_is_whole_or_not_there_and_takes_little_memory(empty_settings: Settings) -> None:
    killed = convert_elsewhere(empty_settings, 60)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "Reading the compressed weights\n"
    killed.kill()
    killed.communicate()
    embedded = catalogue(empty_settings)[MULTILINGUAL_ENCODER]
    assert locate(embedded, empty_settings) is None
    told = convert_elsewhere(empty_settings, 0).communicate()[0]
    folder = locate(embedded, empty_settings)
    assert folder is not None
    assert int(told.split()[-1]) < 1.2 * 10**6, "kB at the most"
    size_bytes = sum(path.stat().st_size for path in folder.iterdir())
    assert (
        0.95 * embedded.size_bytes
        < size_bytes
        < embedded.size_bytes
        == WHEELS[MULTILINGUAL_ENCODER].size_bytes
    )


CONVERT = """
import re, sys, time
from pathlib import Path
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import pull
from playground.settings import MULTILINGUAL_ENCODER, Settings

settings = Settings(cache_dir=sys.argv[1], HF_HUB_OFFLINE=True)

def progress(message, fraction):
    print(message, flush=True)
    time.sleep(float(sys.argv[2]))

pull(catalogue(settings)[MULTILINGUAL_ENCODER], settings, progress)
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])  # of this program alone
"""


def convert_elsewhere(settings: Settings, pause_s: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CONVERT, str(settings.cache_dir), str(pause_s)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.real
def test_its_marks_have_the_ids_of_the_file(e5: Path) -> None:
    tokenizer = Tokenizer.from_file(str(e5 / "tokenizer.json"))
    assert [tokenizer.token_to_id(name) for name in ("<s>", "<pad>", "</s>", "<unk>")] == [0, 1, 2, 3]
    assert tokenizer.get_vocab_size() == 250_002
