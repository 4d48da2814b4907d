"""Remedies in the reader's words."""

from __future__ import annotations

from playground.core.forgetting import ForgettingMethod
from playground.engine.contract.models import AdapterName
from playground.ui import compute
from playground.ui.text import N_, _

KINDS = ("rehearsal", "l2sp", "ewc", "rank")
NAMES = {
    "start": N_("before training"),
    "plain": N_("plain"),
    "rehearsal": N_("rehearsal"),
    "l2sp": "L2-SP",
    "ewc": "EWC",
    "rank": N_("smaller rank"),
}


def names() -> dict[str, str]:
    """Kind -> its name in the reader's language."""
    return {kind: _(name) for kind, name in NAMES.items()}


def words() -> dict[str, str]:
    """All words of the pictures."""
    return {
        **names(),
        "held_out": _("Held-out loss (nats per token)"),
        "bits": _("Loss on prose (bits per byte)"),
        "general": _("Loss on prose (bits per byte)"),
        "step": _("Training step"),
        "strength": _("Strength"),
        "r": _("Rank r"),
        "seed": _("Seed"),
    }


def strength_of(method: ForgettingMethod) -> str:
    """Strength of a remedy as it is shown, "" for plain training."""
    if method.kind == "rank":
        return str(method.r)
    if method.kind == "rehearsal":
        return f"{100 * method.strength:.0f} %"
    return f"{method.strength:g}" if method.strength else ""


def language_of(model_id: str) -> str:
    """Language of the ordinary texts that a model is measured on: Korean where it was made for it."""
    base_id = AdapterName.of(model_id).base_id
    info = next(one for one in compute.models() if one.model_id == base_id)
    return "ko" if "ko" in info.languages else "en"
