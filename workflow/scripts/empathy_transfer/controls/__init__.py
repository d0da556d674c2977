"""What else a gain may be due to: capacity, context, labels."""

# What a trained model is given in place of the context of a text, see `context_ablation`.
CONDITIONS = ("intact", "blanked", "shuffled")
