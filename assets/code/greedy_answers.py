def greedy_answers(folder: str, prompts: list[list[int]], n_new: int, stops_at_line: bool) -> list[str]:
    """The text after each prompt: the most probable token at every step, until the model ends."""
    from pathlib import Path

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = Path(folder).expanduser()
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    ends = [model.config.eos_token_id, model.generation_config.eos_token_id]
    ends = [end for one in ends for end in (one if isinstance(one, list) else [one]) if end is not None]
    ends += [i for i, token in tokenizer.added_tokens_decoder.items() if token.content == "<|endoftext|>"]
    answers = []
    for ids in prompts:
        given = torch.tensor([ids])
        found = model.generate(
            given,
            attention_mask=torch.ones_like(given),
            do_sample=False,
            repetition_penalty=1.0,
            max_new_tokens=n_new,
            eos_token_id=ends,
            pad_token_id=ends[0],
        )
        text = tokenizer.decode(found[0, len(ids) :], skip_special_tokens=True)
        answers.append(text.split("\n")[0] if stops_at_line else text)
    return answers
