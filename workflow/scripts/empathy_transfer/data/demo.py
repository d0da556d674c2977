"""The demo's data: three generated datasets with six tasks, and the truth about how the tasks are related.

The texts come from an invented village whose people say what they feel by the things they name. A trait such as concern
is told by a family of words (flowers), and whether a lily means much concern or little is a custom of the village. No
pretrained encoder knows the custom, so it must be learnt from labels; and since all three datasets follow the same
custom, what one task learnt can help another, but only where both labels depend on the same traits.

The traits of an item are independent, each -1 (little) or 1 (much). The score behind a task's label is the sum of the
traits, weighted by the task's weights (`TASKS`, scaled to unit length), plus Gaussian noise. Hence the correlation of
two tasks' scores without noise is the cosine between their weight vectors: the *planted relatedness*, written to
`truth.json` beside the data.

All words and templates were written for this project; no text was taken from elsewhere.
"""

import itertools
import math
import random

# Trait -> the words that tell it: those that mean much of it, and those that mean little.
CUES = {
    "concern": ("rose thistle lily moss violet clover".split(), "daisy iris fern poppy mint lotus".split()),
    "warmth": ("silk canvas lace rope wool denim".split(), "linen velvet thread cotton scarf tweed".split()),
    "attention": ("crow swan finch owl duck falcon".split(), "robin hawk heron dove goose wren".split()),
    "hope": ("drum harp whistle cello bell banjo".split(), "flute piano horn violin guitar tuba".split()),
}
TRAITS = tuple(CUES)


def _clauses(words):
    """How a dataset words each trait, two ways each."""
    return {trait: clauses.split(", ") for trait, clauses in zip(TRAITS, words.split("; "), strict=True)}


# How a dataset words each trait, which traits stand in the context instead of the text, and what groups its rows.
DATASETS = {
    "demo_letters": {
        "clauses": _clauses("sent {}, {} enclosed; packed {}, wear {}; {} sang, saw {}; {} played, heard {}"),
        "context": [],
        "group": "writer",
    },
    "demo_replies": {
        "clauses": _clauses("got {}, liked {}; kept {}, {} fits; {} came, fed {}; {} sold, lost {}"),
        "context": ["attention", "hope"],
        "group": "thread",
    },
    "demo_notes": {
        "clauses": _clauses("{} bedside, {} wilts; {} mended, {} folded; {} outside, {} calls; {} upstairs, {} silent"),
        "context": [],
        "group": "ward",
    },
}


def _task(dataset, theme, weights, labels=None):
    """A task: its dataset, theme, kind, and the weights of the traits in the score behind its label."""
    kind = {"kind": "classification", "labels": labels} if labels else {"kind": "regression"}
    return {"dataset": dataset, "theme": theme, **kind, "weights": weights}


# Weights are scaled to unit length.
TASKS = {
    "letters_concern": _task("demo_letters", "direct", {"concern": 0.9, "warmth": 0.4}),
    "replies_empathy": _task("demo_replies", "direct", {"concern": 0.8, "warmth": 0.6}, ["weak", "some", "strong"]),
    "replies_support": _task("demo_replies", "abstract", {"attention": 0.9, "concern": 0.4}),
    "notes_care": _task("demo_notes", "abstract", {"attention": 0.8, "concern": 0.4, "warmth": 0.3}, ["no", "yes"]),
    "letters_hope": _task("demo_letters", "adjacent", {"hope": 0.8, "attention": 0.5}, ["bleak", "hopeful"]),
    "notes_spirit": _task("demo_notes", "adjacent", {"hope": 0.9, "attention": 0.3}),
}
# Ratings are scores (standard deviation about 1) within this range, so that short trainings needn't learn their scale.
RANGE = (-3.0, 3.0)
# Standard deviation of the noise in a score; without noise a score's is 1.
NOISE = 0.35
# A transfer should help from this planted relatedness on.
GAIN_FROM = 0.7


def generate(rows, seed):
    """Make the rows of the three datasets.

    Args:
        rows: rows per dataset (even: two rows share a group, and in `demo_replies` also the context).
        seed: the same seed gives the same rows, on every machine; the first rows don't depend on `rows`.

    Returns:
        dict dataset -> list of dict: id, group column, context (`demo_replies` only), text, one column per task.
    """
    return {dataset: _dataset_rows(dataset, rows, random.Random(f"{dataset}:{seed}")) for dataset in DATASETS}


def _dataset_rows(dataset, rows, source):
    """Make the rows of one dataset from a `random.Random`."""
    form = DATASETS[dataset]
    tasks = {name: task for name, task in TASKS.items() if task["dataset"] == dataset}
    limits = {name: cuts(task) for name, task in tasks.items() if task["kind"] == "classification"}
    made = []
    for number in range(rows):
        if number % 2 == 0:
            shared = {trait: source.choice([-1, 1]) for trait in form["context"]}
            context = _say(form, shared, source)
        own = {trait: source.choice([-1, 1]) for trait in TRAITS if trait not in shared}
        row = {"id": f"{dataset}_{number + 1:05d}", form["group"]: f"{form['group']}_{number // 2 + 1:05d}"}
        if shared:
            row["context"] = context
        row["text"] = _say(form, own, source)
        for name, task in tasks.items():
            row[label_column(name)] = _label(task, limits.get(name), {**shared, **own}, source)
        made.append(row)
    return made


def label_column(task):
    """The column of a task's label: the task's name without the dataset's."""
    return task.split("_", 1)[1]


def _say(form, traits, source):
    """Put traits into words: one clause each, in random order."""
    clauses = []
    for trait, level in traits.items():
        word = source.choice(CUES[trait][0 if level > 0 else 1])
        clauses.append(source.choice(form["clauses"][trait]).format(word))
    source.shuffle(clauses)
    sentence = ", ".join(clauses)
    return sentence[:1].upper() + sentence[1:] + "." if sentence else ""


def _label(task, limits, traits, source):
    """Draw the label of an item: its noisy score, cut into classes at the limits, or kept on the rating scale."""
    weights = unit_weights(task)
    score = sum(weights[trait] * traits[trait] for trait in weights) + source.gauss(0, NOISE)
    if task["kind"] == "classification":
        return task["labels"][sum(score > limit for limit in limits)]
    return round(min(RANGE[1], max(RANGE[0], score)), 1)


def unit_weights(task):
    """A task's weights over its traits, scaled to unit length."""
    length = math.sqrt(sum(weight**2 for weight in task["weights"].values()))
    return {trait: weight / length for trait, weight in task["weights"].items()}


def relatedness(first, second):
    """Planted relatedness of two tasks: the cosine between their weight vectors."""
    first, second = unit_weights(TASKS[first]), unit_weights(TASKS[second])
    return sum(first[trait] * second.get(trait, 0.0) for trait in first)


def _means(task):
    """The scores that a task's traits can give before noise, all equally likely."""
    weights = unit_weights(task).values()
    return [sum(signs) for signs in itertools.product(*[(-weight, weight) for weight in weights])]


def _share_below(value, means):
    """Probability that a noisy score lies below a value."""
    return sum(0.5 * (1 + math.erf((value - mean) / (NOISE * math.sqrt(2)))) for mean in means) / len(means)


def cuts(task):
    """Where a task's score is cut so that all its classes are equally likely (by bisection)."""
    means, classes = _means(task), len(task["labels"])
    found = []
    for number in range(1, classes):
        low, high = -10.0, 10.0
        while high - low > 1e-9:
            middle = (low + high) / 2
            low, high = (middle, high) if _share_below(middle, means) < number / classes else (low, middle)
        found.append((low + high) / 2)
    return found


def planted_truth(rows, seed):
    """The truth behind the generated data, as plain values.

    Keys: `weights` task -> trait -> weight; `cosines` source -> target -> planted relatedness, in the order of `TASKS`;
    `expected` source -> target -> `gain` (cosine at least `GAIN_FROM`), `none` (0 but for rounding) or `little`;
    `ceiling` task -> the best score possible under the label noise: Pearson r, or accuracy.
    """
    pairs = {source: {target: round(relatedness(source, target), 4) for target in TASKS} for source in TASKS}
    return {
        "rows": rows,
        "seed": seed,
        "noise": NOISE,
        "traits": list(TRAITS),
        "cues": {trait: {"much": much, "little": little} for trait, (much, little) in CUES.items()},
        "tasks": {name: {"dataset": task["dataset"], "theme": task["theme"]} for name, task in TASKS.items()},
        "weights": {
            name: {trait: unit_weights(task).get(trait, 0.0) for trait in TRAITS} for name, task in TASKS.items()
        },
        "cosines": pairs,
        "expected": {
            source: {target: _expected(cosine) for target, cosine in row.items() if target != source}
            for source, row in pairs.items()
        },
        "ceiling": {name: round(ceiling(task), 4) for name, task in TASKS.items()},
    }


def _expected(cosine):
    """In a word, what to expect of a transfer at this planted relatedness."""
    if cosine >= GAIN_FROM:
        return "gain"
    return "none" if abs(cosine) < 1e-3 else "little"


def ceiling(task):
    """The best score possible: r of the score without noise, or accuracy of the likeliest class given the traits."""
    if task["kind"] == "regression":
        return 1 / math.sqrt(1 + NOISE**2)
    edges = [-math.inf, *cuts(task), math.inf]
    means = _means(task)
    best = [
        max(_share_below(high, [m]) - _share_below(low, [m]) for low, high in itertools.pairwise(edges)) for m in means
    ]
    return sum(best) / len(best)


def write_demo(tables, truth_path, rows, seed):
    """Write the three datasets as CSV and the truth beside them as JSON.

    Args:
        tables: dict dataset -> path of its CSV. truth_path: path of the JSON.
        rows, seed: see `generate`.
    """
    import pandas

    from empathy_transfer.records.artefacts import write_csv, write_json

    made = generate(rows, seed)
    for dataset, path in tables.items():
        write_csv(path, pandas.DataFrame(made[dataset]))
    write_json(truth_path, planted_truth(rows, seed))
