"""The specs of the tables about epochs and blocks, which `alignscope.results.specs` lists."""

from alignscope.results.columns import (
    ENCODER,
    INIT,
    METRIC,
    RUN_COLUMNS,
    SETTING,
    SOURCE,
    TASK,
    WINDOW,
    fraction,
    integer,
    number,
    text,
)
from alignscope.results.table_spec import TableSpec

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
            **ENCODER,
            **TASK,
            **SOURCE,
            **SETTING,
            **INIT,
            **WINDOW,
            "block": integer("the block, counted from 0"),
            "seeds": integer("number of seeds"),
            "before": fraction("mean over tokens of |block(x) − x| / |x|, of the pretrained block"),
            "after": fraction("the same of the block that fine-tuning starts from"),
        },
    ),
)
