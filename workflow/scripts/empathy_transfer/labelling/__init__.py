"""Labels from language models: prompts, providers, and the store of answers."""
