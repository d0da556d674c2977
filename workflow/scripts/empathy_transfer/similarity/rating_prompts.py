"""What a language model is fine-tuned on: the question about two stories as tokens, and the answer.

Answers are ratings in halves from 1.0 to 4.0, all of the same form. A long story is cut at its end, so that question
and answer are whole.
"""

from empathy_transfer.errors import DataError

# What each label asks, in the words of this project.
ASKED = {
    "empathy": "how much the teller of each story would feel with the other, whatever happened",
    "event": "how alike the main events of both stories are, whatever anybody feels about them",
    "emotion": "how alike the feelings of both tellers are, whatever the reason",
    "moral": "how alike what both stories teach is",
}
QUESTION = (
    "Two people each tell a story of their own life.\n\nFirst story: {first}\n\nSecond story: {second}\n\n"
    "Rate from 1.0 (not at all) to 4.0 (very) {asked}. {how}"
)
SCORE_ALONE = "Answer with the score alone."
EXPLAIN_FIRST = "First explain in a few sentences, then write the score on a line of its own."
BEFORE_SCORE = "Score: "
RATINGS = [half / 2 for half in range(2, 9)]
CANDIDATES = [f"{rating:.1f}" for rating in RATINGS]
LEAST_STORY = 16  # tokens of a story below which a pair can't be asked about


class RatingPrompts:
    """Questions and answers of one label as token ids of one tokenizer."""

    def __init__(self, tokenizer, label, explanation, max_length):
        """Take a tokenizer, the label asked about, whether an explanation comes first, and the most tokens of both.

        Raises:
            DataError: the tokenizer knows no end of a text, so that no answer could be learnt to end.
        """
        if tokenizer.eos_token_id is None:
            raise DataError("similarity: fine_tuning: the model's tokenizer has no token for the end of a text")
        self.tokenizer, self.explanation, self.max_length = tokenizer, explanation, max_length
        how = EXPLAIN_FIRST if explanation else SCORE_ALONE
        self.question = QUESTION.replace("{asked}", ASKED.get(label, f"the {label} of both stories")).replace(
            "{how}", how
        )
        self.before_score = self.ids(BEFORE_SCORE) if explanation else []
        self.candidates = [self.ids(text) for text in CANDIDATES]

    def ids(self, text, special=False):
        """Token ids of a text."""
        return self.tokenizer(text, add_special_tokens=special)["input_ids"]

    def plain(self, story):
        """A story without the texts of special tokens, by which it could end its own turn."""
        # The tokenizer of a GGUF file names only some of its special tokens as such.
        special = {*self.tokenizer.all_special_tokens, *self.tokenizer.get_added_vocab()} - {""}
        for token in sorted(special, key=lambda token: (-len(token), token)):
            story = story.replace(token, " ")
        return story

    def asked(self, first, second):
        """The question about two stories as the model's own chat template writes it, where it has one."""
        # One after the other, so that braces in a story are never filled.
        before, between = self.question.split("{first}")
        between, after = between.split("{second}")
        first, second = (self.plain(story) for story in (first, second))
        text = before + first + between + second + after
        if not self.tokenizer.chat_template:
            return self.ids(f"{text}\n\n", special=True)
        messages = [{"role": "user", "content": text}]
        return self.tokenizer.apply_chat_template(messages, add_generation_prompt=True)

    def prompt(self, first, second, room):
        """Token ids of the question, which leave ``room`` tokens for the answer; both stories are cut alike.

        Raises:
            DataError: there is no room for the stories.
        """
        stories, limit = [self.ids(first), self.ids(second)], self.max_length - room
        if len(whole := self.asked(first, second)) <= limit:
            return whole
        budget = (limit - len(self.asked("", ""))) // 2
        while budget >= LEAST_STORY:
            # What the shorter story leaves, the longer one may have.
            lengths = sorted(map(len, stories))
            most = max(budget, 2 * budget - lengths[0])
            cut = [self.tokenizer.decode(ids[:most], skip_special_tokens=True) for ids in stories]
            if len(found := self.asked(*cut)) <= limit:
                return found
            budget -= 4  # joined texts may have more tokens than their parts
        raise DataError(
            f"similarity: fine_tuning: training: max_length: {self.max_length} tokens leave no room for two stories "
            f"beside the question and {room} tokens of the answer. Raise it."
        )

    def example(self, first, second, rating, explanation, loss_on):
        """A training example: `input_ids`, and `labels`, which are -100 where no loss is taken.

        Args:
            first, second: the stories. rating: 1 to 4, taken to the nearest half. explanation: text before the score;
            None without. loss_on: `answer` or `all`.
        """
        answer = list(self.candidates[nearest(rating)])
        if self.explanation:
            answer = [*self.ids(f"{explanation.strip()}\n"), *self.before_score, *answer]
        answer = [*answer, self.tokenizer.eos_token_id]
        question = self.prompt(first, second, len(answer))
        ids = [*question, *answer]
        return {"input_ids": ids, "labels": ids if loss_on == "all" else [-100] * len(question) + answer}


def nearest(rating):
    """The place of the candidate that a rating is nearest to."""
    return min(range(len(RATINGS)), key=lambda place: (abs(RATINGS[place] - rating), place))
