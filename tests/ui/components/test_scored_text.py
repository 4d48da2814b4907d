"""What the browser sends of a coloured text is believed only where it names what was offered."""

from __future__ import annotations

from typing import Any

import pytest

from playground.ui.components import scored_text
from playground.ui.components.scored_text import Expected, ScoredToken

CAT, DOG = Expected(3, "·cat", 0.5), Expected(4, "·dog", 0.25)
TOKENS = [ScoredToken(1, "The"), ScoredToken(3, "·cat", 1.0, 1, 2.0, (CAT, DOG))]


def test_an_offered_token_is_taken() -> None:
    assert scored_text._wanted({"at": 1, "id": 4, "when": 5}, TOKENS) == (1, DOG)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        {"at": 1},
        {"at": 2, "id": 4},
        {"at": -1, "id": 4},
        {"at": True, "id": 4},
        {"at": "1", "id": 4},
        {"at": 0, "id": 4},
        {"at": 1, "id": 99},
        {"at": 1, "id": "</script>"},
        {"at": 1, "id": [4]},
    ],
)
def test_a_forged_wish_is_refused(sent: Any) -> None:
    assert scored_text._wanted(sent, TOKENS) is None
