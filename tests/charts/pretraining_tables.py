"""Small tables for the pictures of the page pretraining."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from playground.core.tables import pretraining

TABLES: Mapping[str, Callable[[], pd.DataFrame]] = {
    "pretraining.byte_map": lambda: pretraining.byte_map([97, 32], np.array([[0.5, 1.0], [-0.5, 0.25]])),
    "pretraining.halves": lambda: pretraining.halves({"read": [(0, 5.5)], "unread": [(0, 5.5), (10, 4.0)]}),
    "pretraining.losses": lambda: pretraining.curves({"it's": ([(1, 5.5)], [(0, 5.5), (1, 5.0)])}, {1: 4.5}),
    "pretraining.transfer": lambda: pretraining.transfer({"둘": [(2, 36.5, 72), (4, 40.0, 72)]}),
    "pretraining.word_shares": lambda: pretraining.word_shares({"it's": [(0, 0, 3), (10, 2, 4)]}),
}
