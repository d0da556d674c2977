"""What the training benchmark measures: encoders, lengths of texts, and the work in them."""

import json
import subprocess
import sys

MAXIMUM = 256
BATCH = 32
REDUCTION = 16
# Tokens of context and text, as 17 quantiles of a dataset's training texts.
LENGTHS = {
    "epitome": [21, 35, 42, 49, 55, 61, 68, 75, 84, 91, 99, 109, 123, 143, 174, 230, 256],
    "conv": [3, 28, 52, 79, 108, 139, 172, 203, 236, 256, 256, 256, 256, 256, 256, 256, 256],
}
SHAPES = {
    "minilm": {"layers": 6, "hidden": 384, "inner": 1536},
    "roberta-base-shape": {"layers": 12, "hidden": 768, "inner": 3072},
}
PEAK = """
import json, time, torch
torch.set_num_threads({threads})
found = {{}}
for name, kind in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
    x, w = torch.randn(2048, 768).to(kind), torch.randn(3072, 768).to(kind)
    best = 1e9
    for _ in range(12):
        started = time.perf_counter()
        for _ in range(4):
            torch.nn.functional.linear(x, w)
        best = min(best, (time.perf_counter() - started) / 4)
    found[name] = 2 * 2048 * 768 * 3072 / best / 1e9
print(json.dumps(found))
"""


def cases(quick):
    """Return the cases: encoder, dropout, lengths of a dataset, items of a round (one batch for the large encoder).

    `memory_gb` is what all engines were measured to take at a time.
    """
    small = [("minilm", "epitome", 0.0, 12)]
    large = [("minilm", "epitome", 0.1, 12), ("minilm", "conv", 0.0, 12),
             ("roberta-base-shape", "epitome", 0.0, 22), ("roberta-base-shape", "epitome", 0.1, 33)]  # fmt: skip
    chosen = small if quick else small + large
    return [
        {
            "encoder": encoder,
            "lengths": lengths,
            "dropout": dropout,
            "items": 64 if encoder == "minilm" else 32,
            "memory_gb": memory,
        }
        for encoder, lengths, dropout, memory in chosen
    ]


def lengths_of(case):
    """Return the token counts of a round's items: evenly spread over the quantiles, so that every round is alike."""
    quantiles, count = LENGTHS[case["lengths"]], case["items"]
    found = []
    for item in range(count):
        place = (item + 0.5) / count * (len(quantiles) - 1)
        low, share = int(place), place % 1
        found.append(round(quantiles[low] * (1 - share) + quantiles[low + 1] * share))
    return found


def gemm_peak(threads):
    """Return the fastest matrix products of this machine (GFLOP/s, bf16 and fp32), in a process of its own."""
    text = subprocess.run(
        [sys.executable, "-c", PEAK.format(threads=threads)], capture_output=True, text=True, check=True
    )
    return json.loads(text.stdout)


def useful_flops(case):
    """Return the floating-point operations that one item needs on average, whatever an engine skips."""
    lengths = lengths_of(case)
    shape = SHAPES[case["encoder"]]
    return sum(
        _flops(shape, length, forward=shape["layers"], backward=shape["layers"] - 1) for length in lengths
    ) / len(lengths)


def executed_flops(case, engine):
    """Return the operations that an engine computes per item: padding counts, skipped layers don't."""
    lengths, shape = lengths_of(case), SHAPES[case["encoder"]]
    layers = shape["layers"]
    if engine == "default":
        lengths = [MAXIMUM]
    if engine == "fast":
        # Of the last layer only keys and values are needed for all tokens: 2 of the 4 hidden-size squares of attention.
        hidden = shape["hidden"]
        part = 2 * hidden**2 / (4 * hidden**2 + 2 * hidden * shape["inner"])
        forward = layers - 1 + part - (1 if case["dropout"] == 0 else 0)
        return sum(_flops(shape, length, forward, layers - 2 + part) for length in lengths) / len(lengths)
    return sum(_flops(shape, length, layers, layers - 1) for length in lengths) / len(lengths)


def _flops(shape, length, forward, backward):
    """Operations of one item: frozen layers forward and backward, two adapters in each layer, one of them trained."""
    hidden, inner = shape["hidden"], shape["inner"]
    frozen = 2 * length * (4 * hidden**2 + 2 * hidden * inner) + 4 * length**2 * hidden
    frozen_backward = frozen + 4 * length**2 * hidden
    adapter = 4 * length * hidden * (hidden // REDUCTION)
    # Source: forward and activations' gradients; target: weights' gradients too.
    return forward * frozen + backward * frozen_backward + shape["layers"] * 5 * adapter


def table(rows, columns):
    """Return these columns of the rows as a Markdown table, with a dash for what was not measured."""
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    cells = [["–" if row[column] is None else str(row[column]) for column in columns] for row in rows]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in cells])
