"""Speed of raters of pairs: our fast engine against the trainers of sentence-transformers, in one run.

    python benchmarks/raters.py [--pairs 512] [--epochs 3] [--rounds 3] [--threads 1] [--json FILE]

MiniLM is trained as a whole on generated pairs of known closeness, with the lengths of posts and replies: bi-encoders
by the cosine of both texts, cross-encoders by one output, both with squared error, batches of 16 and one learning rate.
The peers are `SentenceTransformerTrainer` and `CrossEncoderTrainer` with their defaults (`default`), and in bf16
(`bf16`). Each trains in a process of its own, in turns. Medians over the rounds are reported, with test Pearson r:
speed counts at equal scores only. Then each trained model scores N test pairs, and ranks N texts against N others.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

ENGINES = ("fast", "default", "bf16")
ARCHITECTURES = ("bi", "cross")
TOPICS, WORDS_OF_TOPIC = 12, 8
BATCH, RATE, MAXIMUM = 16, 1e-4, 128
RANKED = 24
COLUMNS = (
    "architecture",
    "engine",
    "pairs_per_second",
    "ratio",
    "pearson_r",
    "scored_per_second",
    "rank_seconds",
    "mb",
)


def generated(number, seed):
    """Pairs of texts and their closeness: (first texts, second texts, labels in [0, 1]).

    A text is of the words of its topic. The second text takes a share of its words, the label, from the first one's
    topic, and the others from all topics.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    words = [line for line in _vocabulary() if line.isalpha() and len(line) > 3]
    topics = np.array(words[: TOPICS * WORDS_OF_TOPIC]).reshape(TOPICS, WORDS_OF_TOPIC)
    firsts, seconds, labels = [], [], generator.integers(0, 7, number) / 6
    for label in labels:
        topic = generator.integers(TOPICS)
        lengths = np.clip(generator.lognormal(3.6, 0.6, 2), 5, 90).astype(int)
        firsts.append(" ".join(generator.choice(topics[topic], lengths[0])))
        own = generator.random(lengths[1]) < label
        others = topics[generator.integers(0, TOPICS, lengths[1]), generator.integers(0, WORDS_OF_TOPIC, lengths[1])]
        seconds.append(" ".join(np.where(own, generator.choice(topics[topic], lengths[1]), others)))
    return firsts, seconds, labels.tolist()


def _vocabulary():
    """The words of MiniLM's vocabulary."""
    from empathy_transfer.records.encoders import MINILM, find_encoder

    return json.loads((find_encoder(MINILM).folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]


def our_model(architecture, train):
    """Functions (train an epoch, score pairs) of our engine."""
    import numpy as np
    import torch

    from empathy_transfer.data.batches import Items, batch_of, evaluation_batches, training_batches
    from empathy_transfer.data.token_file import pack_rows
    from empathy_transfer.data.tokenizer import load_tokenizer
    from empathy_transfer.data.tokens import rows_of
    from empathy_transfer.losses import loss_function
    from empathy_transfer.models.adaptations import Adaptation
    from empathy_transfer.models.compose import compose
    from empathy_transfer.models.hardware import choose_precision
    from empathy_transfer.records.encoders import MINILM, find_encoder
    from empathy_transfer.training.optimizer import AdamW
    from empathy_transfer.training.recipes.rater import SEQUENCES, head_of

    encoder = find_encoder(MINILM)
    tokenizer = load_tokenizer(encoder, MAXIMUM)
    loss = {"name": "squared_error"}
    head = head_of(architecture, {"kind": "regression"}, loss)
    options = {"dropout": 0.1, "seed": 1, "device": "cpu", "precision": choose_precision("auto", "cpu")}
    model = compose("fast", encoder, Adaptation({"type": "full"}), head, **options)

    def items_of(firsts, seconds, labels):
        """Pairs as items."""
        packed = pack_rows(rows_of(tokenizer, firsts, seconds, MAXIMUM, architecture)[0])
        values = torch.tensor(labels, dtype=torch.float32)
        return Items(**packed, labels=values, rows=np.arange(len(labels)), sequences=SEQUENCES[architecture])

    items, seeds = items_of(*train), iter(range(10**6))
    steps = 10**6
    optimizer = AdamW(model.parameters(), RATE, weight_decay=0.01, steps=steps, warmup_share=0.0, max_gradient_norm=1.0)
    loss_of = loss_function(loss)

    def epoch():
        """Train on all pairs once."""
        seed = next(seeds)
        model.train()
        model.seed(seed)
        for positions in training_batches(items.lengths, BATCH, torch.Generator().manual_seed(seed)):
            batch = batch_of(items, "train", positions)
            loss_of(model.logits(batch), batch.labels).backward()
            optimizer.step()

    def vectors(texts):
        """Vectors of texts (texts x hidden size)."""
        model.train(False)
        rows, _ = rows_of(tokenizer, [None] * len(texts), texts, MAXIMUM, "task")
        single = Items(**pack_rows(rows), labels=torch.zeros(len(rows)), rows=np.arange(len(rows)))
        batches = evaluation_batches(single.lengths, 32)
        with torch.inference_mode():
            found = torch.cat([model.encode(batch_of(single, "test", places)).float() for places in batches])
        return found[np.argsort(np.concatenate(batches))]

    def scores(firsts, seconds):
        """Closeness of pairs."""
        from empathy_transfer.training.evaluation import predict

        return predict(model, items_of(firsts, seconds, [0.0] * len(firsts)), "test")[:, 0]

    def rank(firsts, seconds):
        """Closeness of each first text and each second one."""
        if architecture == "bi":
            one, other = (torch.nn.functional.normalize(vectors(side)) for side in (firsts, seconds))
            return one @ other.T
        return scores([one for one in firsts for _ in seconds], list(seconds) * len(firsts))

    return epoch, scores, rank


def their_model(architecture, train, bf16):
    """Functions (train an epoch, score pairs, rank) of sentence-transformers."""
    import torch
    from datasets import Dataset
    from sentence_transformers import CrossEncoder, SentenceTransformer, SentenceTransformerTrainer, models
    from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
    from sentence_transformers.cross_encoder import CrossEncoderTrainer
    from sentence_transformers.cross_encoder import CrossEncoderTrainingArguments as CrossArguments
    from sentence_transformers.cross_encoder.losses import MSELoss
    from sentence_transformers.losses import CosineSimilarityLoss

    from empathy_transfer.records.encoders import MINILM, find_encoder

    folder, data = (
        str(find_encoder(MINILM).folder),
        Dataset.from_dict(dict(zip(("first", "second", "label"), train, strict=True))),
    )
    if architecture == "bi":
        words = models.Transformer(folder, max_seq_length=MAXIMUM)
        model = SentenceTransformer(
            modules=[words, models.Pooling(words.get_word_embedding_dimension(), "cls")], device="cpu"
        )
        loss, trainer, arguments = CosineSimilarityLoss(model), SentenceTransformerTrainer, Arguments
    else:
        model = CrossEncoder(folder, num_labels=1, max_length=MAXIMUM, device="cpu", activation_fn=torch.nn.Identity())
        loss, trainer, arguments = (
            MSELoss(model, activation_fn=torch.nn.Identity()),
            CrossEncoderTrainer,
            CrossArguments,
        )

    def epoch():
        """Train on all pairs once."""
        with tempfile.TemporaryDirectory() as output:
            settings = arguments(
                output, per_device_train_batch_size=BATCH, num_train_epochs=1, learning_rate=RATE, weight_decay=0.01,
                lr_scheduler_type="constant", bf16=bf16, use_cpu=True, report_to=[], save_strategy="no",
                logging_strategy="no", disable_tqdm=True,
            )  # fmt: skip
            trainer(model=model, args=settings, train_dataset=data, loss=loss).train()

    def scores(firsts, seconds):
        """Closeness of pairs."""
        if architecture == "bi":
            one, other = (
                model.encode(side, convert_to_tensor=True, show_progress_bar=False) for side in (firsts, seconds)
            )
            return torch.nn.functional.cosine_similarity(one, other).numpy()
        return model.predict(list(zip(firsts, seconds, strict=True)), show_progress_bar=False)

    def rank(firsts, seconds):
        """Closeness of each first text and each second one."""
        if architecture == "bi":
            one, other = (
                model.encode(side, convert_to_tensor=True, show_progress_bar=False) for side in (firsts, seconds)
            )
            return model.similarity(one, other)
        return scores([one for one in firsts for _ in seconds], list(seconds) * len(firsts))

    return epoch, scores, rank


def work(case):
    """Train, score and rank with one engine, in this process; prints what it took as JSON."""
    import numpy as np
    import torch

    torch.set_num_threads(case["threads"])
    train, test = generated(case["pairs"], seed=1), generated(256, seed=2)
    if case["engine"] == "fast":
        epoch, scores, rank = our_model(case["architecture"], train)
    else:
        epoch, scores, rank = their_model(case["architecture"], train, case["engine"] == "bf16")
    took = []
    for _ in range(case["epochs"]):
        started = time.perf_counter()
        epoch()
        took.append(time.perf_counter() - started)
    # The first epoch prepares products of new shapes, which a training does once.
    found = {"pairs_per_second": case["pairs"] / statistics.median(took[1:] or took)}
    started = time.perf_counter()
    answers = scores(*test[:2])
    found["scored_per_second"] = len(answers) / (time.perf_counter() - started)
    found["pearson_r"] = float(np.corrcoef(answers, test[2])[0, 1])
    started = time.perf_counter()
    rank(test[0][:RANKED], test[1][:RANKED])
    found["rank_seconds"] = time.perf_counter() - started
    found["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def measure(settings):
    """Let all engines work in turns; returns {(architecture, engine): results of each round}."""
    found = {}
    for number in range(settings.rounds):
        for architecture in ARCHITECTURES:
            for engine in ENGINES:
                case = {"architecture": architecture, "engine": engine, "pairs": settings.pairs}
                case |= {"epochs": settings.epochs, "threads": settings.threads}
                command = [sys.executable, __file__, "--work", json.dumps(case)]
                environment = os.environ | {"OMP_NUM_THREADS": str(settings.threads)}
                done = subprocess.run(command, capture_output=True, text=True, env=environment)
                if done.returncode:
                    sys.exit(f"{architecture}, {engine}: {done.stderr}")
                result = json.loads(done.stdout.strip().splitlines()[-1])
                found.setdefault((architecture, engine), []).append(result)
                words = ", ".join(f"{name} {value:.3g}" for name, value in result.items())
                print(f"round {number + 1}/{settings.rounds} {architecture} {engine}: {words}", flush=True)
    return found


def table(found):
    """Rows of medians with `COLUMNS`; `ratio` is that of the training speed to the peer's defaults."""
    rows = []
    for (architecture, engine), rounds in found.items():
        row = {name: statistics.median(result[name] for result in rounds) for name in rounds[0]}
        peer = statistics.median(result["pairs_per_second"] for result in found[architecture, "default"])
        rows.append({"architecture": architecture, "engine": engine, "ratio": row["pairs_per_second"] / peer} | row)
    return rows


def main():
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=512, help="training pairs")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of each training")
    parser.add_argument("--rounds", type=int, default=3, help="trainings of each engine")
    parser.add_argument("--threads", type=int, default=1, help="threads of each engine")
    parser.add_argument("--json", type=Path, help="file for all results")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    settings = parser.parse_args()
    if settings.work:
        work(json.loads(settings.work))
        return
    rows = table(measure(settings))
    print("\t".join(COLUMNS))
    for row in rows:
        print("\t".join(f"{row[name]:.3g}" if isinstance(row[name], float) else str(row[name]) for name in COLUMNS))
    if settings.json:
        settings.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
