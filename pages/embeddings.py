"""The page `embeddings`; what it draws stands in `playground/ui/embeddings/page.py`."""

from playground.ui import frame
from playground.ui.embeddings import page

frame.draw_page("embeddings", page.draw)
