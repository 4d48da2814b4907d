"""The page `classroom`; what it draws stands in `playground/ui/classroom/page.py`."""

from playground.ui import frame
from playground.ui.classroom import page

frame.draw_page("classroom", page.draw)
