"""How a language model rates a pair: the mean of all ratings, weighed by how likely the model would write each.

The study decodes an answer and parses it. A mean over the candidates needs no parsing, has no invalid answers, and
tells more than the likeliest one. With an explanation the model writes that first, by itself.
"""

import torch

from empathy_transfer.similarity.rating_prompts import BEFORE_SCORE, RATINGS


@torch.inference_mode()
def rate_pairs(model, prompts, pairs, max_explanation):
    """Ratings of pairs: a list of numbers from 1 to 4.

    Args:
        model: a causal language model. prompts: `RatingPrompts`. pairs: a frame with `first` and `second`.
        max_explanation: most tokens of an explanation, where the prompts ask for one.
    """
    model.eval()
    longest = max(map(len, prompts.candidates)) + len(prompts.before_score)
    room = longest + (max_explanation if prompts.explanation else 0)
    found = []
    for first, second in zip(pairs["first"], pairs["second"], strict=True):
        ids = prompts.prompt(first, second, room)
        if prompts.explanation:
            ids = [*ids, *write_explanation(model, prompts, ids, max_explanation), *prompts.before_score]
        shares = torch.softmax(candidate_scores(model, ids, prompts.candidates), dim=0)
        found.append(float(shares @ torch.tensor(RATINGS, dtype=shares.dtype)))
    return found


def write_explanation(model, prompts, ids, most):
    """The explanation that a model writes after a question: token ids, with the end of a line, without any score."""
    inputs = torch.tensor([ids], device=model.device)
    tokenizer = prompts.tokenizer
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    written = model.generate(
        input_ids=inputs, attention_mask=torch.ones_like(inputs), max_new_tokens=most, do_sample=False, pad_token_id=pad
    )[0, len(ids) :]
    text = tokenizer.decode(written, skip_special_tokens=True).split(BEFORE_SCORE.strip())[0]
    return prompts.ids(f"{text.strip()}\n")[:most]


def candidate_scores(model, ids, candidates):
    """Log-probability of each candidate after some tokens: a vector (candidates, float64).

    Args:
        model: a causal language model. ids: the tokens before. candidates: token ids of each. What comes before is
            computed once.
    """
    device = model.device
    before = model(input_ids=torch.tensor([ids], device=device), use_cache=True)
    first = before.logits[0, -1].double().log_softmax(dim=-1)
    scores = first[[candidate[0] for candidate in candidates]].cpu().detach().clone()
    longest = max(map(len, candidates))
    if longest == 1:
        return scores
    cache = before.past_key_values
    cache.batch_repeat_interleave(len(candidates))
    padded = [candidate + [candidate[-1]] * (longest - len(candidate)) for candidate in candidates]
    logits = model(input_ids=torch.tensor(padded, device=device), past_key_values=cache, use_cache=True).logits
    shares = logits.double().log_softmax(dim=-1).cpu()
    for row, candidate in enumerate(candidates):
        scores[row] += sum(shares[row, place, token] for place, token in enumerate(candidate[1:]))
    return scores
