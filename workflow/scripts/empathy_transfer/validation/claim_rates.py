"""How often are verdicts on claims wrong, and how often right, in simulated studies whose truth is known?

Each condition says what is true of some claims. A verdict is wrong if it is the opposite of the truth; where the truth
lies on the border of a claim, or is neither what the claim says nor its opposite, both verdicts are wrong. It is right
if it is the truth. What is undecided or not testable is neither. The claims, bounds and rules are those of a study.
"""

from typing import NamedTuple

import numpy

from empathy_transfer.claims.engine import Finding
from empathy_transfer.statistics.verdicts import NOT_SUPPORTED, SUPPORTED
from empathy_transfer.validation.bars import MOST_WRONG
from empathy_transfer.validation.claim_importance import importance_of_studies, with_similarities
from empathy_transfer.validation.claim_studies import (
    Changes,
    Luck,
    draw_noise,
    evidence_of,
    study_frame,
    true_changes,
    variants_of_study,
)
from empathy_transfer.validation.label_studies import STRENGTH, TRAINED, LabelTruth, label_evidence

MOST, MANY, SOME, FEW = 1600, 400, 200, 40
NEITHER = None
PRECISE = Luck(seeds=5, items=5000, seed_sd=0.5, item_sd=0.6, adapter_sd=0.3)
FIVE_SEEDS = Luck(seeds=5)
DIFFERENT = Changes(source=1.5, target=3.0, source_dataset=2.0, target_dataset=2.0, dataset_pair=1.5, pair=2.0)
# Where many tests are significant: what is improved then differs between themes by chance.
VERY_DIFFERENT = DIFFERENT._replace(source=3.0, target=6.0, source_dataset=4.0, target_dataset=4.0, dataset_pair=3.0)
BY_SOURCE = ("direct_sources_improve_most", "direct_sources_transfer_best", "half_direct_sources_best_for_abstract")
BY_TARGET = ("direct_targets_gain_most", "direct_targets_lose_most_with_half")
NONE, ONLY = "abstract_targets_never_improve", "direct_sources_help_direct_and_adjacent"
RARE, EQUAL, SUBSTANTIAL = "improvements_are_rare", "half_with_transfer_equals_full", "no_substantial_evidence"
DEFINITION, LINK = "definition_above_all", "link_above_all"
DATASETS, TASKS = "dataset_similarity_not_predictive", "task_similarity_not_predictive"
THRESHOLD, PLATEAU, BEAT = (
    "best threshold from",
    "augmentation plateau",
    "correction and augmentation beat the baseline",
)
MODELS_AGREE, CROWD_AGREES = "LLM label consistency", "crowd label consistency"
ENCODER = "DeBERTa-v3-base above RoBERTa-base"
VARIANTS = ("corrected_labels_make_better_sources", "corrected_labels_make_better_targets")


class Condition(NamedTuple):
    """Studies of one kind.

    `truths` is {id of a claim: the verdict that is right, or None where each of both is wrong}. `variants_gain` is what
    variants of tasks gain, in percent. `slopes` is {feature: percent that a pair gains by a unit of it}; where there
    is one, if only of 0, studies have an importance analysis.
    """

    luck: Luck
    changes: Changes
    truths: dict
    variants_gain: float = 0.0
    slopes: dict | None = None


class LabelCondition(NamedTuple):
    """Studies of labels from language models: what is true (`LabelTruth`), and which verdicts are right."""

    truth: LabelTruth
    truths: dict


def claim_conditions():
    """Yield (condition, simulations, what they need) of this part, see `parts.Part`."""
    for words, (condition, number) in (conditions() | label_conditions()).items():
        bars = {f"{name}: wrong": MOST_WRONG for name in condition.truths}
        yield words, number, {"run": _rates, "condition": condition, "bars": bars}


def _rates(truth, about, _):
    """Shares of wrong and of right verdicts on each claim. Study i is the same in all conditions but for its truth."""
    condition, seeds = about["condition"], [[about["seed"], number] for number in about["numbers"]]
    if isinstance(condition, LabelCondition):
        return rates(condition.truths, label_verdicts(truth.label_claims, condition, seeds))
    return rates(condition.truths, verdicts(truth, condition, seeds))


def conditions():
    """{words: (`Condition`, number of simulations)}, in the order of the report.

    Most studies are simulated where a rate of 5 % is what a rule aims at, few where a truth is far away.
    """
    return _of_nothing() | _of_themes() | _of_means() | _of_improvements() | _of_variants() | _of_features()


def _of_nothing():
    """Nothing transfers, or nothing does that depends on themes."""
    nothing = dict.fromkeys((*BY_SOURCE, *BY_TARGET, ONLY), NEITHER)
    nothing |= dict.fromkeys((NONE, RARE, EQUAL, SUBSTANTIAL), SUPPORTED)
    themes = dict.fromkeys((*BY_SOURCE, *BY_TARGET), NEITHER)
    return {
        "nothing transfers": (Condition(Luck(), Changes(), nothing), SOME),
        "nothing transfers, precise": (Condition(PRECISE, Changes(), nothing), SOME),
        "tasks and datasets differ, themes don't, precise": (Condition(PRECISE, DIFFERENT, themes), SOME),
        "tasks and datasets differ much, themes don't": (Condition(Luck(), VERY_DIFFERENT, themes), SOME),
    }


def _of_themes():
    """Direct tasks are better, or worse, than others in a role."""
    found = {}
    for gain in (-8, 2, 4, 8):
        truths = dict.fromkeys(BY_SOURCE, SUPPORTED if gain > 0 else NOT_SUPPORTED)
        changes = DIFFERENT._replace(gains=((("direct", None), gain),))
        found[f"direct sources bring {gain:+d} %, precise"] = (Condition(PRECISE, changes, truths), FEW)
    for gain in (-16, 8, 16):
        # Fewer losses of direct targets are what the second claim denies.
        right = (SUPPORTED, NOT_SUPPORTED) if gain > 0 else (NOT_SUPPORTED, SUPPORTED)
        changes = DIFFERENT._replace(gains=(((None, "direct"), gain),))
        condition = Condition(PRECISE, changes, dict(zip(BY_TARGET, right, strict=True)))
        found[f"direct targets gain {gain:+d} %, precise"] = (condition, FEW)
    return found


def _of_means():
    """All transfers gain as much on average."""
    found = {}
    for mean in (0, 1, 2, 5, 10):
        truths = {SUBSTANTIAL: _by_border(mean, 1), EQUAL: _by_border(mean, 5)}
        condition = Condition(Luck(), DIFFERENT._replace(mean=mean), truths)
        found[f"the mean change is {mean} %"] = (condition, MANY if mean in (1, 5) else FEW)
    return found


def _of_improvements():
    """Some transfers gain, and others nothing."""
    found = {}
    for share in (0.03, 0.1, 0.25):
        condition = Condition(PRECISE, DIFFERENT._replace(share=share, gain=8), {RARE: _by_border(share, 0.1)})
        found[f"{share:.0%} of transfers gain 8 %, precise"] = (condition, MANY if share == 0.1 else FEW)
    gains = ((("direct", "direct"), 15), (("direct", "adjacent"), 15))
    everybody = Changes(gains=(((None, "direct"), 15), ((None, "adjacent"), 15)))
    for words, luck in (("", Luck()), (", precise", PRECISE)):
        condition = Condition(luck, Changes(gains=gains), {NONE: SUPPORTED, ONLY: SUPPORTED})
        found[f"direct sources help direct and adjacent targets by 15 %{words}"] = (condition, SOME)
        condition = Condition(luck, everybody, {NONE: SUPPORTED})
        found[f"direct and adjacent targets gain 15 %{words}"] = (condition, SOME)
        for gain in (5, 10, 20):
            changes = Changes(gains=(*gains, (("direct", "abstract"), gain)))
            condition = Condition(luck, changes, {NONE: NOT_SUPPORTED, ONLY: NOT_SUPPORTED})
            found[f"direct sources help abstract targets, too, by {gain} %{words}"] = (condition, FEW)
    return found


def _of_variants():
    """Variants of tasks are as good as the tasks, or better."""
    found = {}
    for words, luck in (("3 seeds", Luck()), ("5 seeds", FIVE_SEEDS)):
        for gain in (0, 2, 4):
            truths = dict.fromkeys(VARIANTS, SUPPORTED if gain else NEITHER)
            condition = Condition(luck, DIFFERENT, truths, variants_gain=gain)
            # With three seeds the share of wrong verdicts lies so near its bar that 400 studies don't tell the side.
            number = FEW if gain else MOST if luck == Luck() else MANY
            found[f"variants of a task gain {gain} %, {words}"] = (condition, number)
    return found


def _of_features():
    """No feature of pairs matters, or one does."""
    none = {DEFINITION: NEITHER, LINK: NEITHER, DATASETS: SUPPORTED, TASKS: SUPPORTED}
    found = {"no feature matters": (Condition(Luck(), DIFFERENT, none, slopes={}), SOME)}
    for slope in (2, 4, 8):
        truths = {DEFINITION: SUPPORTED, DATASETS: SUPPORTED, TASKS: SUPPORTED}
        condition = Condition(Luck(), DIFFERENT, truths, slopes={"definition": slope})
        found[f"a point of definition brings {slope} %"] = (condition, FEW)
    for slope in (15, 30):
        truths = {DEFINITION: NOT_SUPPORTED, LINK: NOT_SUPPORTED, DATASETS: NOT_SUPPORTED, TASKS: SUPPORTED}
        condition = Condition(Luck(), DIFFERENT, truths, slopes={"dataset_similarity": slope})
        found[f"alike datasets bring up to {slope} %"] = (condition, FEW)
    return found


def _by_border(value, border):
    """The right verdict where a claim is that a value lies below a border."""
    return NEITHER if value == border else SUPPORTED if value < border else NOT_SUPPORTED


def label_conditions():
    """{words: (`LabelCondition`, number of simulations)} of claims on labels, in the order of the report."""
    null = dict.fromkeys((THRESHOLD, BEAT, MODELS_AGREE, CROWD_AGREES, ENCODER), NEITHER) | {PLATEAU: SUPPORTED}
    found = {"labels: nothing helps": (LabelCondition(LabelTruth(), null), SOME)}
    for gain in (-0.1, 0.1, 0.2):
        truths = dict.fromkeys((THRESHOLD, BEAT, ENCODER), SUPPORTED if gain > 0 else NOT_SUPPORTED)
        truth = LabelTruth(dict.fromkeys(TRAINED, gain), gain, gain)
        found[f"labels: a gain of {gain:+.1f} on Fisher's z scale"] = (LabelCondition(truth, truths), FEW)
    for gain in (0.02, 0.1, 0.2):
        # In r, .02 is the bound of what is no gain.
        truth = LabelTruth({"added=1": gain / (1 - numpy.tanh(STRENGTH) ** 2)})
        condition = LabelCondition(truth, {PLATEAU: NOT_SUPPORTED})
        found[f"labels: all texts gain {gain:g} in r over 30 % of them"] = (condition, MANY if gain == 0.02 else FEW)
    for beyond in (-0.1, 0.1):
        truths = {
            MODELS_AGREE: SUPPORTED if beyond > 0 else NOT_SUPPORTED,
            CROWD_AGREES: NOT_SUPPORTED if beyond > 0 else SUPPORTED,
        }
        condition = LabelCondition(LabelTruth(agreement=beyond), truths)
        found[f"labels: agreement lies {beyond:+.1f} from what is claimed"] = (condition, FEW)
    return found


def verdicts(truth, condition, seeds):
    """A list of {id of a claim: its verdict}, one for each simulated study; ``seeds`` are lists of numbers."""
    design, tasks, claim_set = truth.design, truth.tasks, truth.claims
    asked = [claim for claim in claim_set.claims if claim["id"] in condition.truths]
    names, task = _variants(asked, tasks)
    themes = numpy.array([about["theme"] for about in tasks.values()])
    pairs = with_similarities(truth.pairs) if condition.slopes is not None else None
    studies, found = [], []
    for seed in seeds:
        noise = draw_noise(design, condition.luck, (len(names), task), [*seed, 0])
        changes = true_changes(design, themes, condition.changes, numpy.random.default_rng([*seed, 1]))
        for feature, slope in (condition.slopes or {}).items():
            changes = changes + slope * pairs[feature].to_numpy(float)
        frame = study_frame(design, tasks, noise, condition.luck, changes)
        gain, variants = condition.variants_gain, None
        if names:
            variants = variants_of_study(names, task, list(tasks), noise, gain)
        studies.append((changes + noise.moved, evidence_of(frame, tasks, variants)))
    if pairs is not None:
        tables = importance_of_studies(pairs, design, numpy.stack([percent for percent, _ in studies]))
        studies = [
            (percent, evidence._replace(importance=importance, nulls=nulls))
            for (percent, evidence), (importance, nulls) in zip(studies, tables, strict=True)
        ]
    for _, evidence in studies:
        judged = {claim["id"]: _judge(claim, claim_set, evidence) for claim in asked}
        found.append(judged)
    return found


def label_verdicts(claim_set, condition, seeds):
    """A list of {id of a claim: the verdicts of its findings}, one for each simulated study of labels."""
    asked = [claim for claim in claim_set.claims if claim["id"] in condition.truths]
    found = []
    for seed in seeds:
        evidence = label_evidence(condition.truth, seed)
        findings = {
            claim["id"]: claim_set.rules[claim["rule"]](evidence, claim_set.bounds, **claim["arguments"])
            for claim in asked
        }
        listed = {name: [one] if isinstance(one, Finding) else list(one) for name, one in findings.items()}
        found.append({name: [finding.verdict for finding in several] for name, several in listed.items()})
    return found


def _judge(claim, claim_set, evidence):
    """The verdict on a claim."""
    return claim_set.rules[claim["rule"]](evidence, claim_set.bounds, **claim["arguments"]).verdict


def rates(truths, studies):
    """{statistic: one number per study}: the share of verdicts on each claim that are wrong, and that are right.

    Args:
        truths: see `Condition`. studies: a list of {id of a claim: its verdict, or those of its findings}.
    """
    found = {}
    for name, right in truths.items():
        verdicts = [[study[name]] if isinstance(study[name], str) else study[name] for study in studies]
        wrong = [[one in (SUPPORTED, NOT_SUPPORTED) and one != right for one in several] for several in verdicts]
        found[f"{name}: wrong"] = [numpy.mean(several) for several in wrong]
        if right is not None:
            found[f"{name}: right"] = [numpy.mean([one == right for one in several]) for several in verdicts]
    return {name: numpy.array(values, dtype=float) for name, values in found.items()}


def _variants(asked, tasks):
    """The variants that claims are about, and the position of the task that they are made from; none: ([], 0)."""
    names = list(dict.fromkeys(name for claim in asked for name in claim["arguments"].get("variants", ())))
    made_from = [place for place, task in enumerate(tasks) if names and names[0].startswith(f"{task}_")]
    return names, made_from[0] if made_from else 0
