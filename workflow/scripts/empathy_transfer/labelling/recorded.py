"""The provider `recorded`: labels that others published, joined by the id of the text. Nothing is asked of anyone."""

from pathlib import Path

from empathy_transfer.data.readers.common import PLACE, read_delimited
from empathy_transfer.errors import DataError
from empathy_transfer.labelling.questions import Answer, text_hash
from empathy_transfer.records.files import sha256_file


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
        frame = read_delimited(Path(path), columns.values())
        repeated = frame[columns["id"]].duplicated()
        if repeated.any():
            raise DataError(f"{frame[PLACE][repeated.idxmax()]}: this id has a label already.")
        self.version = digest[:16]
        self.labels = dict(zip(frame[columns["id"]], frame[columns["label"]], strict=True))

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
