"""The page `tokenization`; what it draws stands in `playground/ui/tokenization/page.py`."""

from playground.ui import frame
from playground.ui.tokenization import page

frame.draw_page("tokenization", page.draw)
