"""Names, titles and metrics of tasks and measures, known without importing torch.

The study check, the command line and the report need names and titles only, also where torch is
not installed. The code behind a name is in ``tasks`` and ``similarity.measures``. A program adds a
task with ``register_task`` and a measure with ``register_measure``; an installed package adds them
through an entry point in the group ``alignscope.tasks`` or ``alignscope.measures``.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

from alignscope.errors import StudyError, nearest


class NamedInfo(Protocol):
    """An entry of a registry."""

    @property
    def name(self) -> str:
        """The name that studies and the command line use."""
        ...


Info = TypeVar("Info", bound=NamedInfo)


@dataclass(frozen=True)
class TaskInfo:
    """The name, titles and version of a task."""

    name: str
    title: str
    metrics: Mapping[str, str]
    """The title of each metric by its name; the first selects the epoch and leads the tables."""
    scoring: str = ""
    """A clause for the Methods text, such as ``POS tagging is scored by accuracy over words``."""
    version: str = ""
    """Part of the address of every run of the task, unless empty."""


@dataclass(frozen=True)
class MeasureInfo:
    """The name, title and range of a similarity measure."""

    name: str
    title: str
    bounds: tuple[float, float] = (-1.0, 1.0)
    """The smallest and the largest value that the measure can take."""


@dataclass(frozen=True)
class _Registration:
    """An object that a user registered, and the function that registers it again."""

    plugin: object
    register: Callable[[Any], object]


class Registry(Generic[Info]):
    """Tasks or measures by name, in the order of registration.

    >>> "parsing" in TASK_INFO, "parsnig" in TASK_INFO
    (True, False)
    >>> TASK_INFO["parsing"].title
    'Dependency parsing'
    """

    def __init__(self, kind: str, group: str, builtin: tuple[Info, ...]) -> None:
        self.kind, self.group = kind, group
        self._infos = {info.name: info for info in builtin}
        self.builtin = tuple(self._infos)
        """The names that need no plug-in; looking at them imports nothing."""
        self._registrations: dict[str, _Registration] = {}
        self._plugins_loaded = False

    def register(self, info: Info, plugin: object, register: Callable[[Any], object]) -> None:
        """Add an entry, or replace the entry that a user registered under the same name.

        Args:
            info: The new entry.
            plugin: The object behind the name, such as a task or a function.
            register: The function that registers ``plugin``. A worker process calls it with
                ``plugin``.

        Raises:
            StudyError: if the name belongs to a built-in entry.
        """
        if info.name in self.builtin:
            raise StudyError(f"{info.name} is a built-in {self.kind}. Choose another name.")
        self._infos[info.name] = info
        self._registrations[info.name] = _Registration(plugin, register)

    def unregister(self, name: str) -> None:
        """Remove an entry that a user registered."""
        del self._infos[name], self._registrations[name]

    @property
    def registrations(self) -> Mapping[str, _Registration]:
        """The entries that a user registered, by name."""
        return self._registrations

    def __iter__(self) -> Iterator[str]:
        self._load_plugins()
        return iter(self._infos)

    def __len__(self) -> int:
        self._load_plugins()
        return len(self._infos)

    def __contains__(self, name: object) -> bool:
        if name not in self._infos:
            self._load_plugins()
        return name in self._infos

    def __getitem__(self, name: str) -> Info:
        """Return the entry of a name.

        Raises:
            StudyError: if the name is unknown; the message lists the known names.
        """
        if name not in self:
            hint = nearest(name, self)
            raise StudyError(
                f"{name} is not a {self.kind}{hint or '.'} Known are: {', '.join(self)}."
            )
        return self._infos[name]

    def title(self, name: str) -> str:
        """Return the title of a name, or the name itself if it is not registered here.

        A report can be made where the task or measure of a stored result is not installed.
        """
        return str(getattr(self[name], "title", name)) if name in self else name

    def _load_plugins(self) -> None:
        """Import the modules that installed packages name in their entry points, once."""
        if self._plugins_loaded:
            return
        self._plugins_loaded = True  # set before loading, because a plug-in may look up names
        for point in entry_points(group=self.group):
            _load_plugin(point)


def _load_plugin(point: EntryPoint) -> None:
    try:
        point.load()
    except Exception as error:
        raise StudyError(
            f"The plug-in {point.value} ({point.group}) cannot be imported: {error}. "
            "Repair or uninstall the package that provides it."
        ) from error


def export_registrations() -> bytes:
    """Return everything that a user registered in this process, for `import_registrations`.

    An object that a module defines is sent as the name of the module and of the object. An object
    from a notebook or from the main script is sent by value.

    Raises:
        StudyError: if an object cannot be sent.
    """
    return pickle.dumps(
        [
            _dump_registration(registry.kind, name, registration)
            for registry in (TASK_INFO, MEASURE_INFO)
            for name, registration in registry.registrations.items()
        ]
    )


def _dump_registration(kind: str, name: str, registration: _Registration) -> tuple[str, str, bytes]:
    import cloudpickle  # here, because only sweeps with workers need it

    try:
        return kind, name, cloudpickle.dumps((registration.register, registration.plugin))
    except Exception as error:
        raise StudyError(
            f"The {kind} {name} cannot be sent to worker processes: {error}. "
            "Define it in a module that workers can import, or run without workers."
        ) from error


def import_registrations(exported: bytes) -> None:
    """Register in this process what `export_registrations` returned in another one.

    Raises:
        StudyError: if a module that defines one of the objects cannot be imported here.
    """
    for kind, name, content in pickle.loads(exported):
        try:
            register, plugin = pickle.loads(content)
        except Exception as error:
            raise StudyError(
                f"The {kind} {name} cannot be loaded in a worker process: {error}. "
                "Install the module that defines it on every machine."
            ) from error
        register(plugin)


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
        TaskInfo(
            "classification",
            "Sentence classification",
            {"accuracy": "accuracy", "macro_f1": "macro F1"},
            "sentence classification by accuracy and macro F1 over sentences",
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
        MeasureInfo("mutual-knn", "mutual k-nearest neighbours", (0.0, 1.0)),
        MeasureInfo("cosine", "cosine, language means subtracted"),
        MeasureInfo("svcca", "SVCCA", (0.0, 1.0)),
        MeasureInfo("pwcca", "PWCCA", (0.0, 1.0)),
        MeasureInfo("procrustes", "Procrustes", (0.0, 1.0)),
        MeasureInfo("rsa", "RSA"),
    ),
)
