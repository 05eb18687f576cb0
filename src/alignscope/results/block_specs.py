"""The specs of the tables about epochs and blocks, which `alignscope.results.specs` lists."""

from alignscope.results.columns import (
    INIT,
    METRIC,
    RUN_COLUMNS,
    RUN_GROUP,
    WINDOW,
    boolean,
    fraction,
    integer,
    number,
    text,
)
from alignscope.results.table_spec import TableSpec

GROUP = {name: column for name, column in RUN_GROUP.items() if name != "metric"}
"""The columns that identify runs whose seeds belong together, for tables without scores."""

BLOCK_SPECS = (
    TableSpec(
        "epochs",
        "Epochs",
        "The score of every epoch on every corpus, in the first metric of its task.",
        {
            **RUN_COLUMNS,
            **METRIC,
            "epoch": integer("the epoch, counted from 1"),
            "steps": integer("training steps from the first epoch to the end of this one"),
            "loss": number("mean training loss over the steps of this epoch"),
            "dev_score": fraction("score on the source's dev split, which selects the epoch"),
            "corpus": text("the corpus whose test split was scored; null in older results"),
            "relation": text(
                "in-domain, cross-domain, cross-scheme or cross-lingual, relative to the source"
            ),
            "score": fraction("the score after this epoch, never used for selection"),
        },
    ),
    TableSpec(
        "changes",
        "Changes of blocks",
        "How much fine-tuning changes each block of REF, and its output on the pretrained input.",
        {
            **RUN_COLUMNS,
            "corpus": text("the parallel corpus whose sentences are read"),
            "block": integer("the block, counted from 0"),
            "weight_change": number("norm of the change of the weights / norm of the weights"),
            "output_change": number(
                "mean over tokens of |f(x) − f₀(x)| / |f₀(x)|, for the pretrained block f₀, the "
                "fine-tuned block f and the input x that f₀ gets"
            ),
            "noise_weight_change": number(
                "the same change of weights by noise, which is equal in all blocks and as large "
                "as the training over all blocks"
            ),
            "noise_output_change": number("the same change of the output by this noise"),
            "sentences": integer("number of sentences of the sample"),
            "tokens": integer("number of subwords in them, without special tokens"),
        },
        display="correlations",
    ),
    TableSpec(
        "strength",
        "Strength",
        "How much each block of a window changes what it reads, before and after its change.",
        {
            **GROUP,
            **INIT,
            **WINDOW,
            "block": integer("the block, counted from 0"),
            "seeds": integer("number of seeds"),
            "before": fraction("mean over tokens of |block(x) − x| / |x|, of the pretrained block"),
            "after": fraction("the same of the block that fine-tuning starts from"),
        },
    ),
    TableSpec(
        "block_changes",
        "Changes of blocks beside noise",
        "How much fine-tuning changes the weights and the output of each block of REF, as means "
        "with 95 % CIs, beside noise of the same size.",
        {
            **GROUP,
            "block": integer("the block, counted from 0"),
            "seeds": integer("number of seeds"),
            "corpora": integer("number of corpora"),
            "weight_mean": number("mean relative change of the weights"),
            "weight_low": number("lower end of the 95 % CI of weight_mean over seeds"),
            "weight_high": number("upper end of the 95 % CI of weight_mean over seeds"),
            "output_mean": number("mean relative change of the output on the pretrained input"),
            "output_low": number("lower end of the 95 % CI of output_mean over seeds and corpora"),
            "output_high": number("upper end of the 95 % CI of output_mean over seeds and corpora"),
            "log_ratio_mean": number(
                "mean of log(output change / output change of noise); below 0: less than noise"
            ),
            "log_ratio_low": number("lower end of its 95 % CI over seeds and corpora"),
            "log_ratio_high": number("upper end of its 95 % CI over seeds and corpora"),
            "noise_weight": number("mean relative change of the weights by the noise"),
            "noise_output": number("mean relative change of the output by the noise"),
        },
        display="correlations",
    ),
    TableSpec(
        "epoch_spread",
        "Spread over epochs",
        "How much REF's scores and the effects of windows vary between epochs that are about "
        "equally good on dev.",
        {
            **RUN_GROUP,
            **INIT,
            "window": text("REF or the re-initialised blocks, such as 0-1"),
            "on": text("source, targets or domains"),
            "seeds": integer("number of seeds"),
            "first_epoch": integer(
                "the first epoch whose dev score is within one standard deviation over seeds (with "
                "one seed: one point) of the best; for effects of REF, too"
            ),
            "epochs": integer("number of epochs from that one on"),
            "low": fraction("smallest mean of an epoch: of scores for REF, else of effects"),
            "high": fraction("largest mean of an epoch"),
            "spread": fraction("largest − smallest mean of an epoch; null for a single epoch"),
        },
    ),
    TableSpec(
        "reference",
        "Checks of REF",
        "Whether REF is under-trained, no better than the majority baseline, or at the ceiling.",
        {
            **RUN_GROUP,
            "seeds": integer("number of seeds"),
            "source_mean": fraction("mean score on the source over seeds"),
            "targets_mean": fraction("mean score over targets and seeds; null without targets"),
            "undertrained": boolean("whether there is a reason to distrust the numbers of REF"),
            "reasons": text("the reasons in sentences; empty if there is none"),
            "no_better": text(
                "corpora on which REF exceeds the majority baseline by at most two binomial "
                "standard errors"
            ),
            "ceiling": boolean("whether REF scores at least 99 points on a corpus"),
            "ceiling_corpora": text("these corpora"),
        },
    ),
)
