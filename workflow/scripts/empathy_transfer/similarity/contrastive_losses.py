"""The contrastive family: which loss of sentence-transformers, and what a batch of it is made of.

`CONTRASTIVE_LOSSES` maps each name in the settings to (examples, loss):

- examples(pairs, mapping, random) gives the columns of the trainer's data set, texts first. `pairs` is a frame with
  `first`, `second` and `label` (1 to 4), `mapping` one of `story_pairs.MAPPINGS`, `random` a NumPy generator.
- loss(model, settings) gives the library's loss for it.
"""

import numpy as np

from empathy_transfer.errors import DataError
from empathy_transfer.similarity.story_pairs import is_similar, to_cosine


def rated(pairs, mapping, random):
    """Both texts, and the cosine that their rating stands for."""
    return _texts(pairs) | {"score": to_cosine(pairs["label"], mapping).tolist()}


def judged(pairs, mapping, random):
    """Both texts, and 1 for a similar pair, else 0."""
    return _texts(pairs) | {"label": is_similar(pairs["label"]).astype(int).tolist()}


def similar_only(pairs, mapping, random):
    """Both texts of each similar pair. All others of a batch count as dissimilar."""
    return _texts(_similar(pairs))


def triplets(pairs, mapping, random):
    """Each similar pair, and a text that the first of it is dissimilar to, or one of some dissimilar pair.

    A drawn text is never one of the pair's own, and never one that the first is similar to.
    """
    similar = _similar(pairs)
    others = pairs[~is_similar(pairs["label"])]
    if others.empty:
        raise DataError("the loss `triplet` needs pairs rated 2.5 or below among the training pairs; there are none")
    near = _partners(similar)
    far = {text: sorted(found - near.get(text, set())) for text, found in _partners(others).items()}
    pool = np.array(sorted({*others["first"], *others["second"]}), dtype=object)
    negatives, kept = [], []
    for row, (first, second) in enumerate(zip(similar["first"], similar["second"], strict=True)):
        choices = far.get(first) or [text for text in pool if text not in near[first] | {first, second}]
        if choices:
            kept.append(row)
            negatives.append(choices[random.integers(len(choices))])
    return _texts(similar.iloc[kept]) | {"negative": negatives}


def _texts(pairs):
    """The columns of both texts."""
    return {"first": pairs["first"].tolist(), "second": pairs["second"].tolist()}


def _similar(pairs):
    """The similar ones among pairs."""
    found = pairs[is_similar(pairs["label"])]
    if found.empty:
        raise DataError("this loss needs pairs rated above 2.5 among the training pairs; there are none")
    return found


def _partners(pairs):
    """{text: the texts that it stands in a pair with}."""
    found = {}
    for first, second in zip(pairs["first"], pairs["second"], strict=True):
        found.setdefault(first, set()).add(second)
        found.setdefault(second, set()).add(first)
    return found


def _library(name, **given):
    """A function that makes a loss of the library; `given` maps its arguments to keys of the settings."""

    def make(model, settings):
        """The loss."""
        from sentence_transformers.sentence_transformer import losses

        return getattr(losses, name)(model, **{argument: settings[key] for argument, key in given.items()})

    return make


def _softmax(model, settings):
    """A classifier of similar and dissimilar pairs on both embeddings and their difference."""
    from sentence_transformers.sentence_transformer.losses import SoftmaxLoss

    return SoftmaxLoss(model, model.get_embedding_dimension(), num_labels=2)


CONTRASTIVE_LOSSES = {
    "cosine_mse": (rated, _library("CosineSimilarityLoss")),
    "cosent": (rated, _library("CoSENTLoss", scale="scale")),
    "angle": (rated, _library("AnglELoss", scale="scale")),
    "contrastive": (judged, _library("ContrastiveLoss", margin="margin")),
    "online_contrastive": (judged, _library("OnlineContrastiveLoss", margin="margin")),
    "softmax": (judged, _softmax),
    "triplet": (triplets, _library("TripletLoss", triplet_margin="margin")),
    "multiple_negatives": (similar_only, _library("MultipleNegativesRankingLoss", scale="scale")),
}
