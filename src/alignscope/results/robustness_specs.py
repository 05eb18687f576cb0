"""The spec of the table about settings, which `alignscope.results.specs` lists."""

from alignscope.results.columns import (
    ENCODER,
    METRIC,
    SOURCE,
    TASK,
    boolean,
    integer,
    number,
    text,
)
from alignscope.results.table_spec import TableSpec

ROBUSTNESS_SPECS = (
    TableSpec(
        "robustness",
        "Verdicts by setting",
        "How many settings give each verdict on a hypothesis, and the verdict of each setting.",
        {
            **ENCODER,
            **TASK,
            **METRIC,
            **SOURCE,
            "init": text("the init of the window; null if the hypothesis is not about a window"),
            "window": text("the window; null if the hypothesis is not about a window"),
            "claim": text("the name of the hypothesis"),
            "says": text("the hypothesis in words"),
            "settings": integer("number of settings with a verdict"),
            "supported": integer("number of settings in which the hypothesis is supported"),
            "contradicted": integer("number of settings in which it is contradicted"),
            "other": integer("number of settings with another verdict"),
            "undertrained": integer("number of settings whose REF is under-trained"),
            "agree": boolean("whether all settings give the same verdict"),
            "lowest": number("smallest value of the statistic; effects are fractions"),
            "highest": number("largest value of the statistic; effects are fractions"),
            "verdicts": text("the verdict of each setting, named by what varies in the study"),
        },
        display="robustness",
    ),
)
