def read(tokenizer, row: list | str, max_tokens: int) -> tuple[list[int], list[int]]:  # noqa: ANN001
    """Token ids, and the same as labels: -100 where a token does not count in the loss."""
    end = tokenizer.eos_token_id
    if isinstance(row, str):
        ids = [*tokenizer(row).input_ids, end]
        return ids[:max_tokens], [-100, *ids[1:]][:max_tokens]
    said = [{"role": role, "content": content} for role, content in row]
    ids, labels = [], []
    for place, message in enumerate(said):
        is_answer = message["role"] == "assistant"
        if tokenizer.chat_template is None:  # then the messages stand one below the other
            line = message["content"] + ("\n" if place < len(said) - 1 else "")
            whole = tokenizer(line, add_special_tokens=False).input_ids + [end] * is_answer
            ids += whole
            labels += whole if is_answer else [-100] * len(whole)
        elif is_answer:  # its words count, and the mark that ends them
            asked = tokenizer.apply_chat_template(said[:place], tokenize=False, add_generation_prompt=True)
            answered = tokenizer.apply_chat_template(said[: place + 1], tokenize=False)
            n_before = len(tokenizer(asked, add_special_tokens=False).input_ids)
            ids = tokenizer(answered, add_special_tokens=False).input_ids
            stop = len(ids) - ids[::-1].index(end)
            labels += [-100] * (n_before - len(labels)) + ids[n_before:stop] + [-100] * (len(ids) - stop)
    labels[0] = -100  # nothing is before it
    return ids[:max_tokens], labels[:max_tokens]
