"""The specs of the tables of effects and claims, which `alignscope.results.specs` lists."""

from alignscope.results.columns import (
    ENCODER,
    INIT,
    METRIC,
    RUN_GROUP,
    SETTING,
    TASK,
    WINDOW,
    boolean,
    fraction,
    integer,
    interval,
    number,
    text,
)
from alignscope.results.table_spec import TableSpec

EFFECTS_SPEC = TableSpec(
    "effects",
    "Effects with intervals",
    "The effect of every window on the source, the targets, other domains, every corpus and "
    "the contrasts between them, with 95 % CIs and p-values.",
    {
        **ENCODER,
        **TASK,
        **METRIC,
        "source": text("the source; all for the mean over the sources of a task"),
        **SETTING,
        **INIT,
        **WINDOW,
        "on": text(
            "source, targets, domains, targets − source, targets − source, same domain, "
            "targets − domains, or a corpus"
        ),
        "seeds": integer("number of seeds; for source all, of seeds that have every source"),
        "corpora": integer("number of corpora in the mean; null for source all"),
        "languages": integer("number of languages in the mean; null for source all"),
        "families": integer(
            "number of families in the mean; for domains of corpora; null for source all"
        ),
        "mean": fraction(
            "effect, the score with the window re-initialised − the score of REF: the mean "
            "over families, for languages like these; for source all over languages"
        ),
        "low": fraction("lower end of the 95 % CI over seeds and families; null for one seed"),
        "high": fraction("upper end of the 95 % CI over seeds and families; null for one seed"),
        "p": number("two-sided p-value of the effect being 0"),
        "p_holm": number(
            "p, Holm-corrected over windows, sources, settings and inits (for a corpus also "
            "over corpora)"
        ),
        "fixed": fraction("the effect as the mean over languages, for these languages"),
        "seeds_low": fraction("lower end of the 95 % CI of fixed, over seeds only"),
        "seeds_high": fraction("upper end of the 95 % CI of fixed, over seeds only"),
        "sentences_low": fraction(
            "lower end of the 95 % CI of fixed, over sentences only; null for several seeds"
        ),
        "sentences_high": fraction(
            "upper end of the 95 % CI of fixed, over sentences only; null for several seeds"
        ),
        "logits": number("the effect in log odds, the mean over families"),
        "logits_low": number("lower end of the 95 % CI of logits"),
        "logits_high": number("upper end of the 95 % CI of logits"),
        "share": number(
            "the effect divided by REF − majority, the mean over families; null if REF is less "
            "than 5 points above majority"
        ),
        "share_low": number("lower end of the 95 % CI of share"),
        "share_high": number("upper end of the 95 % CI of share"),
    },
    display="effects",
)

CLAIMS_SPEC = TableSpec(
    "claims",
    "Hypotheses and verdicts",
    "The hypotheses of Muller et al. (2021), each with its statistic, threshold and verdict.",
    {
        **RUN_GROUP,
        "init": text("the init of the window; null if the hypothesis is not about a window"),
        "window": text("the window; null if the hypothesis is not about a window"),
        "claim": text("the name of the hypothesis"),
        "says": text("the hypothesis in words"),
        "statistic": text("the statistic that is compared with the threshold"),
        "languages": integer("number of target languages; for stable of the parallel corpora"),
        "families": integer("number of their families; null if they do not matter"),
        "value": number("the statistic's value for languages like these; effects are fractions"),
        **interval("of value; null where it is undefined"),
        "sign": text("< or >: the side of the threshold that supports the hypothesis"),
        "threshold": number("the threshold, set in the study's [claims] table"),
        "p": number("two-sided p-value of the statistic being at the threshold"),
        "verdict": text(
            "supported, contradicted, undecided, depends on the scale, or not separated from domain"
        ),
        "p_holm": number("p, Holm-corrected over all rows of the table"),
        "verdict_holm": text("the verdict after this correction"),
        "fixed": number("the statistic's value for these languages"),
        "fixed_low": number("lower end of the 95 % CI of fixed, over seeds only"),
        "fixed_high": number("upper end of the 95 % CI of fixed, over seeds only"),
        "fixed_verdict": text("the verdict for these languages"),
        "logits": number("the effect in log odds; null if the hypothesis is not on an effect"),
        "logits_low": number("lower end of the 95 % CI of logits"),
        "logits_high": number("upper end of the 95 % CI of logits"),
        "undertrained": boolean("whether REF is under-trained"),
        "notes": text("sentences on what limits the verdict"),
    },
    display="claims",
)
