"""The page `seq2seq`; what it draws stands in `playground/ui/seq2seq/page.py`."""

from playground.ui import frame
from playground.ui.seq2seq import page

frame.draw_page("seq2seq", page.draw)
