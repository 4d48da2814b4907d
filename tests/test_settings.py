"""Settings: every one has bounds, and what is wrong is one sentence with the variable and what is allowed."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from playground.errors import SetUpError
from playground.settings import PREFIX, Settings, is_loopback

FIELDS = Settings.model_fields


def _variable(name: str) -> str:
    return str(FIELDS[name].validation_alias or PREFIX + name.upper())


def _limits(field: FieldInfo) -> dict[str, float]:
    return {
        kind: getattr(one, kind)
        for one in field.metadata
        for kind in ("ge", "gt", "le")
        if hasattr(one, kind)
    }


def _is_number(field: FieldInfo) -> bool:
    kinds = {field.annotation, *typing.get_args(field.annotation)}
    return bool({int, float} & kinds)


def _refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> str:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SetUpError) as caught:
        Settings()
    said = str(caught.value)
    assert "\n" not in said
    assert "rror" not in said
    return said


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if _is_number(field)])
def test_every_number_has_bounds_on_both_sides(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = _limits(FIELDS[name])
    low = limits["ge"] - 1 if "ge" in limits else limits["gt"]
    for value in (f"{low:g}", f"{limits['le'] * 2}", "abc", "", "nan", "-1"):
        said = _refused(monkeypatch, _variable(name), value)
        assert said.startswith(f'{_variable(name)} is "{value}". Allowed is a '), said
        assert f"{limits['le']:,}" in said


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if not _is_number(field)])
def test_every_default_is_allowed_and_every_other_setting_refuses_something(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {
        "trusted_proxies": "nginx",
        "allowed_hosts": "[1]",
        "extra_models": "[1]",
        "base_path": "llm/",
        "host": "my host",
        "device": "toaster",
        "hub_endpoint": "foo",
        "hf_token": "two words",
        "dtype": "fp4",
        "offline": "maybe",
        "ray_address": "the lab",
    }.get(name, "")
    said = _refused(monkeypatch, _variable(name), wrong)
    assert re.search(r"Allowed is \w|at least 6 characters", said), said


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5_000, "[1"])
def test_a_list_that_is_no_json_is_names_with_commas(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_ALLOWED_HOSTS", value)
    assert Settings().allowed_hosts == (value,)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("MAX_TOKNES", "MAX_TOKENS"), ("CACHEDIR", "CACHE_DIR"), ("class_pasword", "CLASS_PASSWORD")],
)
def test_a_misspelt_name_is_refused_with_the_right_one(
    typed: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = _refused(monkeypatch, PREFIX + typed, "9")
    assert said == f"{PREFIX}{typed.upper()} is not a setting. Did you mean {PREFIX}{meant}?"


def test_a_name_like_no_other_is_refused_without_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Did you mean" not in _refused(monkeypatch, "PLAYGROUND_QQQQ", "1")


def test_the_password_is_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunt" not in _refused(monkeypatch, "PLAYGROUND_CLASS_PASSWORD", "hunt")
    monkeypatch.setenv("PLAYGROUND_CLASS_PASSWORD", "hunter22")
    assert "hunter22" not in _refused(monkeypatch, "PLAYGROUND_PORT", "x")


@pytest.mark.parametrize("written", ["a/b, c/d", '["a/b", "c/d"]', "a/b,c/d,"])
def test_names_are_written_with_commas_or_as_json(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_EXTRA_MODELS", written)
    assert Settings().extra_models == ("a/b", "c/d")


def test_given_values_and_paths_keep_their_types(tmp_path: Path) -> None:
    settings = Settings(cache_dir=tmp_path, extra_models=("a/b",), linger_s=0)
    assert (settings.cache_dir, settings.extra_models, settings.linger_s) == (tmp_path, ("a/b",), 0.0)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("LOCALHOST", True), ("0.0.0.0", False),
     ("::", False), ("0", False), ("2130706433", False), ("localhost.evil.example", False)],
)  # fmt: skip
def test_only_this_machine_is_loopback(host: str, is_here: bool) -> None:
    assert is_loopback(host) is is_here
    if not is_here:
        with pytest.raises(SetUpError, match="needs a class password"):
            Settings(host=host)
    assert Settings(host=host, class_password="six or more").host == host
