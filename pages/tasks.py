"""The page `tasks`; what it draws stands in `playground/ui/tasks/page.py`."""

from playground.ui import frame
from playground.ui.tasks import page

frame.draw_page("tasks", page.draw)
