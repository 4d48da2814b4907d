# Training tokens per parameter of known models, as their makers have published them.
models = {"GPT-3": (175e9, 300e9), "Chinchilla": (70e9, 1.4e12)}  # parameters, training tokens
rule = 20

ratios = {name: tokens / parameters for name, (parameters, tokens) in models.items()}
above = [name for name, ratio in ratios.items() if ratio > rule]
for name, ratio in sorted(ratios.items(), key=lambda one: one[1]):
    parameters, tokens = models[name]
    print(f"{name}: {ratio:.3g} tokens per parameter, {6 * parameters * tokens:.2e} operations")
print(f"{len(above)} of {len(models)} above {rule}")
