"""The provider `recorded`: labels that others published, joined by the id of the text. Nothing is asked of anyone."""

import re
from pathlib import Path

from empathy_transfer.data.readers.common import PLACE, read_delimited
from empathy_transfer.errors import DataError
from empathy_transfer.labelling.parsing import parse_recorded
from empathy_transfer.labelling.questions import Answer, text_hash
from empathy_transfer.records.files import sha256_file

# Greatest share of the texts that the file may lack, and of those whose label in it may be none of the scale's.
MOST_LOST = 0.2


class Recorded:
    """The labels of one file. Its digest is the version of the model: a corrected file is another version."""

    name = "recorded"

    def __init__(self, path, columns, sha256=None):
        """Read the labels.

        Args:
            path: a CSV or TSV file.
            columns: {"id", "label"}: the columns of the text's id and of the label.
            sha256: digest that the file must have; None to take any.

        Raises:
            DataError: the file has another digest, lacks a column or gives an id two labels.
        """
        digest = sha256_file(path)
        if sha256 is not None and digest != sha256:
            raise DataError(
                f"{path} is not the file that the config names: SHA-256 {digest}, expected {sha256}. Fetch it again, "
                "or correct the digest below relabel.models if the new file is right."
            )
        self.path, self.columns = Path(path), columns
        frame = read_delimited(self.path, columns.values())
        repeated = frame[columns["id"]].duplicated()
        if repeated.any():
            raise DataError(f"{frame[PLACE][repeated.idxmax()]}: this id has a label already.")
        self.version = digest[:16]
        self.labels = dict(zip(frame[columns["id"]], frame[columns["label"]], strict=True))
        self.places = dict(zip(frame[columns["id"]], frame[PLACE], strict=True))

    def check(self, ids, scale):
        """Say what the join with a set loses, and refuse it where that is more than `MOST_LOST`.

        Args:
            ids: ids of the texts. scale: the scale that the labels are of. Empty labels are missing, and no loss.

        Raises:
            DataError: too many ids have no label in the file, or too many of its labels are none of the scale's.
        """
        known = dict.fromkeys(ids)
        ids = list(known)
        found = [item for item in ids if item in self.labels]
        absent = [item for item in ids if item not in self.labels]
        others = [item for item in self.labels if item not in known]
        reasons = {item: parse_recorded(self.labels[item], scale).reason for item in found}
        wrong = [item for item in found if reasons[item] not in (None, "no_answer")]
        print(
            f"{self.path.name}: {len(found):,} of {len(ids):,} texts have a row, {len(wrong):,} of these no label of "
            f"the scale {scale.name}; {len(others):,} rows are about other texts",
            flush=True,
        )
        if len(absent) > MOST_LOST * len(ids):
            raise DataError(
                f"{self.path.name}: {len(absent):,} of {len(ids):,} texts have no row there, and at most "
                f"{MOST_LOST:.0%} may lack one. {_differing(absent, others, self.columns['id'])}"
            )
        if len(wrong) > MOST_LOST * len(ids):
            low, high = scale.label_range
            raise DataError(
                f"{self.places[wrong[0]]}, column '{self.columns['label']}': {reasons[wrong[0]].split(':')[0]}, as "
                f"the labels of {len(wrong):,} of {len(ids):,} texts; at most {MOST_LOST:.0%} may be. A label is a "
                f"number from {low:g} to {high:g} with a decimal point, or empty."
            )

    def identity(self, item, text, writer):
        """Hash of id and text: the same text under two ids was labelled twice."""
        return text_hash(item, text)

    def answers(self, questions):
        """Yield the label of each text as it stands in the file; `not_asked` where it has none."""
        for question in questions:
            if question.item in self.labels:
                yield Answer(question, self.labels[question.item])
            else:
                yield Answer(question, None, reason="not_asked")


def _differing(absent, others, column):
    """How the ids of a set and of a file differ, as far as both look like ids, and what to do."""
    advice = f"Ids must be the same, character by character: mend the column '{column}', or name the one that has them."
    if set(absent) & {item.removesuffix(".0") for item in others}:
        advice = f"The column '{column}' was written as decimals ('.0'), maybe by a spreadsheet: write ids as text."
    shown = [next((item for item in items if re.fullmatch(r"[\w.:-]{1,24}", item)), None) for items in (absent, others)]
    return (f"The set has '{shown[0]}', the file '{shown[1]}'. " if all(shown) else "") + advice
