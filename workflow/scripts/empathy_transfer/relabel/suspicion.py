"""Which crowd labels look wrong from the texts alone, without a language model: cleanlab on frozen embeddings."""

import itertools

import numpy as np
import pandas as pd

from empathy_transfer.data.token_file import pack_texts, unpack_texts
from empathy_transfer.records.artefacts import read_tensors, write_tensors

# Folds of the cross-validation, and the penalties that the ridge regression chooses from.
FOLDS = 5
PENALTIES = np.logspace(-1, 3, 9)


def embed_label_set(tokens_path, encoder_settings, embeddings_path, threads=1):
    """Write the mean of the frozen encoder's last layer over the tokens of each text, in full precision.

    Args:
        tokens_path: tokens of the set. encoder_settings: `name`, `revision`. embeddings_path: the file to write:
            `embeddings` (texts x hidden size, float32) and the texts' `ids`. threads: CPU threads.
    """
    import torch
    from transformers import AutoModel

    from empathy_transfer.models.pretrained import load_pretrained
    from empathy_transfer.records.encoders import find_encoder

    torch.set_num_threads(threads)
    encoder = find_encoder(encoder_settings["name"], encoder_settings["revision"])
    model = load_pretrained(AutoModel, encoder).eval()
    tensors, _ = read_tensors(tokens_path)
    ids, offsets = tensors["input_ids"].long(), tensors["offsets"].tolist()
    means = []
    with torch.inference_mode():
        for start, end in itertools.pairwise(offsets):
            means.append(model(input_ids=ids[None, start:end]).last_hidden_state[0].mean(dim=0))
    names = pack_texts("ids", unpack_texts(tensors, "ids"))
    write_tensors(embeddings_path, {"embeddings": torch.stack(means)} | names)


def read_embeddings(path):
    """Return (ids, embeddings) of a file of `embed_label_set`."""
    tensors, _ = read_tensors(path)
    return unpack_texts(tensors, "ids"), tensors["embeddings"].numpy()


def suspicious_labels(base, ids, embeddings, seed):
    """How plausible each crowd label is from its text: a frame with index id, `quality` and `prediction`.

    `quality` (0 to 1, lowest is most suspicious) and `prediction` (in units of the label, clipped to the labels' range)
    are those of cleanlab's regression (Zhou et al. 2023), with a ridge regression on standardised embeddings as learner
    and cross-validation, so that no label is judged by a model that has seen it.

    Args:
        base: frame with id and crowd. ids, embeddings: as of `read_embeddings`, for at least these texts.
        seed: seed of the folds.
    """
    from cleanlab.regression.learn import CleanLearning
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    places = {name: place for place, name in enumerate(ids)}
    features = embeddings[[places[name] for name in base["id"]]].astype("float64")
    labels = base["crowd"].to_numpy()
    learner = make_pipeline(StandardScaler(), RidgeCV(alphas=PENALTIES))
    found = CleanLearning(learner, cv_n_folds=FOLDS, n_boot=0, seed=seed).find_label_issues(features, labels)
    prediction = found["predicted_label"].to_numpy().clip(labels.min(), labels.max())
    return pd.DataFrame({"quality": found["label_quality"].to_numpy(), "prediction": prediction}, index=base["id"])
