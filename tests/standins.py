"""Stand-ins for the raw files of all nine datasets: the official layouts, with invented text and random labels.

They let readers be tested, and the full study of 18 tasks be planned, on machines that have none of the licensed data.
No word was taken from any of the datasets.
"""

import csv
import random
from pathlib import Path


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


SUBJECTS = [
    "my kettle",
    "the old tram",
    "our neighbour's goat",
    "a paper boat",
    "the harbour clock",
    "this yellow door",
]
VERBS = ["waited for", "painted over", "forgot about", "wrote to", "walked around", "stood beside"]
OBJECTS = ["the lighthouse", "a bag of marbles", "the second bridge", "some tall ferns", "nine small lamps", "the well"]
ENDINGS = ["again", "in the rain", "before noon", "without a word", "for a week", 'and said "well"']

EMOTIONS = [
    "afraid",
    "angry",
    "annoyed",
    "anticipating",
    "anxious",
    "apprehensive",
    "ashamed",
    "caring",
    "confident",
    "content",
    "devastated",
    "disappointed",
    "disgusted",
    "embarrassed",
    "excited",
    "faithful",
    "furious",
    "grateful",
    "guilty",
    "hopeful",
    "impressed",
    "jealous",
    "joyful",
    "lonely",
    "nostalgic",
    "prepared",
    "proud",
    "sad",
    "sentimental",
    "surprised",
    "terrified",
    "trusting",
]
INTENTS = [
    "questioning",
    "acknowledging",
    "neutral",
    "agreeing",
    "sympathizing",
    "encouraging",
    "suggesting",
    "consoling",
    "wishing",
]
ACTS = [
    "Request information",
    "Ask about consequence",
    "Ask about antecedent",
    "Suggest a solution",
    "Ask for confirmation",
    "Suggest a reason",
    "Positive rhetoric",
    "Negative rhetoric",
    "Irony",
]
QUESTION_INTENTS = [
    "Express interest",
    "Express concern",
    "Sympathize",
    "Offer relief",
    "Amplify excitement",
    "Support",
    "Amplify joy",
    "Amplify pride",
    "De-escalate",
    "Moralize speaker",
    "Pass judgement",
    "Motivate",
]
BEHAVIORS = [
    "Closed Question",
    "Open Question",
    "Simple Reflection",
    "Complex Reflection",
    "Give Information",
    "Advise with Permission",
    "Affirm",
    "Emphasize Autonomy",
    "Support",
    "Advise without Permission",
    "Confront",
    "Direct",
    "Warn",
    "Self-Disclose",
    "Other",
]
ESSAY_EMOTIONS = ["Sadness", "Neutral", "Anger", "Disgust/Sadness", "Hope", "Fear", "Joy/Neutral", "Surprise"]
ESSAY_EXTRAS = [
    "gender",
    "education",
    "race",
    "age",
    "income",
    "personality_conscientiousness",
    "personality_openess",
    "personality_extraversion",
    "personality_agreeableness",
    "personality_stability",
    "iri_perspective_taking",
    "iri_personal_distress",
    "iri_fantasy",
    "iri_empathatic_concern",
]
TURNS = 6  # per dialogue and conversation


class Writer:
    """Writes invented sentences and files; the same seed writes the same bytes."""

    def __init__(self, raw_dir: Path, seed: int) -> None:
        self.raw_dir = Path(raw_dir)
        self.random = random.Random(seed)
        self.sentences = 0

    def sentence(self) -> str:
        """An invented sentence; its number makes it unique."""
        self.sentences += 1
        parts = [self.random.choice(choices) for choices in (SUBJECTS, VERBS, OBJECTS, ENDINGS)]
        return f"{' '.join(parts)}, number {self.sentences}".capitalize()

    def rating(self, low: int, high: int, steps: int) -> str:
        """A rating with `steps` steps per unit, as the files print it."""
        return f"{self.random.randint(low * steps, high * steps) / steps:.4f}".rstrip("0").rstrip(".")

    def table(self, name: str, header: list[str] | None, rows: list[list]) -> None:
        """Write a CSV or TSV file, with or without a header."""
        path = self.raw_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, delimiter="\t" if path.suffix == ".tsv" else ",", lineterminator="\n")
            writer.writerows([header, *rows] if header else rows)


def write_standins(raw_dir: Path, rows: int = 60, seed: int = 0) -> None:
    """Write stand-ins for the nine datasets into their folders below `raw_dir`.

    `rows` is about the number of labelled rows per dataset; the 32 files of EmpDial have at least two dialogues each.
    Labels take turns, so that every label occurs several times if there are several rows per label. News and Conv are
    about the same conversations, and the questions of EmpQT come from dialogues of EmpDial.
    """
    writer = Writer(raw_dir, seed)
    _write_wassa(writer, rows)
    dialogues = _write_dialogues(writer, rows)
    _write_questions(writer, rows, dialogues)
    _write_mi(writer, rows)
    _write_epitome(writer, rows)
    _write_empathy_hope(writer, rows)
    _write_condolence(writer, rows)


def _write_wassa(writer: Writer, rows: int) -> None:
    """News (two essays per conversation) and Conv; a fifth of the conversations lies in the dev files."""
    conversations = max(5, rows // 2)
    essays: dict[str, list] = {"train": [], "dev": []}
    turns: dict[str, list] = {"train": [], "dev": []}
    for conversation in range(1, conversations + 1):
        part = "dev" if conversation % 5 == 0 else "train"
        for speaker in (1, 2):
            number = len(essays["train"]) + len(essays["dev"])
            labels = [writer.rating(1, 7, 6), writer.rating(1, 7, 8), ESSAY_EMOTIONS[number % len(ESSAY_EMOTIONS)]]
            essay = ". ".join(writer.sentence() for _ in range(3))
            extras = [writer.rating(1, 5, 4) for _ in ESSAY_EXTRAS]
            essays[part].append((conversation, speaker, number, essay, labels, extras))
        # As in the release, turns are ordered as strings: 0, 1, 10, 11, 2.
        for turn in sorted(range(TURNS * 2), key=str):
            labels = [writer.rating(0, 2, 3), writer.rating(0, 5, 3), writer.rating(0, 5, 3)]
            turns[part].append((conversation, turn, writer.sentence(), labels))
    header = [
        "conversation_id",
        "article_id",
        "essay",
        "speaker_id",
        *ESSAY_EXTRAS,
        "speaker_number",
        "split",
        "essay_id",
    ]
    plain = {
        part: [[c, c % 7, essay, f"s{n}", *extras, speaker, part, n] for c, speaker, n, essay, _, extras in of_part]
        for part, of_part in essays.items()
    }
    emotional = [
        [*row[:3], *essay[4][:2], *row[3:], essay[4][2]]
        for row, essay in zip(plain["train"], essays["train"], strict=True)
    ]
    folder = "news_wassa23"
    writer.table(
        f"{folder}/WASSA23_essay_level_with_labels_train.tsv",
        [*header[:3], "empathy", "distress", *header[3:], "emotion"],
        emotional,
    )
    writer.table(f"{folder}/WASSA23_essay_level_dev.tsv", header, plain["dev"])
    writer.table(f"{folder}/goldstandard_dev.tsv", None, [[*essay[4], *essay[5][5:]] for essay in essays["dev"]])

    before, after = ["conversation_id", "turn_id", "text"], ["speaker_number", "article_id", "speaker_id", "essay_id"]
    tails = {
        part: [[turn[1] % 2 + 1, turn[0] % 7, f"s{turn[0]}", turn[0]] for turn in of_part]
        for part, of_part in turns.items()
    }
    folder = "conv_wassa23"
    writer.table(
        f"{folder}/WASSA23_conv_level_with_labels_train.tsv",
        [*before, "EmotionalPolarity", "Emotion", "Empathy", *after],
        [[*turn[:3], *turn[3], *tail] for turn, tail in zip(turns["train"], tails["train"], strict=True)],
    )
    writer.table(
        f"{folder}/WASSA23_conv_level_dev.tsv",
        [*before, *after],
        [[*turn[:3], *tail] for turn, tail in zip(turns["dev"], tails["dev"], strict=True)],
    )
    writer.table(f"{folder}/goldstandard_CONV_dev.tsv", None, [turn[3] for turn in turns["dev"]])


def _write_dialogues(writer: Writer, rows: int) -> dict[str, tuple[str, list[str]]]:
    """The 32 files of EmpDial; returns emotion and utterances by dialogue."""
    dialogues = {}
    per_emotion = max(2, rows // len(EMOTIONS))
    number = 0
    for emotion in EMOTIONS:
        table = []
        for _ in range(per_emotion):
            dialogue = f"hit:{number}_conv:{number * 2 + 1}"
            said = [writer.sentence() for _ in range(TURNS)]
            dialogues[dialogue] = (emotion, said)
            table.append([dialogue, "situation", "none", writer.sentence(), emotion])
            for turn, text in enumerate(said):
                # Every other speaker's turn has an emotion instead of an intent, as the classifier's labels have.
                label = emotion if turn % 4 == 0 else INTENTS[(number * TURNS + turn) % len(INTENTS)]
                table.append([dialogue, "utterance", "listener" if turn % 2 else "speaker", text, label])
            number += 1
        writer.table(f"empdial_ei/{emotion}.csv", ["Dialog_ID", "Type", "Actor", "Text", "Label"], table)
    return dialogues


def _write_questions(writer: Writer, rows: int, dialogues: dict[str, tuple[str, list[str]]]) -> None:
    """The full release of EmpQT, about dialogues of EmpDial: a row per turn, questions in lists."""
    header = [
        "conv_id",
        "utterance_idx",
        "context",
        "prompt",
        "speaker_idx",
        "utterance",
        "set_id",
        "utterance_split",
        "question_count",
        "labeled_question_idx",
        "act_list",
        "intent_list",
        "act_source",
        "intent_source",
    ]
    sources = ["manual", "mturk", "SBERT", "QBERT"]
    table = []
    asked = 0
    for dialogue, (emotion, said) in dialogues.items():
        for turn, text in enumerate(said, start=1):
            start = [dialogue, turn, emotion, "a prompt", turn % 2, text, "train"]
            if turn % 2 or asked >= rows:
                table.append([*start, str([text]), -1 if turn % 2 else 0, "[]", "[]", "[]", "[]", "[]"])
                continue
            # Two sentences, the second a question; every third turn asks twice.
            sentences, positions = ([f"{text}?", "Why?"], [0, 1]) if turn % 3 == 0 else ([f"{text}.", "And then?"], [1])
            acts = [ACTS[(asked + offset) % len(ACTS)] for offset in range(len(positions))]
            intents = [QUESTION_INTENTS[(asked + offset) % len(QUESTION_INTENTS)] for offset in range(len(positions))]
            act_sources = [sources[(asked + offset) % 4] for offset in range(len(positions))]
            intent_sources = [sources[(asked + offset + 2) % 4] for offset in range(len(positions))]
            start[5] = " ".join(sentences)
            lists = [positions, acts, intents, act_sources, intent_sources]
            table.append([*start, str(sentences), len(positions), *map(str, lists)])
            asked += len(positions)
    writer.table("empdial_eqt/ed_annotated.csv", header, table)


def _write_mi(writer: Writer, rows: int) -> None:
    """The full release of MI: speaker turns without a label, listener sentences with one."""
    header = ["dialog_id", "title", "turn_count", "turn", "author", "text", "final agreed label"]
    table = []
    labelled = 0
    for dialogue in range(max(5, rows // 4)):
        for turn in range(1, 4, 2):
            table.append([dialogue, "a title", 4, turn, "speaker", writer.sentence(), "-"])
            for _ in range(2):
                table.append(
                    [dialogue, "a title", 4, turn + 1, "listener", writer.sentence(), BEHAVIORS[labelled % 15]]
                )
                labelled += 1
    writer.table("mi/MI Dataset.csv", header, table)


def _write_epitome(writer: Writer, rows: int) -> None:
    """The three files of Epitome about the same pairs; the last row repeats a pair with another level."""
    pairs = [
        [f"p{number // 2}", f"r{number}", f"{number // 2}: a post.\nIt has two lines.", writer.sentence()]
        for number in range(rows)
    ]
    for shift, mechanism in enumerate(["emotional-reactions", "explorations", "interpretations"]):
        table = [[*pair, (number + shift) % 3, "a|b"] for number, pair in enumerate(pairs)]
        table.append([*pairs[0], (shift + 1) % 3, ""])
        header = ["sp_id", "rp_id", "seeker_post", "response_post", "level", "rationales"]
        writer.table(f"epitome/{mechanism}-reddit.csv", header, table)


def _write_empathy_hope(writer: Writer, rows: int) -> None:
    """Labels and texts of tweets; every tenth tweet has no text."""
    labels = ["Supportive", "Not Supportive"]
    ids = [str(1385740850000000000 + number * 7) for number in range(rows)]
    annotated = [[tweet, *[labels[number % 2]] * 4] for number, tweet in enumerate(ids)]
    header = ["tweet_id", "annotation1", "annotation2", "annotation3", "gold_label"]
    writer.table("empathy_hope/supportive_annotation.csv", header, annotated)
    texts = [[tweet, writer.sentence()] for number, tweet in enumerate(ids) if number % 10 != 9]
    writer.table("empathy_hope/tweets.csv", ["tweet_id", "text"], texts)


def _write_condolence(writer: Writer, rows: int) -> None:
    """Replies with the mean of two raters' scores."""
    table = []
    for number in range(rows):
        first, second = writer.random.randint(1, 5), writer.random.randint(1, 5)
        mean = (first + second) / 2
        table.append([number, mean, writer.sentence(), writer.sentence(), round(mean), first, second])
    writer.table("condolence/output.csv", ["", "rating", "target", "observer", "rounded", "user1", "user2"], table)
