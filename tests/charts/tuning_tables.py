"""Sample tables of the pictures of DPO."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from playground.core.policy.dpo import dpo
from playground.core.preferences.pair import PreferencePair
from playground.core.tables import alignment_dpo

DPO = dpo([-9.0], [-12.0], [-8.0], [-8.5], 0.1)


def _judged() -> pd.DataFrame:
    return alignment_dpo.judged({0: DPO, 4: DPO}, {0: 0.0, 4: 0.1})


TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "alignment_dpo.accuracy": _judged,
    "alignment_dpo.divergence": _judged,
    "alignment_dpo.log_ratios": lambda: alignment_dpo.log_ratios({0: DPO, 4: DPO}, 0.1),
    "alignment_dpo.losses": lambda: alignment_dpo.losses([(1, 0.7)], [(0, 0.69), (1, 0.6)]),
    "alignment_dpo.pair_rewards": lambda: alignment_dpo.pairs(DPO, [PreferencePair("it's", "둘", "a")]),
}
