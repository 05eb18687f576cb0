"""Tests of every language against a margin, for claims that a window costs next to nothing."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from alignscope._util.confidence import CONFIDENCE
from alignscope.analysis.arrays import Values
from alignscope.analysis.multiple_testing import holm

LEVEL = (1 - CONFIDENCE) / 2
"""The level of a one-sided test, to match the end of a two-sided confidence interval."""


class LanguageTests(NamedTuple):
    """One-sided tests of the effect on each language, in the order of the languages."""

    p_values: list[float]
    """Uncorrected p-values of the null hypothesis that the loss is at least the margin."""
    uncorrected: list[bool]
    """Whether the language passes a test of its own."""
    holm: list[bool]
    """Whether it passes with Holm's correction for the number of languages."""


def languages_that_pass(
    values: Values, margin: float, variance: ArrayLike, degrees: float
) -> LanguageTests:
    """Test for each language whether a window costs it less than a margin.

    >>> import numpy as np
    >>> effects = np.array([[0.001, -0.009, -0.030], [-0.001, -0.007, -0.032]])
    >>> tests = languages_that_pass(effects, margin=0.015, variance=0.0045**2, degrees=20)
    >>> tests.uncorrected, tests.holm
    ([True, True, False], [True, False, False])

    The test is Student's, one-sided at 2.5 %, with the seed variance given: that of one language
    alone has too few degrees of freedom with two or three seeds. It generalises to other seeds, not
    to other languages. Holm's correction needs no independence of the languages.

    Args:
        values: effects of the window as fractions, (seeds, languages); NaN where a seed is missing.
        margin: the largest loss that counts as none, a fraction above or equal to 0.
        variance: the variance of the effect over seeds, of all languages or of each, (languages,).
        degrees: the degrees of freedom of ``variance``; infinite if it is known.

    Returns:
        The p-values, and which languages pass with and without correction.

    Raises:
        ValueError: if ``margin``, ``variance`` or ``degrees`` is negative, ``degrees`` is 0, or a
            language has no seed.
    """
    from scipy.special import ndtr, stdtr

    seeds = np.isfinite(values).sum(axis=0)
    variances = np.broadcast_to(np.asarray(variance, dtype=float), seeds.shape)
    if not (margin >= 0 and degrees > 0 and (variances >= 0).all()):
        raise ValueError(
            f"A margin of {margin}, variances of {variances.tolist()} or {degrees} degrees of "
            "freedom cannot be used: margin and variances must be at least 0, degrees above 0."
        )
    if not seeds.all():
        raise ValueError(f"Languages {np.flatnonzero(seeds == 0).tolist()} have no seed.")
    above = np.nanmean(values, axis=0) + margin
    errors = np.sqrt(variances / seeds)
    # Without any variance the effect is known: the sign of its distance to the margin decides.
    certain = np.select([above > 0, above < 0], [np.inf, -np.inf], 0.0)
    statistics = np.divide(above, errors, out=certain, where=errors > 0)
    tails = ndtr(-statistics) if np.isinf(degrees) else stdtr(degrees, -statistics)
    p_values = [float(p) for p in tails]
    corrected = [p for p in holm(p_values) if p is not None]
    return LanguageTests(p_values, [p <= LEVEL for p in p_values], [p <= LEVEL for p in corrected])
