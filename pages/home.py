"""The page `home`; what it draws stands in `playground/ui/home/page.py`."""

from playground.ui import frame
from playground.ui.home import page

frame.draw_page("home", page.draw)
