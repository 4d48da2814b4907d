"""The decision tree: its verdicts against a binomial test, its walk by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from playground.core.lifecycle import BRANCHES, Evidence, decide, items_needed, verdict


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from([0.5, 0.65, 0.8, 0.95]))
def test_a_verdict_is_where_the_goal_lies_to_wilsons_interval(n_right: int, n: int, goal: float) -> None:
    n_right = min(n_right, n)
    low, high = binomtest(n_right, n).proportion_ci(method="wilson")
    found = verdict(Evidence(n_right / n, n), goal)
    if abs(low - goal) < 1e-3 or abs(high - goal) < 1e-3:  # z is rounded to 1.96
        return
    assert found == ("enough" if low >= goal else "short" if high < goal else "unclear")


def test_the_walk_ends_at_the_first_that_is_enough() -> None:
    good, bad, few = Evidence(0.95, 400), Evidence(0.2, 400), Evidence(0.8, 5)
    assert decide({"prompt": good}, 0.8).chosen == "prompt"
    walked = decide({"prompt": bad, "retrieval": bad, "adapter": good}, 0.8)
    assert (walked.chosen, walked.missing) == ("adapter", None)
    assert dict(walked.verdicts) == {
        "prompt": "short", "retrieval": "short", "adapter": "enough", "alignment": "open",
    }  # fmt: skip
    assert decide(dict.fromkeys(BRANCHES, bad), 0.8) == decide(dict.fromkeys(BRANCHES, bad), 0.9)
    assert decide(dict.fromkeys(BRANCHES, bad), 0.8).missing is None
    assert decide({"prompt": few, "retrieval": good}, 0.8).missing == "prompt"
    assert decide({"prompt": bad, "adapter": good}, 0.8).missing == "retrieval"
    assert decide({}, 0.8).missing == "prompt"


def test_what_a_script_took_down_decides_nothing() -> None:
    assert decide({"prompt": Evidence(1.0, 1_000, is_own=False)}, 0.5).missing == "prompt"


@pytest.mark.parametrize(("share", "goal"), [(0.9, 0.8), (0.5, 0.8), (0.79, 0.8), (1.0, 0.95)])
def test_so_many_items_decide_and_one_less_does_not(share: float, goal: float) -> None:
    n = items_needed(share, goal)
    assert n is not None
    assert verdict(Evidence(share, n), goal) in ("enough", "short")
    assert verdict(Evidence(share, n - 1), goal) in ("unclear", "open")
