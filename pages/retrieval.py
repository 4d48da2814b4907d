"""The page `retrieval`; what it draws stands in `playground/ui/retrieval/page.py`."""

from playground.ui import frame
from playground.ui.retrieval import page

frame.draw_page("retrieval", page.draw)
