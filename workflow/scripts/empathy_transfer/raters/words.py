"""What architectures, losses, variants and metrics of raters are called in tables, figures and pages."""

PLAIN = "plain"
# The main score of each kind of pairs, as `training/recipes/rater.py` has them.
MAIN = {"classification": "f1_weighted", "regression": "pearson_r"}
METRICS = {
    "accuracy": "accuracy",
    "precision_weighted": "precision",
    "recall_weighted": "recall",
    "f1_weighted": "weighted F1",
    "mse": "MSE",
    "mae": "MAE",
    "pearson_r": "Pearson r",
    "spearman_r": "Spearman r",
    "cosine": "cosine",
}
ARCHITECTURES = {"bi": "bi-encoder", "cross": "cross-encoder"}
LOSSES = {
    "cross_entropy": "cross-entropy",
    "kl_divergence": "KL divergence, soft targets",
    "corn": "CORN (ordered levels)",
    "squared_error": "MSE",
    "absolute_error": "MAE",
    "contrastive_released": "contrastive, as released",
    "cosine_embedding": "cosine embedding",
}
VARIANTS = {PLAIN: "whole encoder", "without_segments": "without segment ids", "adapter": "a new adapter only"}


def architecture_in_words(architecture):
    """`bi` or `cross` in words."""
    return ARCHITECTURES[architecture]


def loss_in_words(loss):
    """A loss's name in words."""
    return LOSSES.get(loss, loss.replace("_", " "))


def variant_in_words(variant):
    """What is trained, in words; variants of the user's own are called as the config calls them."""
    if variant in VARIANTS:
        return VARIANTS[variant]
    if variant.startswith("on_"):
        return f"a new adapter on the frozen one of {variant.removeprefix('on_')}"
    return variant.replace("_", " ")


def model_in_words(loss, variant):
    """A model's loss and what is trained."""
    return loss_in_words(loss) + (f", {variant_in_words(variant)}" if variant not in ("", PLAIN) else "")


def model_order(model):
    """Sort key of (loss, variant): plain models first, others by their variants."""
    return model[1] != PLAIN, model[1]
