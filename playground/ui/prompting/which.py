"""The effect of each example: each left out in turn, and the same ones in other orders."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts import prompting as charts
from playground.core.few_shot import Example
from playground.core.tables import prompting as frames
from playground.ui import show
from playground.ui.panels import Later
from playground.ui.progress import Progress
from playground.ui.prompting import code
from playground.ui.prompting.asking import Answer, answered, answers
from playground.ui.prompting.prompt import Prompt
from playground.ui.text import _, plain, strong

N_ORDERS = 8
KEY = "pro_orders"


@dataclass
class Orders:
    """The last measurement of one session.

    Attributes:
        prompt: Prompt of the examples.
        each: The examples in each order.
        right: Per order, True for each test item that was answered right, as far as it is known.
    """

    prompt: Prompt
    each: list[tuple[Example, ...]]
    right: list[list[bool]]

    def begin_again(self) -> list[int]:
        """Forget the orders that are not measured to the end; which ones are to be measured."""
        n_items = len(self.prompt.test)
        self.right = [right if len(right) == n_items else [] for right in self.right]
        return [which for which, right in enumerate(self.right) if not right]

    def done(self) -> pd.DataFrame:
        """One row an order that is measured to the end."""
        n_items = len(self.prompt.test)
        whole = [
            ([one.label for one in order], right)
            for order, right in zip(self.each, self.right, strict=True)
            if len(right) == n_items
        ]
        return frames.orders(whole)


def panel(prompt: Prompt, answer: Answer | None) -> Later | None:
    """Draw what each example did, and how the orders compare.

    Args:
        prompt: The prompt on the page.
        answer: The model's answer to it, None where there is none.

    Returns:
        What goes on measuring, to be called once the page is drawn; None when nothing is asked.
    """
    st.markdown(f"## {_('Which example mattered?')}")
    if not prompt.demos:
        st.info(_("There is no example in the prompt: move *Examples in the prompt* up."))
        return None
    if answer is not None:
        _draw_left_out(prompt, answer)
    st.markdown(f"## {_('Does their order matter?')}")
    return _orders(prompt)


def left_out(prompt: Prompt, answer: Answer) -> pd.DataFrame:
    """Effect of each example on the answer, in the order of the prompt.

    Args:
        prompt: The prompt on the page.
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


def _orders(prompt: Prompt) -> Later | None:
    is_possible = len(prompt.demos) > 1 and len(prompt.test) > 0
    found = _last(prompt)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start = st.button(
            _("Try {n} orders").format(n=N_ORDERS), type="primary", key="pro_orders_start",
            icon=":material/shuffle:", disabled=not is_possible,
        )  # fmt: skip
        is_open = found is not None and len(found.done()) < len(found.each)
        resume = st.button(
            _("Go on"), key="pro_orders_go_on", icon=":material/resume:", disabled=not is_open or start
        )
        st.button(_("Stop"), key="pro_orders_stop", icon=":material/stop:", disabled=not (start or resume))
    place = st.empty()
    if start:
        rng = np.random.default_rng(prompt.seed)
        demos = prompt.demos
        each = [tuple(demos[at] for at in rng.permutation(len(demos))) for _number in range(N_ORDERS)]
        each = list(dict.fromkeys(each))
        found = st.session_state[KEY] = Orders(prompt, each, [[] for _order in each])
    if found is None:
        st.caption(_("The same examples, shuffled: the test items are answered under every order."))
        return None
    if start or (resume and is_open):
        return partial(_measure, found, place)
    with place.container():
        _draw_orders(found)
    return None


def _last(prompt: Prompt) -> Orders | None:
    """The last measurement of these very examples; the query does not count."""
    found: Orders | None = st.session_state.get(KEY)
    return found if found is not None and replace(found.prompt, query=prompt.query) == prompt else None


def _measure(orders: Orders, place: Any) -> None:  # noqa: ANN401  (Streamlit's container)
    """Measure the orders that are missing; any click of the reader stops it, what is known stays."""
    n_items = len(orders.prompt.test)
    todo = orders.begin_again()
    total = len(orders.each) * n_items
    with place.container():
        model_id, n_known = orders.prompt.context.model.model_id, total - n_items * len(todo)
        bar = Progress("orders", model_id, total, _("The model answers"), done=n_known)
        each = [orders.each[which] for which in todo]
        with closing(answered(orders.prompt, each, orders.prompt.test, "orders")) as steps:
            for which, _item, is_right in steps:
                right = orders.right[todo[which]]
                right.append(is_right)
                if len(right) == n_items:
                    n = sum(map(len, orders.right))
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
