"""The page `attention`; what it draws stands in `playground/ui/attention/page.py`."""

from playground.ui import frame
from playground.ui.attention import page

frame.draw_page("attention", page.draw)
