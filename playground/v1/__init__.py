"""The endpoint that OpenAI's clients speak to, beside the pages: same engine, same queue, same limits."""
