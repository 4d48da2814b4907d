"""Files from outside: bytes -> text -> rows -> prompts, examples, training rows; and CSV that leaves."""
