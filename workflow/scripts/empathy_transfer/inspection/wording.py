"""How jobs, stages and times are named on the console, during a run and at its end."""

# The stage of a rule is the one with a prefix that fits; all other rules work on scores.
PREFIXES = {
    "pairs": ["prepare_pairs", "count_pairs", "count_sums", "audit_pairs", "plot_pair_texts"],
    "stories": ["embed_pairs", "list_story_pairs", "train_contrastive", "fine_tune"],
    "data": """
        check_raw derive_variant download find_leakage generate prepare remove_leaked_rows sign_task summarise_data
        tokenise embed_label_set
    """.split(),
    "baseline": ["train_baseline"],
    "transfer": ["train_transfer"],
    "control": ["draw_adapter", "train_control", "train_longer"],
    "labels": """
        ask_ parse_ report_prompts validate_prompts correct_labels audit_labels measure_label_agreement
    """.split(),
    "relabel": ["train_relabelled", "choose_threshold"],
    "rater": ["train_rater"],
}
STAGES = (*PREFIXES, "scores")
TRAINING_STAGES = ("baseline", "transfer", "control")


def stage_of(rule):
    """The stage that a rule belongs to; target rules are named as their stage."""
    if rule in STAGES:
        return rule
    return next((stage for stage, prefixes in PREFIXES.items() if rule.startswith(tuple(prefixes))), "scores")


def subject(wildcards):
    """What a job works on: `epitome_er -> conv_empathy full seed 1`; wildcards without a place are `name=value`."""
    rest = {name: str(value) for name, value in wildcards.items()}
    words = []
    if "source" in rest and "target" in rest:
        words.append(f"{rest.pop('source')} -> {rest.pop('target')}")
    words += [rest.pop(name) for name in ("task", "dataset", "kind", "data") if name in rest]
    if "seed" in rest:
        words.append(f"seed {rest.pop('seed')}")
    return clean(" ".join(words + [f"{name}={value}" for name, value in rest.items()]))


def clean(text):
    """Make text from elsewhere safe for a terminal: what would not print, such as escape sequences, is spelled out."""
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in str(text).replace("\t", "    ").replace("\r\n", "\n")
    )


def one_line(text, limit=400):
    """Untrusted text as one safe line of at most `limit` characters."""
    text = clean(" ".join(str(text).split()))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def clock(seconds):
    """A time span as `03:41` or `2:03:41`."""
    minutes, seconds = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def span(seconds):
    """A measured time span in words: `0.4s`, `12.3s`, `5m 20s`, `2h 10m`."""
    if seconds < 59.95:
        return f"{max(seconds, 0):.1f}s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}m {seconds:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def about(seconds):
    """An estimated time span in words, no finer than the estimate: `40s`, `18m`, `2h 10m`."""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))}s"
    minutes = round(seconds / 60)
    return f"{max(minutes, 1)}m" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def aligned(rows, texts=None):
    """Rows of cells as indented, aligned lines: the first `texts` columns to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = len(widths) if texts is None else texts
    lines = [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return [f"  {line.rstrip()}" for line in lines]
