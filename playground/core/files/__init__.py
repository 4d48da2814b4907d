"""What comes from outside: bytes -> text -> rows -> prompts, examples, training; and CSV that leaves."""
