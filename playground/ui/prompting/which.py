"""Which example mattered: each left out in turn, and the same ones in other orders."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import prompting as charts
from playground.core import frames_prompting as frames
from playground.core.prompting import Example
from playground.ui import show
from playground.ui.progress import Progress
from playground.ui.prompting import code
from playground.ui.prompting.asking import Answer, answered, answers
from playground.ui.prompting.prompt import Prompt
from playground.ui.text import _, plain, strong

N_ORDERS = 8
KEY = "pro_orders"


@dataclass
class Orders:
    """What one session had measured last.

    Attributes:
        prompt: Whose examples.
        each: The examples in each order.
        right: Of each order whether each test item was answered right.
    """

    prompt: Prompt
    each: list[tuple[Example, ...]]
    right: list[list[bool]] = field(default_factory=list)

    def done(self) -> pd.DataFrame:
        """One row an order that is measured to the end."""
        n_items = len(self.prompt.test)
        whole = [
            ([one.label for one in order], right)
            for order, right in zip(self.each, self.right, strict=True)
            if len(right) == n_items
        ]
        return frames.orders(whole)


def panel(prompt: Prompt, answer: Answer | None) -> Callable[[], None] | None:
    """Draw what each example did, and how the orders compare.

    Args:
        prompt: What stands above.
        answer: The model's answer to it, None where there is none.

    Returns:
        What goes on measuring, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"#### {_('Which example mattered?')}")
    if not prompt.demos:
        st.info(_("There is no example in the prompt: move *Examples in the prompt* up."))
        return None
    if answer is not None:
        _draw_left_out(prompt, answer)
    st.markdown(f"#### {_('Does their order matter?')}")
    return _orders(prompt)


def left_out(prompt: Prompt, answer: Answer) -> pd.DataFrame:
    """What each example did for the answer, in the order of the prompt.

    Args:
        prompt: What stands above.
        answer: The model's answer to it.
    """
    best, demos = int(np.argmax(answer.shots)), prompt.demos
    lists = [demos[:place] + demos[place + 1 :] for place in range(len(demos))]
    without = [float(probs[best]) for probs, _scores in answers(prompt, lists, "left out")]
    return frames.without_each([(one.text, one.label) for one in demos], float(answer.shots[best]), without)


def _draw_left_out(prompt: Prompt, answer: Answer) -> None:
    best = int(np.argmax(answer.shots))
    label, demos = prompt.options[best], prompt.demos
    table = left_out(prompt, answer)
    words = {
        "place": _("Example left out"), "change": _("What it added to the share"),
        "text": _("Text"), "label": _("Label"), "without": _("Share without it"),
    }  # fmt: skip
    alt = _("What each example added to the probability of the answer")
    show.show_chart(charts.changes(words, n_demos=len(demos)), "pro_which", alt, data=table)
    most = table.iloc[int(table["change"].abs().argmax())]
    told = _(
        "Without example {place} the share of {label} is {without:.1%} instead of {whole:.1%}: "
        "no other one changes it more."
    )
    st.markdown(
        told.format(
            place=most["left_out"], label=strong(label), without=most["probability"],
            whole=float(answer.shots[best]),
        )
    )  # fmt: skip
    show.source(prompt.context.model)
    many = [demos, *(demos[:place] + demos[place + 1 :] for place in range(len(demos)))]
    script = partial(code.few_shot, prompt, many)
    show.under_picture("which_example", frame=table, code=script, picture="pro_which")


# ---------------------------------------------------------------- orders


def _orders(prompt: Prompt) -> Callable[[], None] | None:
    is_possible = len(prompt.demos) > 1 and len(prompt.test) > 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = st.button(
            _("Try {n} orders").format(n=N_ORDERS), type="primary", key="pro_orders_start",
            icon=":material/shuffle:", disabled=not is_possible,
        )  # fmt: skip
        st.button(_("Stop"), key="pro_orders_stop", icon=":material/stop:", disabled=not start)
    place = st.empty()
    if start:
        rng = np.random.default_rng(prompt.seed)
        demos = prompt.demos
        each = [tuple(demos[at] for at in rng.permutation(len(demos))) for _number in range(N_ORDERS)]
        orders = st.session_state[KEY] = Orders(prompt, list(dict.fromkeys(each)))
        return partial(_measure, orders, place)
    found: Orders | None = st.session_state.get(KEY)
    if found is None or replace(found.prompt, query=prompt.query) != prompt:
        st.caption(_("The same examples, shuffled: the test items are answered under every order."))
        return None
    with place.container():
        _draw_orders(found)
    return None


def _measure(orders: Orders, place: Any) -> None:  # noqa: ANN401  (Streamlit's container)
    orders.right = [[] for _order in orders.each]
    total = len(orders.each) * len(orders.prompt.test)
    with place.container():
        bar = Progress("orders", orders.prompt.context.model.model_id, total, _("The model answers"))
        with closing(answered(orders.prompt, orders.each, orders.prompt.test, "orders")) as steps:
            for n, (which, _item, is_right) in enumerate(steps, 1):
                orders.right[which].append(is_right)
                if len(orders.right[which]) == len(orders.prompt.test):
                    bar.draw(n, _("{done} of {total} answers").format(done=n, total=total))
    st.rerun()


def _draw_orders(found: Orders) -> None:
    table = found.done()
    if table.empty:
        st.caption(_("Stopped."))
        return
    words = {
        "order": _("Order"), "labels": _("Labels in this order"), "accuracy": _("Accuracy"),
        "chance": _("guessing"),
    }  # fmt: skip
    alt = _("Accuracy under each order of the same examples")
    picture = charts.orders(words, chance=found.prompt.chance)
    show.show_chart(picture, "pro_orders_picture", alt, data=table)
    best, worst = (table.iloc[int(at)] for at in (table["accuracy"].argmax(), table["accuracy"].argmin()))
    told = _(
        "The same {n} examples answer {best:.0%} right in the best order ({best_labels}) and {worst:.0%} in "
        "the worst ({worst_labels})."
    )
    st.markdown(
        told.format(
            n=len(found.each[0]), best=best["accuracy"], best_labels=plain(best["labels"]),
            worst=worst["accuracy"], worst_labels=plain(worst["labels"]),
        )
    )  # fmt: skip
    if len(table) < len(found.each):
        told = _("Stopped early: {done} of {total} orders.")
        st.caption(told.format(done=len(table), total=len(found.each)))
    show.source(found.prompt.context.model)
    script = partial(code.accuracies, found.prompt, dict(enumerate(found.each, 1)))
    show.under_picture("orders", frame=table, code=script, picture="pro_orders_picture")
