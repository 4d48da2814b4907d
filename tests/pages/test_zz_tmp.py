import os
from tests.pages.conftest import OpenApp
def test_x(open_app: OpenApp):
    for panel in ("train","objectives","half","transfer"):
        a = open_app("pretraining", lang=os.environ.get("L","en"), pre_panel=panel)
        for e in a.exception: print("EXC",e.value, getattr(e,'stack_trace','')[-8:])
        print(panel,[e.value for e in a.error],[e.value for e in a.warning])
        for m in a.markdown: print("MD",m.value[:260])
        for m in a.caption: print("CAP",m.value[:260])
