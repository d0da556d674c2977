"""Families of transfers that one claim is about, such as all to abstract targets.

A claim that none of them improves is wrong as soon as one does. The false discovery rate of the whole matrix allows for
that one: where many others truly improve, a twentieth of all discoveries may be false, also among these. So the tests
that such a claim counts are corrected for their own number.
"""

import numpy

from empathy_transfer.claims.engine import ALPHA
from empathy_transfer.claims.transfer_evidence import TESTS
from empathy_transfer.statistics.t_tests import detectable


def as_family(evidence, pairs):
    """The pairs as a family of their own: which of them improve (`improved`), and what each could show (`detectable`).

    By tests chance makes one of them improve in at most 5 % of studies, whatever happens elsewhere. Where `evidence`
    has no tests, or those of the paper, which corrects for nothing, the pairs are returned as they are.
    """
    if evidence.basis != TESTS or pairs.empty:
        return pairs
    shown = 100 * detectable(pairs["se"], pairs["df"], ALPHA / len(pairs))  # points
    shown = (100 * shown / pairs["own"]).where(pairs["own"].notna(), numpy.inf)
    return pairs.assign(improved=(pairs["points"] > 0) & holm(pairs["p"].to_numpy(float), ALPHA), detectable=shown)


def holm(p, level):
    """Which p values are rejected by the step-down procedure of Holm (1979), whose error for the family is `level`.

    `p` is an array (p values,); the result has its shape.
    """
    order = numpy.argsort(p, kind="stable")
    rejected = numpy.zeros(len(p), dtype=bool)
    rejected[order] = numpy.logical_and.accumulate(p[order] <= level / numpy.arange(len(p), 0, -1))
    return rejected
