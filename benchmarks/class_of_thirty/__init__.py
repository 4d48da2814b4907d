"""A class of thirty on one server: its waits on each page, and that no text is lost or strays."""
