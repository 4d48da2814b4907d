"""A class of thirty on one server: what each reader waits for, on which page, and that no text is lost or strays."""
