"""The console command: quick to answer, one sentence for each thing that can go wrong."""

from __future__ import annotations

import codecs
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from playground import cli, server
from playground.settings import DEFAULT_DECODER, Settings
from tests.server.command import invoke, one_sentence

HEAVY = ("torch", "transformers", "streamlit", "pandas", "altair", "numpy", "playground.engine")


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = f"import sys, playground.cli; print([name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_help_names_the_three_commands_in_whole_sentences() -> None:
    output = invoke("--help").output
    lines = {line.split()[0]: line for line in output.partition("Commands:")[2].splitlines() if line.strip()}
    assert set(lines) == {"run", "pull", "doctor"}
    assert all(line.endswith(".") and not line.endswith("...") for line in lines.values())


def test_help_of_pull_lists_the_models_the_teachers_included() -> None:
    output = invoke("pull", "--help", PLAYGROUND_EXTRA_MODELS='["school/model"]').output
    for model_id in (DEFAULT_DECODER, "gpt2", "school/model"):
        assert f"  {model_id} " in output
    assert "551 MB, en, gpt2, MIT" in output
    assert re.search(
        r"Read Korean:\n(  .*\n)*  klue/bert-base +443 MB, ko, bert, CC-BY-SA-4.0, fill\n", output
    )
    assert " 0 MB" not in output


def test_an_account_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """What platformdirs raises for a service's account."""

    def no_home(name: str) -> str:
        raise RuntimeError("could not determine the home directory for '~/.cache'")

    monkeypatch.setattr("playground.settings.platformdirs.user_cache_dir", no_home)
    for arguments in (["run", "--no-browser"], ["pull"], ["pull", "--help"]):
        assert "PLAYGROUND_CACHE_DIR" in one_sentence(invoke(*arguments))
    assert "MISSING settings: This account has no home folder" in invoke("doctor").output


# --- run


def test_a_taken_port_is_one_sentence_with_the_cure() -> None:
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        sentence = one_sentence(invoke("run", "--no-browser", "--port", str(port)))
    assert f"Port {port} is already in use" in sentence
    assert f"--port {port + 1}" in sentence


@pytest.mark.parametrize("options", [("--lan",), ("--host", "192.0.2.1"), ("--host", "::")])
def test_others_are_let_in_only_with_a_password(options: tuple[str, ...]) -> None:
    assert "--password-file" in one_sentence(invoke("run", "--no-browser", *options))


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
    by_file = one_sentence(invoke(*run, "--password-file", str(path)))
    by_environment = one_sentence(invoke(*run, PLAYGROUND_CLASS_PASSWORD=content))
    assert by_file == by_environment
    assert "at least 6 characters" in by_file


@pytest.mark.usefixtures("never_listens")
@pytest.mark.parametrize("content", POOR)
def test_a_poor_teachers_password_is_refused_whichever_way_it_comes(tmp_path: Path, content: str) -> None:
    path = tmp_path / "teacher.txt"
    path.write_text(content, "utf-8")
    by_file = one_sentence(invoke("run", "--no-browser", "--teacher-password-file", str(path)))
    by_environment = one_sentence(invoke("run", "--no-browser", PLAYGROUND_TEACHER_PASSWORD=content))
    assert by_file == by_environment
    assert "The teacher's password is too short" in by_file


@pytest.mark.usefixtures("never_listens")
def test_the_class_password_makes_nobody_a_teacher(tmp_path: Path) -> None:
    path = tmp_path / "both.txt"
    path.write_text(" one for all \n", "utf-8")
    files = ("--password-file", str(path), "--teacher-password-file", str(path))
    assert "which every student knows" in one_sentence(invoke("run", "--lan", "--no-browser", *files))


def test_no_password_stays_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLAYGROUND_CLASS_PASSWORD", "PLAYGROUND_TEACHER_PASSWORD", "playground_teacher_password"):
        monkeypatch.setenv(name, "six or more")
    cli._take_out_of_environment()
    assert not [name for name in os.environ if "PASSWORD" in name.upper()]


@pytest.mark.usefixtures("never_listens")
def test_a_host_from_the_environment_needs_the_password_too() -> None:
    assert "--password-file" in one_sentence(invoke("run", "--no-browser", PLAYGROUND_HOST="0.0.0.0"))


@pytest.mark.usefixtures("never_listens")
@pytest.mark.parametrize("command", [("run", "--no-browser"), ("pull",)])
def test_a_bad_setting_is_one_sentence_before_anything_starts(command: tuple[str, ...]) -> None:
    said = one_sentence(invoke(*command, PLAYGROUND_MAX_TOKNES="9"))
    assert said == "PLAYGROUND_MAX_TOKNES is not a setting. Did you mean PLAYGROUND_MAX_TOKENS?"
    said = one_sentence(invoke(*command, PLAYGROUND_PORT="99999"))
    assert said == 'PLAYGROUND_PORT is "99999". Allowed is a whole number from 1 to 65,535.'


@pytest.mark.usefixtures("never_listens")
def test_a_server_without_a_home_is_told_to_name_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What pathlib raises for an account that is in no list of accounts, as in a container."""

    def no_home(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    said = one_sentence(invoke("run", "--no-browser", PLAYGROUND_CACHE_DIR=str(tmp_path)))
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
    settings = cli._server_settings(None, None, False, {"class_password": None, "teacher_password": path})
    assert settings.teacher_password is not None
    assert settings.teacher_password.get_secret_value() == "우리 반의 암호"
    settings = cli._server_settings(None, None, True, {"class_password": path})
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
    sentence = one_sentence(invoke("run", "--lan", "--password-file", str(path)))
    assert str(path) in sentence
    assert "UTF-8" in sentence


def test_the_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_CLASS_PASSWORD", "from the environment")
    settings = cli._server_settings(None, None, True, {})
    assert settings.host == "0.0.0.0"
    assert "from the environment" not in repr(settings)


def test_a_class_is_told_every_address() -> None:
    addresses = cli._addresses(Settings(host="0.0.0.0", port=8765, class_password="six or more"))
    assert addresses[0] == "http://127.0.0.1:8765"
    assert all(address.endswith(":8765") for address in addresses)
    assert cli._addresses(Settings(host="::1", port=8765)) == ["http://[::1]:8765"]
