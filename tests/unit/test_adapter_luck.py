"""The luck of a source's adapter, which moves its transfers to all targets."""

import numpy as np
import pandas as pd
import pytest

from empathy_transfer.significance.adapter_luck import adapter_luck


def make_scores(adapter, own=0.03, tasks=12, seeds=5, seed=0):
    """Scores of baselines and transfers of full data; at the target t0 everything counts double."""
    generator = np.random.default_rng(seed)
    luck = adapter * generator.standard_normal((tasks, seeds))
    rows = []
    for target in range(tasks):
        scale = 2.0 if target == 0 else 1.0
        for number in range(seeds):
            rows.append(("none", f"t{target}", number, generator.normal(0.5, 0.05)))
            for source in (source for source in range(tasks) if source != target):
                gain = luck[source, number] + own * generator.standard_normal()
                rows.append((f"t{source}", f"t{target}", number, 0.5 + scale * gain))
    frame = pd.DataFrame(rows, columns=["source", "target", "seed", "value"])
    return frame.assign(data="full", metric="r", main=True, collapsed=False)


def test_the_luck_of_adapters_is_found_at_each_target():
    found = pd.DataFrame([adapter_luck(make_scores(0.03, seed=seed))["full"] for seed in range(8)]).mean()
    # Half of what seeds differ by: .03 ** 2, in a mean of five seeds; at t0 four times as much.
    assert found.drop("t0").mean() == pytest.approx(0.03**2 / 5, rel=0.1)
    assert found["t0"] == pytest.approx(4 * 0.03**2 / 5, rel=0.2)


def test_without_such_luck_there_is_next_to_none():
    found = [np.mean(list(adapter_luck(make_scores(0.0, seed=seed))["full"].values())) for seed in range(8)]
    assert np.mean(found) < 0.03 * 0.03**2 / 5
    assert min(found) >= 0


def test_collapsed_runs_and_controls_may_be_left_out():
    scores = make_scores(0.03)
    plain = adapter_luck(scores)["full"]
    control = scores[scores["source"] == "t1"].assign(source="self", value=9.0)
    assert adapter_luck(pd.concat([scores, control]))["full"] == pytest.approx(plain)
    collapsed = pd.concat([scores, scores.tail(1).assign(seed=77, value=-5.0, collapsed=True)])
    baseline = scores.tail(1).assign(source="none", seed=77)
    collapsed = pd.concat([collapsed, baseline])
    assert adapter_luck(collapsed, collapsed=False)["full"] == pytest.approx(plain)
    assert adapter_luck(collapsed)["full"] != pytest.approx(plain)


def test_one_seed_tells_nothing():
    assert adapter_luck(make_scores(0.03, seeds=1))["full"] == {}
    assert adapter_luck(make_scores(0.03).head(0)) == {}
