"""Jobs that language models do: sets with right answers, and the steps from a model's output to an answer."""
