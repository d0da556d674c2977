"""Speed of the fast engine as a ratio to the reference engine, in one process and on one thread.

    python benchmarks/engines.py [--tokens 24 96] [--batch 16] [--rounds 5]

Steps (forward and backward) of both engines alternate; the medians of the rounds are compared.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

import torch

from empathy_transfer.encoders import MINILM, find_encoder
from empathy_transfer.fast import FastEngine
from empathy_transfer.precision import choose_precision
from empathy_transfer.reference import ReferenceEngine

STEPS = 5


def measure(engine, inputs, training):
    """Items per second of one engine over a few steps."""
    engine.train(training)
    started = time.perf_counter()
    for _ in range(STEPS):
        if training:
            engine.logits(*inputs).sum().backward()
        else:
            with torch.inference_mode():
                engine.logits(*inputs)
    return STEPS * len(inputs[0]) / (time.perf_counter() - started)


def main():
    """Print a line for each length: items per second of both engines, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, nargs="+", default=[24, 96])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    precision = choose_precision("auto", "cpu")
    encoder = find_encoder(MINILM)
    settings = {"outputs": 3, "reduction_factor": 16, "dropout": 0.0, "source_adapter": None, "seed": 1}
    settings |= {"device": "cpu", "precision": precision}
    engines = {"fast": FastEngine(encoder, **settings), "reference": ReferenceEngine(encoder, **settings)}
    for tokens in arguments.tokens:
        ids = torch.randint(1000, 20000, (arguments.batch, tokens), generator=torch.Generator().manual_seed(0))
        inputs = ids, torch.zeros_like(ids), torch.ones_like(ids)
        for training in (True, False):
            speeds = {name: [] for name in engines}
            for engine in engines.values():
                measure(engine, inputs, training)
            for _ in range(arguments.rounds):
                for name, engine in engines.items():
                    speeds[name].append(measure(engine, inputs, training))
            fast, reference = (statistics.median(speeds[name]) for name in ("fast", "reference"))
            print(
                f"{tokens} tokens, batch {arguments.batch}, {precision}, {'training' if training else 'evaluation'}: "
                f"fast {fast:.1f}/s, reference {reference:.1f}/s, ratio {fast / reference:.2f}"
            )


if __name__ == "__main__":
    main()
