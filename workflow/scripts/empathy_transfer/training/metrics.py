"""Scores of predictions, their floors and their standard errors: numpy only, so that a training job starts fast.

Section 5 of the study: macro F1 for classification, Pearson r for regression. The paper does not say which classes
count in the mean, nor what r a constant prediction has; the functions say what is done here.
"""

import numpy as np

F1_METRICS = ("f1_macro", "f1_weighted", "accuracy")
REGRESSION_METRICS = ("pearson_r", "mae", "rmse")

# Values whose spread is below this share of their size (at least 1) differ by rounding of the arithmetic only.
CONSTANT_TOLERANCE = 1e-6
# Resampled counts held in memory at once: 4 million 64-bit integers are 32 MB.
BLOCK_CELLS = 4_000_000


def classification_scores(labels, predictions, classes):
    """Macro F1, weighted F1 and accuracy of single-label predictions.

    ``labels`` and ``predictions`` are sequences of n class names (or numbers), ``classes`` all classes of the task.
    Macro F1 is the plain mean over the classes *present in the labels*: a class of the task that the test items
    lack neither raises nor lowers it, but predicting it counts as an error. Weighted F1 weighs each class by its
    number of test items. All three lie in [0, 1]. Raises ValueError for no items, unequal lengths or an unknown class.
    """
    true, predicted = _one_hot(labels, classes), _one_hot(predictions, classes)
    return multilabel_scores(true, predicted)


def multilabel_scores(labels, predictions):
    """Macro F1, weighted F1 and accuracy of multi-label predictions.

    Both arrays are binary indicators of shape (n items, k labels). Macro F1 is the mean over the labels that at least
    one item carries (as in ``classification_scores``); accuracy is the share of items whose whole row is right.
    Without any positive label the F1 scores are 0. Raises ValueError for no items, other shapes or other values.
    """
    labels, predictions = _indicators(labels, predictions)
    present = labels.any(axis=0)
    true_positives = (labels & predictions).sum(axis=0)
    errors = (labels ^ predictions).sum(axis=0)
    scores = _f1_scores(true_positives, errors, labels.sum(axis=0), present)
    return {
        "f1_macro": float(scores["f1_macro"]),
        "f1_weighted": float(scores["f1_weighted"]),
        "accuracy": float((labels == predictions).all(axis=1).mean()),
    }


def regression_scores(labels, predictions):
    """Pearson r, concordance, mean absolute error and root mean squared error, the errors in units of the label.

    r is 0, not undefined, when predictions or labels are constant. Raises ValueError for no items, unequal
    lengths or values that are not finite numbers.
    """
    labels, predictions = _finite(labels, "labels"), _finite(predictions, "predictions")
    _same_length(labels, predictions)
    error = predictions - labels
    return {
        "pearson_r": _pearson(labels, predictions),
        "ccc": concordance(labels, predictions),
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
    }


def concordance(labels, predictions):
    """Concordance correlation coefficient (Lin 1989), in [-1, 1]: 2 cov / (var_1 + var_2 + (mean_1 - mean_2)^2).

    1 only where predictions equal the labels: unlike r it falls with a shift or another scale. Symmetric. It is 0 where
    either side is constant and the other differs.
    ``labels`` and ``predictions`` are vectors of n finite numbers; else ValueError.
    """
    labels, predictions = _finite(labels, "labels"), _finite(predictions, "predictions")
    _same_length(labels, predictions)
    if np.array_equal(labels, predictions):
        return 1.0
    if is_constant(labels) or is_constant(predictions):
        return 0.0
    covariance = ((labels - labels.mean()) * (predictions - predictions.mean())).mean()
    spread = labels.var() + predictions.var() + (labels.mean() - predictions.mean()) ** 2
    return float(np.clip(2 * covariance / spread, -1.0, 1.0))


def floor_score(kind, train_labels, test_labels, metric):
    """Score on ``test_labels`` of the best constant answer that ``train_labels`` suggest.

    ``kind`` is classification (answer: the most frequent class of the training labels; of equals the first in sorted
    order), multilabel (binary arrays; each label that more than half of the training items carry) or regression
    (answer: the training mean, whose Pearson r is 0). ``metric`` is a key of the scores of that kind.
    """
    if kind == "regression":
        test_labels = _finite(test_labels, "test labels")
        constant = _finite(train_labels, "training labels").mean()
        return regression_scores(test_labels, np.full(len(test_labels), constant))[metric]
    if kind == "multilabel":
        train_labels, test_labels = np.asarray(train_labels), np.asarray(test_labels)
        majority = train_labels.mean(axis=0) > 0.5
        return multilabel_scores(test_labels, np.broadcast_to(majority, test_labels.shape))[metric]
    if kind != "classification":
        raise ValueError(f"unknown kind of task {kind!r}: expected classification, multilabel or regression")
    names, counts = np.unique(np.asarray(train_labels), return_counts=True)
    majority = names[counts.argmax()]
    return classification_scores(test_labels, [majority] * len(test_labels), {majority, *test_labels})[metric]


def is_constant(predictions):
    """Whether all items got the same answer: same class, same row of indicators, or same value up to rounding.

    Numbers count as the same when they spread by less than a millionth of their size (at least of 1).
    """
    predictions = np.asarray(predictions)
    if len(predictions) == 0:
        raise ValueError("no predictions: whether they are constant is undefined")
    if predictions.ndim == 1 and predictions.dtype.kind == "f":
        scale = max(1.0, float(np.abs(predictions).max()))
        return bool(np.ptp(predictions) <= CONSTANT_TOLERANCE * scale)
    return bool((predictions == predictions[0]).all())


def bootstrap_standard_error(labels, predictions, metric, seed, resamples=1000):
    """Standard error of ``metric`` over the choice of test items: the item bootstrap.

    ``resamples`` times n items are drawn with replacement and scored; the sample standard deviation of these scores
    is returned. For F1 and accuracy only the joint table of label and prediction matters, so its cells are drawn
    (multinomially) rather than items; the classes are those present in the test labels, and a class that a resample
    holds neither in its labels nor in its predictions is left out of that resample's mean. Two-dimensional
    arrays are indicators of multi-label predictions. A resample with constant values has r = 0. ``seed`` is
    anything ``numpy.random.default_rng`` takes.
    """
    if resamples < 2:
        raise ValueError("the bootstrap needs at least 2 resamples")
    if metric in F1_METRICS:
        statistics = _resampled_f1(labels, predictions, metric, seed, resamples)
    elif metric in REGRESSION_METRICS:
        statistics = _resampled_regression(labels, predictions, metric, seed, resamples)
    else:
        raise ValueError(f"unknown metric {metric!r}: expected one of {', '.join(F1_METRICS + REGRESSION_METRICS)}")
    return float(np.std(statistics, ddof=1))


def _resampled_f1(labels, predictions, metric, seed, resamples):
    """Resampled macro F1, weighted F1 or accuracy; array of shape (resamples,)."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim == 1:
        classes = sorted({*labels.tolist(), *predictions.tolist()})
        labels, predictions = _one_hot(labels, classes), _one_hot(predictions, classes)
    labels, predictions = _indicators(labels, predictions)
    present = labels.any(axis=0)
    patterns, counts = np.unique(np.hstack([labels, predictions]), axis=0, return_counts=True)
    labels, predictions = patterns[:, : labels.shape[1]], patterns[:, labels.shape[1] :]
    right = (labels == predictions).all(axis=1).astype(float)
    hits, misses = (labels & predictions).astype(float), (labels ^ predictions).astype(float)
    statistics = []
    for drawn in _multinomial_blocks(counts, seed, resamples):
        if metric == "accuracy":
            statistics.append(drawn @ right / counts.sum())
        else:
            scores = _f1_scores(drawn @ hits, drawn @ misses, drawn @ labels.astype(float), present)
            statistics.append(scores[metric])
    return np.concatenate(statistics)


def _resampled_regression(labels, predictions, metric, seed, resamples):
    """Resampled Pearson r, mean absolute error or root mean squared error; array of shape (resamples,)."""
    labels, predictions = _finite(labels, "labels"), _finite(predictions, "predictions")
    _same_length(labels, predictions)
    n_items, error = len(labels), predictions - labels
    if metric == "pearson_r" and (is_constant(labels) or is_constant(predictions)):
        return np.zeros(resamples)
    # Standardised values keep the sums of squares below free of cancellation.
    x, y = ((values - values.mean()) / (values.std() or 1.0) for values in (labels, predictions))
    columns = np.column_stack([x, y, x * x, y * y, x * y, np.abs(error), error**2])
    statistics = []
    for drawn in _multinomial_blocks(np.ones(n_items, dtype=int), seed, resamples):
        mean_x, mean_y, mean_xx, mean_yy, mean_xy, mae, mse = (drawn @ columns / n_items).T
        if metric == "pearson_r":
            variances = (mean_xx - mean_x**2).clip(0), (mean_yy - mean_y**2).clip(0)
            defined = (variances[0] > CONSTANT_TOLERANCE**2) & (variances[1] > CONSTANT_TOLERANCE**2)
            scale = np.sqrt(np.where(defined, variances[0] * variances[1], 1.0))
            statistics.append(np.where(defined, ((mean_xy - mean_x * mean_y) / scale).clip(-1, 1), 0.0))
        else:
            statistics.append(mae if metric == "mae" else np.sqrt(mse))
    return np.concatenate(statistics)


def _multinomial_blocks(counts, seed, resamples):
    """Yield float arrays (rows, cells) of multinomial draws with the shares of ``counts``, in blocks of rows."""
    generator = np.random.default_rng(seed)
    total = int(counts.sum())
    rows = max(1, BLOCK_CELLS // len(counts))
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        yield generator.multinomial(total, counts / total, size=size).astype(float)


def _f1_scores(true_positives, errors, support, present):
    """Macro and weighted F1 from counts per class; the last axis is the class, leading axes are resamples.

    ``errors`` are false positives plus false negatives, ``support`` the items that carry the class, ``present``
    marks the classes that the test set carries. F1 = 2 tp / (2 tp + errors).
    """
    occurs = present & (true_positives + errors > 0)
    f1 = np.where(occurs, 2.0 * true_positives / np.maximum(2.0 * true_positives + errors, 1.0), 0.0)
    macro = f1.sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1)
    weighted = (f1 * support).sum(axis=-1) / np.maximum(support.sum(axis=-1), 1)
    return {"f1_macro": macro, "f1_weighted": weighted}


def _pearson(x, y):
    """Pearson correlation of two vectors; 0 when one of them is constant."""
    if is_constant(x) or is_constant(y):
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x / np.linalg.norm(x)) @ (y / np.linalg.norm(y)), -1.0, 1.0))


def _one_hot(values, classes):
    """Boolean array (n, k): which of the k ``classes`` each of the n ``values`` is."""
    positions = {name: position for position, name in enumerate(classes)}
    values = np.asarray(values).tolist()
    unknown = {value for value in values if value not in positions}
    if unknown:
        raise ValueError(f"not among the task's classes: {', '.join(sorted(map(repr, unknown)))}")
    indicators = np.zeros((len(values), len(positions)), dtype=bool)
    indicators[np.arange(len(values)), [positions[value] for value in values]] = True
    return indicators


def _indicators(labels, predictions):
    """Both arrays as booleans of one shape (n >= 1, k), else ValueError."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 2 or labels.shape != predictions.shape:
        raise ValueError(f"labels {labels.shape} and predictions {predictions.shape} must have one shape (items, k)")
    if len(labels) == 0:
        raise ValueError("no items to score")
    for array in (labels, predictions):
        if not np.isin(array, (0, 1)).all():
            raise ValueError("indicators must be 0 or 1")
    return labels.astype(bool), predictions.astype(bool)


def _finite(values, name):
    """Values as a vector of finite 64-bit floats, else ValueError."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"{name}: expected a vector of at least one number, found shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: {int((~np.isfinite(values)).sum())} of {len(values)} values are not finite")
    return values


def _same_length(labels, predictions):
    """Raise ValueError unless both vectors have one length."""
    if len(labels) != len(predictions):
        raise ValueError(f"{len(labels)} labels but {len(predictions)} predictions")
