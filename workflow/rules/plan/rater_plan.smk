"""
Plan of the raters: which models of pairs of texts are trained, and with which settings. Plain Python.

A model is an architecture, a loss and a variant: `plain` trains the whole encoder, and each variant of the config changes
something of it, for the losses that it names.
"""

RATER = config["rater"]
PLAIN = "plain"
ARCHITECTURES = ("bi", "cross")
# The main score of each kind, as `training/recipes/rater.py` has them.
RATER_METRICS = {"classification": "f1_weighted", "regression": "pearson_r"}
# Losses of a cosine alone.
BI_ONLY = {"cosine_embedding"}
# A variant that a later config file sets to null is switched off.
RATER_VARIANTS = {name: variant for name, variant in RATER["variants"].items() if variant}


def rater_losses(pairs):
    """The losses of a task's kind, {name: settings}; those that a later config file sets to null are switched off."""
    return {name: loss for name, loss in RATER["losses"][PAIR_TASKS[pairs]["kind"]].items() if loss is not None}


def suits(pairs, architecture, loss):
    """Whether a loss can train an architecture on a task."""
    ordered = loss != "corn" or PAIR_TASKS[pairs].get("ordered", False)
    return ordered and not (loss in BI_ONLY and architecture != "bi")


def rater_models(pairs):
    """The models of a task: (architecture, loss, variant)."""
    losses = rater_losses(pairs)
    plain = [(architecture, loss, PLAIN) for architecture in ARCHITECTURES for loss in losses]
    changed = [
        (architecture, loss, name)
        for name, variant in RATER_VARIANTS.items()
        for architecture in variant.get("architectures", ARCHITECTURES)
        for loss in variant["losses"]
        if loss in losses
    ]
    return [model for model in plain + changed if suits(pairs, *model[:2])]


def rater_pairs():
    """The tasks of pairs that raters are trained on, as far as their data is there."""
    if not pairs_asked():
        return []
    wanted = [name for name, schemes in RATER["pairs"].items() if schemes]
    unknown = [name for name in wanted if name not in PAIR_TASKS | PAIRS_LEFT_OUT]
    # Who asks for pairs of their own alone need not say that no rater is trained on others.
    if unknown and "rater" in sys.argv:
        raise WorkflowError(
            f"rater: pairs: '{unknown[0]}' is in no file of {config['pairs']['datasets']}"
            f"{suggestion(unknown[0], PAIR_TASKS)}. Known: {', '.join(PAIR_TASKS)}"
        )
    return [name for name in wanted if name in PAIR_TASKS]


def rater_schemes(pairs):
    """The schemes of splits of a task that raters are trained on."""
    return [scheme for scheme in RATER["pairs"][pairs] if scheme in schemes_of(pairs)]


def rater_runs(name):
    """Paths of a file of all runs of raters. Of further schemes than the first one, only plain models are trained."""
    return [
        f"{RESULTS}/rater/runs/{scheme}/{pairs}/{architecture}/{loss}/{variant}/seed={seed}/{name}"
        for pairs in rater_pairs()
        for place, scheme in enumerate(rater_schemes(pairs))
        for architecture, loss, variant in rater_models(pairs)
        if place == 0 or variant == PLAIN
        for seed in RATER["seeds"]
    ]


def rater_training(wildcards):
    """Training settings of a rater, with its adaptation and loss."""
    variant = RATER_VARIANTS.get(wildcards.variant, {})
    settings = RATER["training"] | variant.get("training", {})
    loss = {"name": wildcards.loss} | rater_losses(wildcards.pairs)[wildcards.loss]
    if wildcards.loss == "contrastive_released":
        loss["architecture"] = wildcards.architecture
    settings |= {"loss": dict(sorted(loss.items())), "segments": variant.get("segments", True)}
    settings["keeps_encoder"] = int(wildcards.seed) in RATER["kept_seeds"]
    settings |= {"adaptation": variant.get("adaptation", {"type": "full"}), "label_scale": "raw"}
    return dict(sorted(settings.items()))


def rater_source(wildcards):
    """Path of the frozen adapter of the transfer study below a rater; none for most."""
    source = RATER_VARIANTS.get(wildcards.variant, {}).get("source")
    if source is None:
        return []
    if source not in TASKS:
        raise WorkflowError(
            f"rater: variants: {wildcards.variant}: source: '{source}' is not among the tasks of this study"
            f"{suggestion(source, TASKS)}."
        )
    if RATER["encoder"] != config["encoder"]:
        raise WorkflowError(
            f"rater: variants: {wildcards.variant}: a rater on an adapter of the transfer study needs the study's encoder, "
            f"with the same `max_length`. Set `rater: encoder` to that of `encoder`, or the variant to null."
        )
    return f"{RESULTS}/baseline/full/seed={wildcards.seed}/{source}/adapter.safetensors"


def rater_code(wildcards):
    """Fingerprint of training a rater: of kinds, losses and so on those that it uses."""
    settings, kind = rater_training(wildcards), PAIR_TASKS[wildcards.pairs]["kind"]
    chosen = {"kinds": kind, "losses": wildcards.loss, "metrics": RATER_METRICS[kind]}
    chosen |= {"adaptations": settings["adaptation"]["type"], "engines": ENGINES[settings["engine"]]}
    return code_fingerprint("train_rater", **chosen)


def pair_tokens_code(wildcards):
    """Fingerprint of tokenising pairs, with the kind that they have."""
    return code_fingerprint("tokenise_pairs", kinds=PAIR_TASKS[wildcards.pairs]["kind"])


def rater_tests():
    """Paths of the test pairs behind all runs of raters."""
    return [
        f"{RESULTS}/pairs/{scheme}/{pairs}/test.parquet" for pairs in rater_pairs() for scheme in rater_schemes(pairs)
    ]
