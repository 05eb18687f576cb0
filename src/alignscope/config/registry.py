"""The tasks and measures by name, with their titles: all that can be known of them without torch.

A study is checked, a command line completed and a report written where torch is not installed, so
names and titles live here and the code behind a name lives in ``tasks`` and
``similarity.measures``. Another package adds its own by an entry point of the group
``alignscope.tasks`` or ``alignscope.measures``; a program adds them with ``register_task`` and
``register_measure``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Generic, Protocol, TypeVar

from alignscope.errors import StudyError, nearest


class Named(Protocol):
    """An entry of a registry."""

    @property
    def name(self) -> str:
        """The name that studies and the command line use."""
        ...


Info = TypeVar("Info", bound=Named)


@dataclass(frozen=True)
class TaskInfo:
    """A task as tables and pages call it."""

    name: str
    title: str
    metrics: Mapping[str, str]
    """The title of each metric by its name; the first selects the epoch and leads the tables."""
    scoring: str = ""
    """A clause for the Methods text, such as ``POS tagging is scored by accuracy over words``."""


@dataclass(frozen=True)
class MeasureInfo:
    """A similarity measure as tables and pages call it."""

    name: str
    title: str
    bounds: tuple[float, float] = (-1.0, 1.0)
    """The smallest and the largest value that the measure can have."""


class Registry(Generic[Info]):
    """What is known of the tasks or of the measures, by name, in the order of registration.

    >>> "parsing" in TASK_INFO, "parsnig" in TASK_INFO
    (True, False)
    >>> TASK_INFO["parsing"].title
    'Dependency parsing'
    """

    def __init__(self, kind: str, group: str, builtin: tuple[Info, ...]) -> None:
        self.kind, self.group = kind, group
        self._infos = {info.name: info for info in builtin}
        self._plugins_loaded = False

    def register(self, info: Info) -> None:
        """Add an entry, or replace the one of the same name."""
        self._infos[info.name] = info

    def __iter__(self) -> Iterator[str]:
        self._load_plugins()
        return iter(self._infos)

    def __contains__(self, name: object) -> bool:
        if name not in self._infos:
            self._load_plugins()
        return name in self._infos

    def __getitem__(self, name: str) -> Info:
        """Return the entry of a name.

        Raises:
            StudyError: if there is none; the message names those that exist.
        """
        if name not in self:
            hint = nearest(name, self)
            raise StudyError(f"{name} is not a {self.kind}{hint}. Known are: {', '.join(self)}.")
        return self._infos[name]

    def _load_plugins(self) -> None:
        """Import what other installed packages register; most programs never need to."""
        if self._plugins_loaded:
            return
        self._plugins_loaded = True  # before loading: a plug-in may look names up itself
        for point in entry_points(group=self.group):
            point.load()


TASK_INFO = Registry(
    "task",
    "alignscope.tasks",
    (
        TaskInfo(
            "pos",
            "POS tagging",
            {"accuracy": "accuracy"},
            "POS tagging is scored by accuracy over words",
        ),
        TaskInfo(
            "parsing",
            "Dependency parsing",
            {"las": "LAS", "uas": "UAS"},
            "parsing by LAS and UAS with punctuation and without subtypes",
        ),
        TaskInfo(
            "ner",
            "Named entities",
            {"f1": "span F1", "f1_strict": "span F1, strict"},
            "named entities by span F1",
        ),
    ),
)

MEASURE_INFO = Registry(
    "measure",
    "alignscope.measures",
    (
        MeasureInfo("cka", "linear CKA"),
        MeasureInfo("cka-rbf", "RBF CKA"),
        MeasureInfo("anc", "average neuron-wise correlation"),
        MeasureInfo("retrieval", "translation retrieval, precision at 1", (0.0, 1.0)),
        MeasureInfo("mutual", "mutual nearest neighbours", (0.0, 1.0)),
        MeasureInfo("cosine", "cosine, language means subtracted"),
        MeasureInfo("svcca", "SVCCA", (0.0, 1.0)),
        MeasureInfo("pwcca", "PWCCA", (0.0, 1.0)),
        MeasureInfo("procrustes", "Procrustes", (0.0, 1.0)),
        MeasureInfo("rsa", "RSA"),
    ),
)
