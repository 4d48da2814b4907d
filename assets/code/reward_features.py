"""Does a reward rise with the length of an answer? Pearson's correlation with the interval of Fisher's z."""

import numpy as np

answers = ["Gladly. It opens at nine.", "Nine. Read the door.", "It opens at nine in the morning, every day."]
rewards = [1.2, -0.9, 0.4]

lengths = np.array([len(answer) for answer in answers], dtype=float)
correlation = float(np.corrcoef(lengths, rewards)[0, 1])
half = 1.96 / np.sqrt(max(len(answers) - 3, 1e-9))
low, high = np.tanh(np.arctanh(correlation) - half), np.tanh(np.arctanh(correlation) + half)
print(f"length in characters: r = {correlation:.2f} ({low:.2f} to {high:.2f}), {len(answers)} answers")
