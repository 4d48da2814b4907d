"""`llm-playground doctor`: what is missing, with its cure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from playground import doctor
from playground.settings import DEFAULT_DECODER, Settings
from tests.server.command import invoke

# --- doctor


@pytest.mark.real
def test_doctor_finds_nothing_missing_here(real_settings: Settings) -> None:
    result = invoke("doctor", PLAYGROUND_CACHE_DIR=str(real_settings.cache_dir))
    assert result.exit_code == 0, result.output
    assert "MISSING" not in result.output
    assert DEFAULT_DECODER in result.output


def test_doctor_names_the_cure_of_each_thing_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("no-such-package",))
    monkeypatch.setattr(doctor, "NEEDED_DISK_BYTES", 10**18)
    result = invoke("doctor", PLAYGROUND_CACHE_DIR=str(tmp_path / "none" / "yet"))
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
    result = invoke("doctor", **{name: value})
    assert result.exit_code == 1
    (line,) = [line for line in result.output.splitlines() if line.startswith("MISSING settings")]
    assert f'{name} is "{value}"' in line
    assert "Allowed is" in line


def test_doctor_says_what_replicas_would_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray is missed only where it is asked for; a cluster that does not answer is named."""

    def line(**variables: str) -> str:
        told = invoke("doctor", **variables).output.splitlines()
        return next(one for one in told if one.split()[1].startswith("ray"))

    monkeypatch.setattr(doctor, "_models", lambda _settings: [])
    assert re.match(r"ok +ray: 2\.60\.\d, --engine ray starts a head on this machine for 2", line())
    nobody = {"RAY_ADDRESS": "127.0.0.1:9", "PLAYGROUND_ENGINE": "ray"}
    assert line(**nobody).startswith("MISSING ray")
    assert "nobody answers there" in line(**nobody)

    def not_here(_name: str) -> str:
        raise doctor.PackageNotFoundError

    monkeypatch.setattr(doctor, "version", not_here)
    assert line().startswith("absent  ray (only for replicas): not installed. pip install")
    assert line(PLAYGROUND_ENGINE="ray").startswith("MISSING ray")


def test_doctor_misses_a_device_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = invoke("doctor", PLAYGROUND_DEVICE="cuda:1")
    assert result.exit_code == 1
    assert "PLAYGROUND_DEVICE=cuda:1" in next(
        line for line in result.output.splitlines() if line.startswith("MISSING device")
    )


def test_doctor_calls_nothing_well_that_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.chromium.find_chromium", lambda: None)
    lines = invoke("doctor", PLAYGROUND_CACHE_DIR=str(tmp_path)).output.splitlines()
    assert [line for line in lines if re.fullmatch(r"absent  model: \d+ more can be brought. .*--help", line)]
    assert [line for line in lines if line.startswith("ok") and ("gpt2" in line or "chromium" in line)] == []


def test_doctor_says_that_the_cache_folder_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    finding = doctor._disk(Path("/srv/models"))
    assert (finding.ok, finding.text) == (False, "/srv/models cannot be written")
    assert "PLAYGROUND_CACHE_DIR" in finding.cure


def test_doctor_tells_the_products_that_are_the_fastest_here(tmp_path: Path) -> None:
    from playground.engine.decoding import product_times

    settings = Settings(cache_dir=tmp_path, device="cpu")
    machine = product_times.Machine.here(settings)
    environment = {"PLAYGROUND_CACHE_DIR": str(tmp_path), "PLAYGROUND_DEVICE": "cpu"}
    assert "absent  products: not timed yet" in invoke("doctor", **environment).output
    times = {((6, 4), 1): {"torch": 2e-6, "onednn": 1e-6}, ((6, 4), 30): {"torch": 1e-6, "onednn": 2e-6}}
    product_times.write(machine.file(settings), machine, times)
    assert "ok      products: 6x4 onednn (1), torch (30) rows" in invoke("doctor", **environment).output


@pytest.mark.parametrize(("password", "line"), [("", "absent  teacher"), ("six or more", "ok      teacher")])
def test_doctor_says_whether_a_class_can_be_led(password: str, line: str, tmp_path: Path) -> None:
    env = {"PLAYGROUND_TEACHER_PASSWORD": password} if password else {}
    lines = invoke("doctor", PLAYGROUND_CACHE_DIR=str(tmp_path), **env).output.splitlines()
    (found,) = [one for one in lines if "teacher:" in one]
    assert found.startswith(line)
    assert not password or password not in found
    assert ("--teacher-password-file" in found) is not bool(password)
