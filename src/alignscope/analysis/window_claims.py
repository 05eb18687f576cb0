"""Verdicts on the hypotheses about the lowest and the highest window."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from alignscope.analysis.contrasts import SAME_DOMAIN, TARGETS, TARGETS_DOMAINS, Contrast
from alignscope.analysis.effect_estimates import EffectEstimate, GroupEffects, Readings
from alignscope.analysis.multiple_testing import holm
from alignscope.analysis.random_effects import MeanEstimate
from alignscope.analysis.reference_checks import CEILING
from alignscope.analysis.statements import CRUCIAL, HARMLESS, LANGUAGE, Hypothesis, claim_row
from alignscope.analysis.verdicts import (
    ALPHA,
    CONTRADICTED,
    DOMAIN,
    SCALE,
    SUPPORTED,
    Condition,
    joint_p,
    joint_verdict,
)
from alignscope.config.thresholds import HypothesisThresholds
from alignscope.config.windows import Window

Row = dict[str, object]


def window_claims(
    groups: Sequence[GroupEffects],
    thresholds: HypothesisThresholds,
    planned: Mapping[tuple[object, ...], Collection[str]],
) -> Iterator[Row]:
    """Yield the verdicts on *crucial*, *harmless* and *language*.

    Args:
        groups: the effects of windows.
        thresholds: the thresholds of the hypotheses.
        planned: the planned windows by encoder, task, source, setting and initialisation.
    """
    for group in groups:
        encoder, task, _, source, setting = group.arrays.key
        for init in dict.fromkeys(init for init, _ in group.arrays.ablations):
            done = {window for of, window in group.arrays.ablations if of == init}
            names = planned.get((encoder, task, source, setting, init), done)
            ends = _lowest_and_highest(names)
            if ends is not None:
                yield from _Judge(group, init, thresholds).rows(*ends)


def _lowest_and_highest(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the lowest and the highest window, or None if they overlap."""
    windows = [Window.parse(name) for name in names]
    lowest = min(windows, key=lambda window: (window.first, window.last))
    highest = max(windows, key=lambda window: (window.last, window.first))
    return (str(lowest), str(highest)) if lowest.last < highest.first else None


class _Judge:
    """Judges the windows of one group and initialisation."""

    def __init__(self, group: GroupEffects, init: str, thresholds: HypothesisThresholds) -> None:
        self.group, self.init, self.thresholds = group, init, thresholds

    def rows(self, lowest: str, highest: str) -> Iterator[Row]:
        low = self.group.by_ablation.get((self.init, lowest), {})
        high = self.group.by_ablation.get((self.init, highest), {})
        judged = self.group.contrasts.judged
        if judged is not None and judged.on in low and TARGETS in low:
            yield self._crucial(lowest, low[judged.on], low[TARGETS])
        if TARGETS in high:
            yield self._harmless(highest, high[TARGETS])
        language = low.get(SAME_DOMAIN) or low.get(TARGETS_DOMAINS)
        if language is not None:
            yield self._language(lowest, language)

    def _crucial(self, window: str, contrast: EffectEstimate, targets: EffectEstimate) -> Row:
        limit = -self.thresholds.crucial
        statistic = (
            f"effect of the lowest window, {contrast.contrast.on}; on the targets alone "
            f"{_in_points(targets.points.families)} points"
        )
        return self._row(CRUCIAL, window, [contrast, targets], limit, statistic)

    def _language(self, window: str, contrast: EffectEstimate) -> Row:
        statistic = f"effect of the lowest window, {contrast.contrast.on}"
        return self._row(LANGUAGE, window, [contrast], -self.thresholds.language, statistic)

    def _harmless(self, window: str, targets: EffectEstimate) -> Row:
        limit = -self.thresholds.harmless
        statistic = "effect of the highest window on the targets"
        row = self._row(HARMLESS, window, [targets], limit, statistic)
        return {**row, "notes": f"{row['notes']} {self._passing_targets(window)}".strip()}

    def _row(
        self,
        hypothesis: Hypothesis,
        window: str,
        effects: Sequence[EffectEstimate],
        threshold: float,
        statistic: str,
    ) -> Row:
        effect, contrast = effects[0], effects[0].contrast
        logit_threshold = self._logit_threshold(threshold, hypothesis)
        families, fixed = (
            [
                Condition(
                    reading(of.points), reading(of.logits), threshold, logit_threshold,
                    below=hypothesis.below,
                )
                for of in effects
            ]
            for reading in (_families, _fixed)
        )  # fmt: skip
        return claim_row(
            hypothesis,
            self.group.arrays.key,
            effect.points.families,
            threshold + 0.0,  # −0.0 would be shown with its sign
            init=self.init,
            window=window,
            statistic=statistic,
            languages=contrast.languages,
            families=contrast.families,
            p=joint_p(families),
            verdict=self._confounded(joint_verdict(families), hypothesis, contrast),
            fixed=effect.points.fixed.mean,
            fixed_low=effect.points.fixed.low,
            fixed_high=effect.points.fixed.high,
            fixed_verdict=self._confounded(joint_verdict(fixed), hypothesis, contrast),
            logits=effect.logits.families.mean,
            logits_low=effect.logits.families.low,
            logits_high=effect.logits.families.high,
            notes=" ".join(self._notes(hypothesis, effect)),
        )

    def _logit_threshold(self, threshold: float, hypothesis: Hypothesis) -> float:
        """Return the margin on the scale of logits: the sign, or for *harmless* as many points."""
        if hypothesis is not HARMLESS:
            return 0.0
        targets = self.group.arrays.places("cross-lingual")
        mean = float(np.clip(self.group.arrays.mean_reference[targets].mean(), 0.01, 0.99))
        return threshold / (mean * (1 - mean))

    def _confounded(self, verdict: str, hypothesis: Hypothesis, contrast: Contrast) -> str:
        """Return that language and domain are not separated if a verdict would rest on both."""
        confounded = hypothesis is not HARMLESS and contrast.on != SAME_DOMAIN
        return DOMAIN if confounded and verdict in (SUPPORTED, CONTRADICTED, SCALE) else verdict

    def _notes(self, hypothesis: Hypothesis, effect: EffectEstimate) -> Iterator[str]:
        contrasts, contrast = self.group.contrasts, effect.contrast
        if hypothesis is not HARMLESS:
            if contrast.on == SAME_DOMAIN:
                partners = sorted(set(contrasts.pairs.partners.values()))
                yield (
                    "Targets are compared with the corpus of the source language in their domain "
                    f"({', '.join(partners)})."
                )
                if contrasts.pairs.missing:
                    yield (
                        "Left out of the contrast, because the source language has no corpus in "
                        f"their domain: {', '.join(sorted(contrasts.pairs.missing))}."
                    )
            else:
                yield (
                    "Language and domain are not separated: the source language has no corpus in "
                    "the domain of any target."
                )
        if contrast.families < 2:
            yield "The targets are of one family, so no interval covers languages like these."
        if contrasts.unknown:
            names = ", ".join(contrasts.unknown)
            yield f"Languages of unknown family count as one family each: {names}."
        yield from self._ceilings()

    def _ceilings(self) -> Iterator[str]:
        arrays = self.group.arrays
        at_ceiling = [
            corpus.name
            for corpus, mean in zip(arrays.corpora, arrays.mean_reference, strict=True)
            if mean >= CEILING
        ]
        if at_ceiling:
            yield f"REF is within a point of 100 on {', '.join(at_ceiling)}."

    def _passing_targets(self, window: str) -> str:
        """Return a sentence on how many target corpora pass *harmless* one by one."""
        estimates = self.group.by_ablation[self.init, window]
        arrays = self.group.arrays
        targets = [arrays.corpora[place].name for place in arrays.places("cross-lingual")]
        limit = -self.thresholds.harmless
        tests = [
            estimates[name].points.fixed.p_beyond(limit, below=False)
            for name in targets
            if name in estimates and estimates[name].points.fixed.error is not None
        ]
        if not tests:
            return ""
        passed, corrected = (
            sum(p is not None and p <= ALPHA / 2 for p in p_values)
            for p_values in (tests, holm(tests))
        )
        return (
            f"{passed} of {len(tests)} targets pass one by one, {corrected} after Holm correction."
        )


def _families(readings: Readings) -> MeanEstimate:
    return readings.families


def _fixed(readings: Readings) -> MeanEstimate:
    return readings.fixed


def _in_points(estimate: MeanEstimate) -> str:
    """Return ``−16.6 [−20.0, −13.2]``."""
    low, high = estimate.low, estimate.high
    ends = "" if low is None or high is None else f" [{100 * low:+.1f}, {100 * high:+.1f}]"
    return f"{100 * estimate.mean:+.1f}{ends}".replace("-", "−")
