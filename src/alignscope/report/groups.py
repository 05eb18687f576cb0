"""The unit of a report: one encoder fine-tuned on one source for one task, in one setting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from alignscope.analysis.constants import RUN_KEYS
from alignscope.analysis.results import StudyResults
from alignscope.config import grid
from alignscope.config import run as config
from alignscope.config.run import RunSpec
from alignscope.report.labels import corpus_label, metric_label, task_label
from alignscope.results.tables import primary_metrics


@dataclass(frozen=True)
class ResultGroup:
    """The results of one encoder, task, source and setting, in one metric."""

    encoder: str
    """As tables have it: a path, or a name and revision on the hub."""
    task: str
    metric: str
    source: str
    setting: str
    encoder_name: str
    """As people read it, without a path."""
    setting_name: str = ""
    """The part of the setting that varies in the study; empty if there is one setting."""
    several_encoders: bool = False
    """Whether the study has other encoders, so that titles must name this one."""

    @property
    def title(self) -> str:
        """``POS tagging · en_ewt``, with encoder and setting if the study has several."""
        encoder = self.encoder_name if self.several_encoders else ""
        parts = (encoder, task_label(self.task), corpus_label(self.source), self.setting_name)
        return " · ".join(filter(None, parts))

    @property
    def metric_title(self) -> str:
        """The metric as axes and sentences name it: ``LAS``."""
        return metric_label(self.metric, self.task)

    def select(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of this group, compared on those of its columns that a table has."""
        names = [name for name in RUN_KEYS if name in table.columns]
        return table.filter(**{name: getattr(self, name) for name in names})

    def contains(self, run: RunSpec) -> bool:
        """Return whether a run belongs to this group."""
        own = (self.encoder, self.task, self.source, self.setting)
        return own == (run.encoder.label, run.task, run.source, run.setting)

    def key(self, kind: str, *more: str) -> str:
        """Return the key of a figure: ``corpus-heatmap/pos/ud:en_ewt``."""
        encoder = [self.encoder_name] if self.several_encoders else []
        setting = [self.setting_name] if self.setting_name else []
        return "/".join([kind, *encoder, self.task, self.source, *setting, *more])


@dataclass(frozen=True)
class WindowGroup:
    """The ablated runs of a group that one initialisation made."""

    group: ResultGroup
    init: str
    several_inits: bool = False

    @property
    def title(self) -> str:
        """The group's title, with the initialisation if there are several."""
        return f"{self.group.title} · {self.init}" if self.several_inits else self.group.title

    def select(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of these runs."""
        return self.group.select(table).filter(init=self.init)

    def key(self, kind: str) -> str:
        """Return the key of a figure."""
        return self.group.key(kind, *([self.init] if self.several_inits else []))


def result_groups(results: StudyResults) -> list[ResultGroup]:
    """Return the groups of a study, each in its task's first metric, tasks in their order."""
    scores = results.scores
    metrics = primary_metrics(scores)
    names = short_names(results)
    settings = setting_names(results)
    keys = ["encoder", "task", "source", "setting"]
    rows = scores.select(keys).unique(maintain_order=True).rows()
    several = len({encoder for encoder, *_ in rows}) > 1
    return [
        ResultGroup(
            encoder,
            task,
            metrics[task],
            source,
            setting,
            names[encoder],
            settings[setting],
            several,
        )
        for encoder, task, source, setting in rows
    ]


def window_groups(results: StudyResults) -> Iterator[WindowGroup]:
    """Yield every group once for each initialisation that the study planned."""
    inits = sorted({run.init_label for run in results.planned if run.init_label is not None})
    for group in result_groups(results):
        for init in inits:
            yield WindowGroup(group, init, len(inits) > 1)


def short_names(results: StudyResults) -> dict[str, str]:
    """Return a short name for the label of every encoder in a study."""
    return config.short_names(run.encoder for run in results.planned)


def setting_names(results: StudyResults) -> Mapping[str, str]:
    """Return the short name of every setting in a study (`grid.setting_names`)."""
    return grid.setting_names(results.planned)
