"""Labels from language models: what is asked, who is asked, how answers are kept, read and judged."""
