"""A class that works together: who has joined, and where the teacher leads them."""
