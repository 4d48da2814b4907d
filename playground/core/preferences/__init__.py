"""Votes on two answers: strengths, agreement, pairs to learn from, and a judge's accuracy on them."""
