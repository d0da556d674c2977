"""Runs of refusals and failures: whether they are about the texts, or about a server that answers nobody.

A server that refuses a request does not always say why. A refusal is about its text if the server answers what is sent
after it; until then it is held back, and it never becomes an answer where the server answers nothing any more. Texts
are asked about in an order without meaning, so that alike texts do not make a run.
"""

from empathy_transfer.labelling.questions import NO_CONNECTION, Failure, SettingsError, Unanswered

FIRST_QUESTIONS = 3  # a server that refuses or fails its first questions does not mean the texts
IN_A_ROW = 20  # after so many a server that has answered before counts as gone


class Streaks:
    """What a server has answered, refused and failed, in the order of arrival."""

    def __init__(self, concurrency):
        """Start with a server that has answered nothing; so many requests may be in flight."""
        self.answered = False
        self.failures = self.refusals = 0
        self.held = []  # (refusal whose cause is unclear, number of requests that had started when it came)
        # Refusals that were in flight together are one event.
        self.most_refusals = IN_A_ROW + concurrency

    def take(self, result, number, started):
        """Take a result.

        Args:
            result: an `Answer` or `Failure`. number: place of its request among all, from 1 on.
            started: number of requests that have started so far.

        Returns:
            The results that hold from now on, and the error that ends the job, or None.
        """
        if isinstance(result, Failure):
            self.failures += 1
            if self.failures < (IN_A_ROW if self.answered else FIRST_QUESTIONS):
                return [result], None
            gone = SettingsError if result.cause == NO_CONNECTION else Unanswered
            return [result], gone(f"{self.failures} questions in a row failed, the last one: {result.cause}")
        self.failures = 0
        if result.reason is None:
            self.answered = True
            sure = [refusal for refusal, then in self.held if then < number]
            self.held = [(refusal, then) for refusal, then in self.held if then >= number]
            self.refusals = len(self.held)
            return [*sure, result], None
        # A text that was refused before says nothing about the server.
        if result.question.refused_before:
            return [result], None
        self.refusals += 1
        if result.unclear:
            self.held.append((result, started))
        kept = [] if result.unclear else [result]
        if not self.answered and len(self.held) == FIRST_QUESTIONS:
            return kept, Unanswered(f"the server refuses all questions: {result.finish}")
        if self.refusals >= self.most_refusals:
            return kept, Unanswered(f"{self.refusals} refusals in a row, the last one: {result.finish}")
        return kept, None

    def rest(self):
        """The refusals that nothing came after.

        Raises:
            Unanswered: there are too many of them to be about the texts.
        """
        if len(self.held) >= FIRST_QUESTIONS:
            raise Unanswered(f"the last {len(self.held)} questions were refused: {self.held[-1][0].finish}")
        held, self.held = [refusal for refusal, _ in self.held], []
        return held
