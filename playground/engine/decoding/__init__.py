"""One token after another: batches, key-value slots, the short Llama step, beam search."""
