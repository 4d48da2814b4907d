"""Prompting: a task told in the prompt, and what the model makes of it."""

import streamlit as st

from playground.ui import frame, unread_language
from playground.ui.prompting import builder, panels, tasks

context = frame.page("prompting", needs={"generate"}, needs_text=False)
with st.container():
    prompt = builder.read(context)
    unread_language.say(prompt.literal(prompt.demos, prompt.query.text), context.model, {"generate"})
    answer, write_on = builder.draw(prompt)
go_on = panels.draw(prompt, answer)
frame.end_of_page(context, tasks.make(prompt, answer))
if write_on is not None:
    write_on()
if go_on is not None:
    go_on()
