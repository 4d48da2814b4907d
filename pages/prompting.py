"""The page `prompting`; what it draws stands in `playground/ui/prompting/page.py`."""

from playground.ui import frame
from playground.ui.prompting import page

frame.draw_page("prompting", page.draw)
