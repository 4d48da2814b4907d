"""Patterns of a config of peft's match what `re` matches, in bounded time."""

from __future__ import annotations

import re
import time
import warnings
from contextlib import suppress
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.adapters import peft_files
from playground.engine.adapters.peft_config import PeftConfig
from playground.engine.local.engine import LocalEngine
from playground.engine.models.patterns import Patterns
from playground.errors import AdapterSetting, BadFile
from tests import tiny
from tests.engine.peft_adapters import (
    read_here,
    with_config,
    written_by_peft,
    zipped,
)


@settings(max_examples=400, deadline=None)
@given(
    pattern=st.text("ab.1_*+?|()[]^$\\dw{}0-9,:=!<-i", max_size=12),
    text=st.text("ab.1_", min_size=1, max_size=10),
)
def test_a_pattern_matches_what_re_matches(pattern: str, text: str) -> None:
    patterns = Patterns(5.0)
    try:
        whole, start = patterns.fullmatch(pattern, text), patterns.match(pattern, text)
    except ValueError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (re.fullmatch(pattern, text) is None) == (whole is None)
        begins = re.match(pattern, text)
    assert (begins and begins.span()) == (start and start.span())


def test_a_pattern_without_end_is_stopped_and_holds_nobody_up() -> None:
    endless = r"(?=(.*)(.*)(.*)(.*)(.*)(.*)(.*)\1\2\3\4\5\6x)"
    stopped: list[str] = []

    def match() -> None:
        try:
            Patterns(0.5).match(endless, "a" * 40)
        except ValueError as error:
            stopped.append(str(error))

    thread = Thread(target=match)
    begin = time.monotonic()
    thread.start()
    n_turns = 0
    while thread.is_alive():
        time.sleep(0.01)
        n_turns += 1
    assert stopped == ["a pattern that takes less time"]
    assert n_turns > 10
    assert time.monotonic() - begin < 10


def test_a_config_with_an_endless_pattern_is_refused_in_time(tiny_engine: LocalEngine) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj"])
    endless = {r"(?=(.*)(.*)(.*)(.*)(.*)(.*)(.*)\3\4\5\6\7\8x)": 1}  # two groups stand before
    loaded = tiny_engine.adapters.load(tiny.LLAMA).result()
    hasty = tiny_engine._settings.model_copy(update={"max_adapter_patterns_s": 0.3})
    for key in ("alpha_pattern", "rank_pattern"):
        data = zipped(with_config(files, **{key: endless}))
        with pytest.raises(AdapterSetting, match=key) as refused:
            peft_files.read(data, "x.zip", loaded, hasty, any_base=True)
        assert str(refused.value.params["allowed"]) == "a pattern that takes less time"


@pytest.mark.parametrize(
    "pattern",
    [
        "x{4294967294}",
        "(?:x{65535}){65535}",
        r"\d{6000}" * 500,
        "(?:(?:a{30}){30}){0030,}",
        "x{" + "9" * 5000 + "}",
    ],
)
def test_a_pattern_that_repeats_without_measure_is_refused_before_it_takes_memory(pattern: str) -> None:
    """The first of them alone took all memory of the machine."""
    begin = time.process_time()
    with pytest.raises(ValueError, match="shorter patterns with smaller counts"):
        Patterns(5.0).fullmatch(pattern, "model.layers.0.self_attn.q_proj")
    assert time.process_time() - begin < 1


def test_many_patterns_are_bounded_together() -> None:
    patterns, n_read = Patterns(60.0), 0
    with suppress(ValueError):
        for number in range(9_000):
            patterns.match(f"{number}x{{1000}}", "x")
            n_read += 1
    assert 10 < n_read < 50
    layers = r".*\.layers\.\d{1,2}\.self_attn\.[qv]_proj"
    assert Patterns(5.0).fullmatch(layers, "model.layers.0.self_attn.q_proj")


@pytest.mark.parametrize("letters", ["[Ā-\uffff]", r"[\u0100-\uffff]"])
def test_sets_of_all_letters_are_no_plain_pattern(letters: str) -> None:
    begin = time.process_time()
    with pytest.raises(ValueError, match="a plain regular expression"):
        Patterns(5.0).fullmatch("(?i)" + letters * 1000, "q_proj")
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("pattern", ["model|x", ["model|layers"], ["layers|"]])
def test_layers_whose_number_is_nowhere_are_refused(tiny_engine: LocalEngine, pattern: object) -> None:
    files = written_by_peft(tiny_engine._settings, tiny.LLAMA, target_modules=["q_proj"])
    with pytest.raises(AdapterSetting, match="layers_pattern"):
        read_here(
            tiny_engine, tiny.LLAMA, with_config(files, layers_to_transform=[0], layers_pattern=pattern)
        )


@pytest.mark.parametrize("key", ["peft_type", "auto_mapping", "a_later_key", "layers_to_transform"])
def test_a_config_of_any_depth_is_refused_in_a_sentence(key: str) -> None:
    for depth in [*range(900, 1000), 100_000]:
        deep = "[" * depth + "]" * depth
        with pytest.raises(BadFile):
            PeftConfig.of(f'{{"target_modules": ["q"], "peft_type": "LORA", "{key}": {deep}}}'.encode())
