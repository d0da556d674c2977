"""Why a cell of a table or matrix is blank, or not to be trusted: the reason codes, for every aggregate alike."""

# Reason code: (mark in a figure's cell, explanation in legends).
REASONS = {
    "not_run": ("NR", "not run"),
    "no_data": ("ND", "no data for one of the tasks, which was left out"),
    "not_available": ("NA", "not available"),
    "failed": ("FA", "the run failed"),
    "collapsed": ("†", "a run behind the number collapsed: constant answers, or next to nothing learnt"),
    "undefined": ("UN", "undefined: the baseline is too near constant answers"),
    "no_ratings": ("NT", "no ratings: two raters for an agreement, one rating of each aspect for a mean"),
    "unreliable": ("UR", "the reliability is 0 or less, so that nothing can be corrected by it"),
    "constant": ("CO", "all values are the same"),
    "too_few": ("TF", "too few items, groups of items, ratings, tasks or pairs of tasks to say"),
    "no_variance": ("NV", "scores differ, but no resample varies, so that there is no test"),
}
