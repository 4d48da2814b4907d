# The figures of each strategy, out of the recorded runs.
runs = [["react", False, "times", True, [10, 20]]]  # strategy, constrained, problem, right?, tokens per turn

figures = {}
for strategy, constrained in dict.fromkeys((one[0], one[1]) for one in runs):
    some = [one for one in runs if one[:2] == [strategy, constrained]]
    solved = sum(one[3] for one in some)
    turns = sum(len(one[4]) for one in some) / len(some)
    tokens = sum(sum(one[4]) for one in some) / len(some)
    figures[strategy, constrained] = solved, len(some), turns, tokens
    how = "constrained" if constrained else "free"
    print(f"{strategy}, {how}: {solved} of {len(some)} solved, {turns:.1f} turns, {tokens:,.0f} tokens")
