"""The one list of pages: where each stands in the menu, and what it needs.

A page's name is its URL and that of all its files: `pages/<name>.py`, `playground/ui/<name>/`, its lessons.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from playground.errors import N_

if TYPE_CHECKING:
    from playground.engine.contract.models import Capability


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the playground.

    Attributes:
        name: File name, URL and lesson name, `[a-z0-9_]+`.
        section: Heading of its part of the menu, a msgid; "" for none.
        icon: Material symbol beside its title.
        needs: Capabilities of a model without which the page shows nothing.
        reads_text: Whether its first picture is what the model makes of the reader's sentence: then a
            language that the model does not know is told.
        needs_text: Whether it shows nothing without a sentence. Else its panels ask `frame.has_sentence`.
        needs_model: Whether it shows nothing until the chosen model is in memory.
    """

    name: str
    section: str
    icon: str
    needs: tuple[Capability, ...] = ()
    reads_text: bool = False
    needs_text: bool = True
    needs_model: bool = True


TEXT, INSIDE, OUTPUT = N_("From text to numbers"), N_("Inside the model"), N_("What comes out")
KINDS = N_("From RNN to BERT, GPT and T5")
COST = N_("Training and cost")
APPLIED = N_("Applications and evaluation")
CLASS = N_("For the class")

PAGES = (
    Page("home", "", ":material/home:", ("hidden_states",), reads_text=True),
    Page("tokenization", TEXT, ":material/content_cut:", reads_text=True, needs_text=False),
    Page("embeddings", TEXT, ":material/scatter_plot:", ("hidden_states",), needs_text=False),
    Page("positions", TEXT, ":material/schedule:", reads_text=True, needs_text=False),
    Page("attention", INSIDE, ":material/visibility:", ("attentions",), reads_text=True),
    Page("inside", INSIDE, ":material/layers:", ("hidden_states",), reads_text=True),
    Page("seq2seq", KINDS, ":material/sync_alt:", needs_text=False, needs_model=False),
    Page("families", KINDS, ":material/account_tree:", ("attentions", "hidden_states"), reads_text=True),
    Page("masked", KINDS, ":material/format_ink_highlighter:"),
    Page("sampling", OUTPUT, ":material/casino:", ("logits", "generate"), reads_text=True, needs_text=False),
    Page("prompting", OUTPUT, ":material/chat:", ("generate",), needs_text=False),
    Page("finetuning", OUTPUT, ":material/model_training:", ("generate",), needs_text=False),
    Page("pretraining", COST, ":material/child_care:", needs_text=False, needs_model=False),
    Page("memory", COST, ":material/memory:", needs_text=False),
    Page("scaling", COST, ":material/trending_down:", needs_text=False, needs_model=False),
    Page("tasks", APPLIED, ":material/checklist:", needs_text=False),
    Page("evaluation", APPLIED, ":material/straighten:", needs_text=False),
    Page("retrieval", APPLIED, ":material/manage_search:", needs_text=False),
    Page("alignment", APPLIED, ":material/thumbs_up_down:", ("generate",), needs_text=False),
    Page("agents", APPLIED, ":material/smart_toy:", ("generate",), needs_text=False),
    Page("lifecycle", APPLIED, ":material/route:", needs_text=False, needs_model=False),
    Page("classroom", CLASS, ":material/school:", needs_text=False),
)
FIRST = PAGES[0].name
BY_NAME = MappingProxyType({page.name: page for page in PAGES})
