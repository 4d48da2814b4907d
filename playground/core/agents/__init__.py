"""A language model in a loop: tools, the form of an action, strategies, hard ends, problems, the bill."""
