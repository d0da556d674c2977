"""Leaks that are planted in generated texts: how many are found by kind, and how many clean items are flagged.

Two tasks of dialogues are generated. Words follow Zipf's law, go together as words do (each has followers), and go with
topics; and strangers share stock phrases, alone or at the beginning of what they say. Into the source's training part,
copies of test items of the target are put, ten of each kind, changed in one of the ways of `KINDS`.
"""

from typing import NamedTuple

import numpy
import pandas

from empathy_transfer.data.splits import SPLITS
from empathy_transfer.leakage.audit import touched_items
from empathy_transfer.leakage.index import build_index
from empathy_transfer.leakage.signatures import FIELDS, signatures_of
from empathy_transfer.validation.bars import each

SETTINGS = {"counted": ["text", "input", "dialogue", "group"], "jaccard": 0.8, "containment": 0.33, "chance": 1e-5}
PLANTED = 10
WORDS, FOLLOWERS, TOPICS, TOPIC_WORDS, PHRASES = 4000, 12, 25, 80, 40
# Shares of words that follow from the word before, and of words that belong to the topic.
FOLLOWING, TOPICAL = 0.45, 0.25
# Shares of turns that are a stock phrase, and that begin with one.
PHRASE_ALONE, PHRASE_FIRST = 0.2, 0.25
TURNS, TURN_WORDS = (4, 8), (5, 18)
LONG, SHORT, SHORT_TURN = 15, 6, 4
KINDS = (
    "1 of 15 words changed",
    "2 of 15 words changed",
    "4 of 15 words changed",
    "inside a longer text",
    "six words, copied exactly",
    "reply in the same dialogue with another beginning",
    "same dialogue under another name",
    "copied into validation data",
)
LEAST_FOUND, MOST_FALSE = 0.9, 0.002


class DialogueCounts(NamedTuple):
    """Dialogues of the two tasks."""

    source: int
    target: int


# Dialogues of source and target, and simulations.
CONDITIONS = {
    "150 and 60 dialogues": (DialogueCounts(150, 60), 60),
    "1,500 and 300 dialogues": (DialogueCounts(1500, 300), 20),
}


class Language:
    """A made-up language; all its texts are drawn from one generator."""

    def __init__(self, generator):
        """Make its words, followers, topics and phrases."""
        self.generator = generator
        ranks = 1 / numpy.arange(1, WORDS + 1)
        self.common = numpy.cumsum(ranks / ranks.sum())
        self.followers = self.draw(WORDS * FOLLOWERS).reshape(WORDS, FOLLOWERS)
        self.topics = generator.integers(50, WORDS, (TOPICS, TOPIC_WORDS))
        self.phrases = [self.words(int(length), None) for length in generator.integers(3, 9, PHRASES)]

    def draw(self, count):
        """Words by Zipf's law."""
        return numpy.minimum(numpy.searchsorted(self.common, self.generator.random(count)), WORDS - 1)

    def words(self, count, topic):
        """A run of words."""
        own, kinds = self.draw(count), self.generator.random(count)
        places = self.generator.geometric(0.4, count) - 1
        topical = self.generator.integers(0, TOPIC_WORDS, count)
        for place in range(count):
            if place and kinds[place] < FOLLOWING:
                own[place] = self.followers[own[place - 1], min(places[place], FOLLOWERS - 1)]
            elif topic is not None and kinds[place] > 1 - TOPICAL:
                own[place] = self.topics[topic, topical[place]]
        return own.tolist()

    def turn(self, topic):
        """What one says: a stock phrase, or own words, which may follow one."""
        kind = self.generator.random()
        phrase = self.phrases[self.generator.integers(PHRASES)]
        if kind < PHRASE_ALONE:
            return phrase
        own = self.words(int(self.generator.integers(*TURN_WORDS)), topic)
        return phrase + own if kind < PHRASE_ALONE + PHRASE_FIRST else own

    def changed(self, words, count):
        """The words with some of them replaced."""
        words = list(words)
        for place in self.generator.choice(len(words), count, replace=False):
            words[place] = int(self.draw(1)[0])
        return words

    def topic(self):
        """Any topic."""
        return int(self.generator.integers(TOPICS))


def joined_words(words):
    """Words as a text."""
    return " ".join(f"w{word}" for word in words)


def dialogues(language, name, count):
    """Rows (split, id, group, context, text) of so many dialogues; one in ten is for validation, one for tests."""
    rows = []
    for number in range(count):
        split = SPLITS[max(number % 10 - 7, 0)]
        topic, before = language.topic(), []
        for turn in range(int(language.generator.integers(*TURNS))):
            said = language.turn(topic)
            rows.append((split, f"{name}{number}-{turn}", f"{name}:{number}", joined_words(before), joined_words(said)))
            before = before + said
    return rows


def plants(language):
    """(rows of the source, rows of the target, {kind: ids of the target's rows}) of all kinds of leaks."""
    source, target, ids = [], [], {kind: [] for kind in KINDS}

    def put(kind, group, original, copy, contexts=("", ""), split="train"):
        """One test item and its copy."""
        name = f"{kind} {len(ids[kind])}"
        target.append(("test", name, f"t:{group}", contexts[0], joined_words(original)))
        source.append((split, name, f"s:{group}", contexts[1], joined_words(copy)))
        ids[kind].append(name)

    for number in range(PLANTED):
        long = [language.words(LONG, language.topic()) for _ in range(6)]
        around = [language.words(LONG, language.topic()) for _ in range(2)]
        for kind, words, count in zip(KINDS, long, (1, 2, 4), strict=False):
            put(kind, f"{kind}{number}", words, language.changed(words, count))
        put(KINDS[3], f"inside{number}", long[3], around[0] + long[3] + around[1])
        short = language.words(SHORT, language.topic())
        put(KINDS[4], f"short{number}", short, short)
        reply = language.words(SHORT_TURN, language.topic())
        contexts = joined_words(around[0] + long[4] + long[5]), joined_words(around[1] + long[4] + long[5])
        put(KINDS[5], f"reply{number}", reply, reply, contexts)
        topic = language.topic()
        for _ in range(5):
            said = language.words(SHORT_TURN, topic)
            put(KINDS[6], f"dialogue{number}", said, said)
        put(KINDS[7], f"watched{number}", long[5], long[5], split="validation")
    return source, target, ids


def leak_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`."""
    for words, (sizes, simulations) in CONDITIONS.items():
        yield words, simulations, {"run": each(simulate_leaks), "condition": sizes, "bars": leak_bars()}


def simulate_leaks(sizes, generator):
    """Shares of one simulated pair of tasks: {statistic: share}.

    By kind of leak, the share of the planted test items that count as touched; and of the test items of the target's
    own dialogues, which have nothing to do with the source's, the share that counts as well.
    """
    language = Language(generator)
    source, target = dialogues(language, "s", sizes.source), dialogues(language, "t", sizes.target)
    planted_source, planted_target, ids = plants(language)
    signatures = {}
    for name, rows in (("source", source + planted_source), ("target", target + planted_target)):
        frame = pandas.DataFrame(rows, columns=["split", "id", "group", "context", "text"])
        signatures[name] = signatures_of(frame, {})
    index = build_index(signatures, FIELDS, SETTINGS["containment"], SETTINGS["chance"])
    touched = touched_items(index, "source", "target", SETTINGS)
    known = pandas.Series(touched, index=index.items["target", "test"].ids)
    found = {f"found: {kind}": float(known[names].mean()) for kind, names in ids.items()}
    own = [name for split, name, *_ in target if split == "test"]
    return found | {"clean items that are flagged": float(known[own].mean())}


def leak_bars():
    """{statistic: (lowest, highest) mean that passes}: nine of ten leaks found, two of 1,000 clean items flagged."""
    return {f"found: {kind}": (LEAST_FOUND, 1.0) for kind in KINDS} | {
        "clean items that are flagged": (0.0, MOST_FALSE)
    }
