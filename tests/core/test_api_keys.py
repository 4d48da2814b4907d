"""Keys of sessions: shown once, kept as a hash, of no use without their session."""

from __future__ import annotations

import pickle

from playground.core.api_keys import Keys, KeyUse, Switch


def test_a_key_asks_for_its_session_while_that_is_here() -> None:
    here = {"ada", "bob"}
    keys = Keys(here.__contains__, limit=8)
    ada, bob = keys.make("ada"), keys.make("bob")
    assert (keys.owner_of(ada), keys.owner_of(bob)) == ("ada", "bob")
    here.remove("ada")
    assert keys.owner_of(ada) is None
    here.add("ada")
    assert keys.owner_of(ada) == "ada"
    keys.end("ada")
    assert (keys.owner_of(ada), keys.owner_of(bob)) == (None, "bob")


def test_another_key_ends_the_one_before_and_nothing_else_opens() -> None:
    keys = Keys(lambda _owner: True, limit=8)
    first, second = keys.make("ada"), keys.make("ada")
    assert first != second
    assert keys.owner_of(first) is None
    for wrong in ("", second[:-1], second + "x", second.upper(), "pg-", "\ud800", "x" * 10**6):
        assert keys.owner_of(wrong) is None, wrong


def test_no_key_is_kept_as_it_is() -> None:
    keys = Keys(lambda _owner: True, limit=8)
    key = keys.make("ada")
    kept = pickle.dumps(list(keys._by_hash.items())) + repr(keys._by_hash).encode()
    assert b"ada" in kept
    assert key.encode() not in kept
    assert key.removeprefix("pg-").encode() not in kept


def test_keys_are_bounded_and_absent_sessions_lose_theirs_first() -> None:
    here = {str(number) for number in range(9)}
    keys = Keys(here.__contains__, limit=4)
    made = {owner: keys.make(owner) for owner in "0123"}
    here.remove("2")
    made["4"] = keys.make("4")
    assert [owner for owner, key in made.items() if keys.owner_of(key)] == ["0", "1", "3", "4"]
    made["5"] = keys.make("5")
    assert [owner for owner, key in made.items() if keys.owner_of(key)] == ["1", "3", "4", "5"]


def test_the_use_of_a_key_is_counted_and_begins_anew_with_another() -> None:
    keys = Keys(lambda _owner: True, limit=8)
    assert keys.use_of("ada") is None
    keys.make("ada")
    keys.note("ada", answered=True, n_tokens=7)
    keys.note("ada", answered=False)
    keys.note("nobody", answered=True)
    assert keys.use_of("ada") == KeyUse(1, 1, 7)
    keys.make("ada")
    assert keys.use_of("ada") == KeyUse()


def test_a_switch_lasts_as_long_as_its_class() -> None:
    for default in (False, True):
        switch = Switch(default)
        assert (switch.is_on(None), switch.is_on(1)) == (default, default)
        switch.turn(1, not default)
        assert (switch.is_on(1), switch.is_on(None), switch.is_on(2)) == (not default, default, default)
