"""Labels from language models: how they are asked for, kept and judged, and what is trained with them."""
