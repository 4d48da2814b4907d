"""Browser components (components v2): a folder each, Python beside a plain ES module and its style."""
