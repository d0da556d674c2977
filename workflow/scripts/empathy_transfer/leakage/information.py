"""How much two texts say by what they have in common: the information of shared words, in bits.

Strangers share greetings, and hardly ever a sentence. What a word says is therefore measured on the data themselves:
-log2 of the probability that a writer goes on with it after the two words before. The probability is that of a trigram
language model with Dirichlet priors, which falls back to pairs and single words (MacKay and Peto 1995). It counts
groups, so that one who repeats himself counts once. Within a phrase that many use, each word follows from those before
it, and says next to nothing.

A pair of texts can't be told from chance where so many pairs have been compared that one of them would share as much by
chance. So a pair must share log2(pairs / chance) bits, where `chance` is how many such pairs are expected (Karlin and
Altschul 1990 do so for sequences of proteins).
"""

import numpy as np
import pandas

PRIOR_GROUPS = 2.0  # weight of what fewer words before tell, in groups
OWN_GROUPS = 2  # the two texts of a pair don't make their own passage common


def word_bits(words, piece, used, groups):
    """Information of each word after the two before it in its piece, in bits, as float32.

    Args:
        words: hashes of the words of all pieces, one piece after the other. piece: for each word its piece.
        used, groups: which piece is used by which group, as two arrays of one length, each pair once.
    """
    _, group = np.unique(groups, return_inverse=True)
    count = int(group.max()) + 1 if len(group) else 0
    uses = _uses(piece, used, group)
    word, different = pandas.factorize(words)
    runs, seen = [word], [_others(uses, word, len(different), count)]
    for length in (1, 2):
        # The number of the run of words that ends here, from that of the shorter run and the word further back.
        back = np.where(np.arange(len(word)) >= length, np.roll(word, length), -1)
        back[np.roll(piece, length) != piece] = -1
        joined = runs[-1].astype(np.int64) * (len(different) + 1) + back + 1
        run = pandas.factorize(joined)[0]
        runs.append(run)
        seen.append(_others(uses, run, int(run.max()) + 1 if len(run) else 0, count))
    probability = (seen[0][word] + 0.5) / (count + 1)
    for length in (1, 2):
        # What stands before this word is the run, one word shorter, that ended at the word before.
        before = np.roll(seen[length - 1][runs[length - 1]], 1)
        before[np.roll(piece, 1) != piece] = 0
        following = np.where(before > 0, seen[length][runs[length]], 0)
        probability = (following + PRIOR_GROUPS * probability) / (before + PRIOR_GROUPS)
    return -np.log2(probability.clip(max=1)).astype("float32")


def text_bits(count, used, groups):
    """Information of each text as a whole, in bits, as float32: -log2 of the share of groups that have it.

    ``count`` is the number of texts; ``used`` and ``groups`` say which text is used by which group, each pair once.
    """
    others = np.maximum(np.bincount(used[used >= 0], minlength=count) - OWN_GROUPS, 0)
    return -np.log2((others + 0.5) / (len(np.unique(groups)) + 1)).astype("float32")


def _uses(piece, used, group):
    """(word, group) of every word in every piece that a group uses."""
    order = np.argsort(used, kind="stable")
    low, high = np.searchsorted(used[order], piece, "left"), np.searchsorted(used[order], piece, "right")
    times = high - low
    word = np.repeat(np.arange(len(piece)), times)
    within = np.arange(len(word)) - np.repeat(np.cumsum(times) - times, times)
    return word, group[order][np.repeat(low, times) + within]


def _others(uses, code, size, groups):
    """For each code in how many groups it is used, but for `OWN_GROUPS`."""
    word, group = uses
    different = pandas.unique(code[word].astype(np.int64) * max(groups, 1) + group)
    return np.maximum(np.bincount(different // max(groups, 1), minlength=size) - OWN_GROUPS, 0)


def least_bits(pairs, chance):
    """The bits that two texts must share, so that among so many pairs `chance` of them are expected to do so."""
    return float(np.log2(max(pairs, 1) / chance))
