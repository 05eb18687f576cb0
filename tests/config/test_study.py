"""Study files are read or refused; the address of a run covers everything that counts."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import alignscope.config.study
from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import (
    EncoderSpec,
    RunSpec,
    SplitLimits,
    StudyTraining,
    TrainingConfig,
    short_names,
)
from alignscope.config.similarity import SimilarityConfig
from alignscope.config.study import Study, read_study
from alignscope.data.corpus import parse_corpus
from alignscope.data.synthetic.language import languages
from alignscope.errors import AlignScopeError, StudyError
from tests.helpers import ROOT

SHIPPED = sorted((ROOT / "studies").glob("*.toml"))
DEMO = Path(alignscope.config.study.__file__).parents[1] / "cli" / "demo.toml"
HOW_MANY = {"muller2021": 3 * 3 * 7 * 5}
"""Tasks × sources × (windows + REF) × seeds, where a paper says how many there were."""

TASKS = '[tasks.pos]\nsources = ["ud:en_ewt"]\n'


def blocks(count: int | None) -> Callable[[EncoderSpec], EncoderInfo]:
    return lambda encoder: EncoderInfo(f"{encoder.name}@{encoder.revision}", count)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Study]:
    def parse(text: str) -> Study:
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return read_study(path)

    return parse


def grid(**changes: Any) -> Study:
    """A study of one encoder, one task and one source, with a learning rate unless it is None."""
    base = {"encoders": ["enc"], "tasks": {"pos": {"sources": ["ud:en_ewt"]}}}
    training = {"learning_rate": 5e-5, **changes.pop("training", {})}
    return Study.model_validate({**base, **changes, "training": training})


def config(**options: Any) -> TrainingConfig:
    """The configuration with the learning rate of `grid`."""
    return TrainingConfig.model_validate({"learning_rate": 5e-5, **options})


def windows(study: Study, count: int | None = 12) -> list[str | None]:
    return [run.window for run in expand(study, blocks(count))]


# The files that come with the package


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_study_expands(path: Path) -> None:
    study = read_study(path)
    if not study.encoders:
        study = study.model_copy(update={"encoders": (EncoderSpec(name="enc"),)})
    listed = all(text[0].isdecimal() or text == "none" for text in study.windows)
    for count in (12, None) if listed else (12,):
        found = expand(study, blocks(count))
        assert len({run.address for run in found}) == len(found)
        assert {run.task for run in found} == set(study.tasks)
        assert len(found) == HOW_MANY.get(path.stem, len(found))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_studies_measure_similarity(path: Path) -> None:
    study = read_study(path)
    assert study.similarity is not None
    compared = {parse_corpus(name).language for name in study.similarity.corpora}
    for task in study.tasks.values():
        spoken = {parse_corpus(name).language for name in (*task.sources, *task.targets)}
        assert len(spoken & compared) >= 0.8 * len(spoken)


def test_there_are_studies_to_read() -> None:
    assert SHIPPED


@pytest.mark.parametrize("path", [DEMO, *(one for one in SHIPPED if one.stem == "embedded")])
def test_studies_of_the_synthetic_languages_use_all_of_them(path: Path) -> None:
    for grid in read_study(path).tasks.values():
        spoken = {f"synthetic:{language}/news" for language in languages()}
        assert {*grid.sources, *grid.targets} == spoken


# Reading


def test_a_full_study(read: Callable[[str], Study]) -> None:
    study = read("""
        name = "all of it"
        encoders = ["a", { name = "b", revision = "v1", remote_code = true }]
        seeds = [3, 1]
        windows = ["0-1", "4"]
        init = ["config", "torch-default"]
        adapters = "keep"
        data = ["corpora"]
        training = { epochs = 7, learning_rate = 1e-4, pooling = "mean" }
        limits = { train = 100 }
        [tasks.parsing]
        sources = ["ud:en_ewt"]
        targets = ["ud:de_gsd"]
        domains = ["ud:en_pud"]
        training = { epochs = 2 }
        limits = { test = 5 }
        """)
    assert study.encoders == (
        EncoderSpec(name="a"),
        EncoderSpec(name="b", revision="v1", remote_code=True),
    )
    assert (study.seeds, study.windows, study.adapters) == ((3, 1), ("0-1", "4"), "keep")
    assert study.training_of("parsing") == config(epochs=2, learning_rate=1e-4, pooling="mean")
    assert study.limits_of("parsing") == SplitLimits(train=100, test=5)
    assert study.training == StudyTraining(epochs=7, learning_rate=1e-4, pooling="mean")


def test_defaults_of_a_study() -> None:
    study = grid()
    assert (study.seeds, study.windows, study.init) == ((1,), ("tiles:2",), ("config",))
    assert study.training_of("pos") == config()
    assert study.limits_of("pos") == SplitLimits()


REFUSED = {
    "top": ("seed = [1]\n" + TASKS, r"seed is not a key; did you mean 'seeds'\? Allowed are: "),
    "training": (
        "[training]\nepoch = 3\n" + TASKS,
        r"training\.epoch is not a key; did you mean 'epochs'\? Allowed are: epochs, head",
    ),
    "limits": (
        "[limits]\ntrian = 3\n" + TASKS,
        r"limits\.trian is not a key; did you mean 'train'\? Allowed are: dev, test, train",
    ),
    "task": (
        TASKS + 'target = ["ud:de_gsd"]\n',
        r"tasks\.pos\.target is not a key; did you mean 'targets'\? Allowed are: domains, limits",
    ),
    "task training": (
        TASKS + "training = { epoch = 2 }\n",
        r"tasks\.pos\.training\.epoch is not a key; did you mean 'epochs'\? Allowed are: epochs, h",
    ),
    "task limits": (
        TASKS + "limits = { trian = 2 }\n",
        r"tasks\.pos\.limits\.trian is not a key; did you mean 'train'\? Allowed are: dev, test",
    ),
    "encoder": (
        'encoders = [{ name = "x", revison = "v1" }]\n' + TASKS,
        r"encoders\.0\.revison is not a key; did you mean 'revision'\? Allowed are: name, remote",
    ),
    "a key under two names": (
        "[training]\nclip = 2.0\nmax_grad_norm = 1.0\n" + TASKS,
        r"training: Give max_grad_norm or its old name clip, not both\.$",
    ),
    "a key of a task under two names": (
        TASKS + "training = { batch_pieces = 64, tokens_per_batch = 64 }\n",
        r"tasks\.pos\.training: Give tokens_per_batch or its old name batch_pieces, not both\.",
    ),
    "no key alike": (
        "zzz = 1\n" + TASKS,
        r"zzz is not a key\. Allowed are: adapters, claims, controls, data,",
    ),
    "type": ("seeds = 'one'\n" + TASKS, r"seeds: .* got 'one'\."),
    "type of training": ("[training]\nepochs = 'many'\n" + TASKS, r"training\.epochs: .*'many'"),
    "type of task training": (
        TASKS + "training = { epochs = 'many' }\n",
        r"tasks\.pos\.training\.epochs: .*'many'",
    ),
    "training is no table": ("training = 3\n" + TASKS, r"training: .*got 3"),
    "task training is no table": (TASKS + "training = 3\n", r"tasks\.pos\.training: .*got 3"),
    "tasks is no table": ("tasks = 3\n", r"tasks: .*got 3"),
    "fraction of a seed": ("seeds = [1.5]\n" + TASKS, r"seeds\.0: .*1\.5"),
    "no seed": ("seeds = []\n" + TASKS, r"seeds: .*at least 1"),
    "no init": ("init = []\n" + TASKS, r"init: .*at least 1"),
    "unknown init": ('init = ["cofnig"]\n' + TASKS, r"init\.0: .*'config', .* or 'skip', got"),
    "unknown freeze": ('freeze = "all"\n' + TASKS, r"freeze\.0: .*'none' or 'window', got 'all'"),
    "range": ("[training]\nepochs = 0\n" + TASKS, r"training\.epochs: .*greater .* got 0\."),
    "range in a task": (
        TASKS + "training = { max_grad_norm = 0 }\n",
        r"tasks\.pos\.training\.max_grad_norm: .*gre",
    ),
    "infinite": ("[training]\nlearning_rate = inf\n" + TASKS, r"training\.learning_rate: .*finite"),
    "not a number": ("[training]\nweight_decay = nan\n" + TASKS, r"training\.weight_decay: "),
    "limit of none": ("[limits]\ntrain = 0\n" + TASKS, r"limits\.train: .*greater"),
    "encoders is one string": ('encoders = "bert"\n' + TASKS, r"encoders: .*'bert'"),
    "encoders is a number": ("encoders = 5\n" + TASKS, r"encoders: .*got 5"),
    "an encoder is a number": ("encoders = [5]\n" + TASKS, r"encoders\.0: .*got 5"),
    "a nameless encoder": ('encoders = [{ revision = "x" }]\n' + TASKS, r"encoders\.0\.name: "),
    "no tasks": ("seeds = [1]\n", r"tasks: Field required"),
    "empty tasks": ("[tasks]\n", r"tasks: .*at least 1"),
    "no sources": ("[tasks.pos]\n", r"tasks\.pos\.sources: Field required"),
    "empty sources": ("[tasks.pos]\nsources = []\n", r"tasks\.pos\.sources: .*at least 1"),
    "a source is no name": ('[tasks.pos]\nsources = ["english"]\n', r"Corpus english is neither"),
    "a target is no name": (TASKS + 'targets = ["ud:en"]\n', r"Corpus ud:en must name"),
    "window": ('windows = ["first"]\n' + TASKS, r"'first' is not a window\. Write 0-1"),
    "backwards": ('windows = ["3-1"]\n' + TASKS, r"Window 3-1 is not a range"),
    "tiles of nothing": ('windows = ["tiles:0"]\n' + TASKS, r"tiles:0 has no size.*like tiles:2"),
    "tiles without size": ('windows = ["tiles"]\n' + TASKS, r"tiles has no size.*like tiles:2"),
    "single of a size": ('windows = ["single:3"]\n' + TASKS, r"'single:3' is not a window"),
    "single of a word": ('windows = ["single:x"]\n' + TASKS, r"'single:x' is not a window"),
    "all of a size": ('windows = ["all:2"]\n' + TASKS, r"'all:2' is not a window"),
    "not TOML": ("seeds = [1\n", r"is not valid TOML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_studies_are_refused(
    case: str, read: Callable[[str], Study], tmp_path: Path
) -> None:
    text, message = REFUSED[case]
    with pytest.raises(StudyError, match=message) as told:
        read(text)
    assert str(told.value).startswith(f"{tmp_path / 'study.toml'}")
    assert "\n" not in str(told.value).strip()


def test_a_missing_study_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"There is no study file .*nowhere\.toml"):
        read_study(tmp_path / "nowhere.toml")
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path)


def test_a_study_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(b'name = "\xff"\n')
    with pytest.raises(StudyError, match=r"latin\.toml cannot be read"):
        read_study(path)


# Unfolding


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["tiles:2"], ["0-1", "2-3", "4-5"]),
        (["tiles:4"], ["0-3", "4-5"]),
        (["single"], ["0", "1", "2", "3", "4", "5"]),
        (["all"], ["0-5"]),
        (["none"], []),
        ([], []),
        (["0-1"], ["0-1"]),
        (["4-5", "0", "4-5"], ["4-5", "0"]),
        (["2-3", "tiles:2"], ["2-3", "0-1", "4-5"]),
        (["1-1", "1"], ["1"]),
        (["none", "all"], ["0-5"]),
    ],
)
def test_windows_are_expanded(asked: list[str], found: list[str]) -> None:
    assert windows(grid(windows=asked), 6) == [None, *found]


@pytest.mark.parametrize("asked", ["tiles:2", "single", "all"])
def test_windows_that_need_an_unknown_number_of_blocks_are_refused(asked: str) -> None:
    message = rf"Window {asked} needs the number of blocks of enc, .*\. List the windows instead"
    with pytest.raises(StudyError, match=message):
        expand(grid(windows=[asked]), blocks(None))


def test_listed_windows_need_no_blocks() -> None:
    assert windows(grid(windows=["0-1", "4", "none"]), None) == [None, "0-1", "4"]


@pytest.mark.parametrize("asked", ["10-12", "12", "tiles:13"])
def test_a_window_beyond_the_encoder_is_refused(asked: str) -> None:
    with pytest.raises(AlignScopeError, match=r"enc, which has 12 blocks \(0-11\)|of 12 blocks"):
        expand(grid(windows=[asked]), blocks(12))


def test_a_study_without_encoders_cannot_be_expanded() -> None:
    with pytest.raises(StudyError, match=r"Study nameless names no encoder\. Add one with --enc"):
        expand(grid(name="nameless", encoders=[]), blocks(12))


def test_ref_comes_first_and_is_shared_between_init_modes() -> None:
    both = grid(windows=["0-1", "2"], init=["config", "torch-default"], seeds=[1, 2])
    variants = [(run.seed, run.window, run.init, run.adapters) for run in expand(both, blocks(12))]
    once = [
        (None, None, None),
        ("0-1", "config", "reset"),
        ("2", "config", "reset"),
        ("0-1", "torch-default", "reset"),
        ("2", "torch-default", "reset"),
    ]
    assert variants == [(seed, *variant) for seed in (1, 2) for variant in once]


def test_ref_depends_on_neither_init_nor_adapters() -> None:
    kept, reset = grid(adapters="keep"), grid(adapters="reset", init=["torch-default"])
    first, second = (expand(study, blocks(12)) for study in (kept, reset))
    assert first[0].address == second[0].address
    assert not {run.address for run in first[1:]} & {run.address for run in second[1:]}


def test_repeated_names_give_one_run() -> None:
    tasks = {
        "pos": {"sources": ["ud:en_ewt"] * 2, "targets": ["ud:de_gsd", "ud:en_ewt", "ud:de_gsd"]}
    }
    found = expand(grid(encoders=["enc", "enc"], seeds=[1, 1], windows=[], tasks=tasks), blocks(12))
    assert [run.evaluated for run in found] == [("ud:en_ewt", "ud:de_gsd")]


def test_domains_are_for_sources_of_their_language() -> None:
    tasks = {
        "pos": {
            "sources": ["ud:en_ewt", "ud:de_gsd"],
            "targets": ["ud:fr_gsd"],
            "domains": ["ud:en_pud", "ud:de_pud", "ud:de_gsd"],
        }
    }
    found = {run.source: run.evaluated for run in expand(grid(tasks=tasks, windows=[]), blocks(12))}
    assert found == {
        "ud:en_ewt": ("ud:en_ewt", "ud:fr_gsd", "ud:en_pud"),
        "ud:de_gsd": ("ud:de_gsd", "ud:fr_gsd", "ud:de_pud"),
    }


def test_a_task_overrides_the_study() -> None:
    study = grid(
        training={"epochs": 5, "max_grad_norm": 2.0},
        limits={"train": 9, "dev": 3},
        windows=[],
        tasks={
            "pos": {"sources": ["ud:en_ewt"]},
            "ner": {"sources": ["uner:en_ewt"], "training": {"epochs": 1}, "limits": {"dev": 4}},
        },
    )
    found = {run.task: (run.training, run.limits) for run in expand(study, blocks(12))}
    assert found == {
        "pos": (config(epochs=5, max_grad_norm=2.0), SplitLimits(train=9, dev=3)),
        "ner": (config(epochs=1, max_grad_norm=2.0), SplitLimits(train=9, dev=4)),
    }


# The learning rate


def test_a_study_without_a_learning_rate_cannot_be_expanded() -> None:
    nameless = grid(training={"learning_rate": None})
    with pytest.raises(StudyError) as told:
        expand(nameless, blocks(12))
    assert str(told.value) == (
        "Study study states no learning_rate for pos. Set it in [training] or in "
        "[tasks.pos.training]. Typical are 2e-5 to 1e-4 for encoders 768 wide, 1e-4 to 5e-4 for "
        "384, and 5e-4 to 3e-3 for 64. `alignscope tune STUDY` measures a good one."
    )


def test_every_task_may_state_the_learning_rate_instead() -> None:
    tasks = {"pos": {"sources": ["ud:en_ewt"], "training": {"learning_rate": 2e-4}}}
    study = grid(training={"learning_rate": None}, windows=[], tasks=tasks)
    assert [run.training.learning_rate for run in expand(study, blocks(12))] == [2e-4]
    tasks["ner"] = {"sources": ["uner:en_ewt"], "training": {"epochs": 1}}
    with pytest.raises(StudyError, match="states no learning_rate for ner"):
        expand(grid(training={"learning_rate": None}, tasks=tasks), blocks(12))


def test_a_configuration_states_its_learning_rate() -> None:
    for values in ({}, {"epochs": 2}, {"learning_rate": None}):
        with pytest.raises(
            ValidationError, match=r"learning_rate is compulsory\. Typical are 2e-5"
        ):
            TrainingConfig.model_validate(values)


def test_a_study_accepts_a_configuration() -> None:
    given, written = grid().model_dump(), grid().model_dump() | {"training": config(epochs=9)}
    assert Study.model_validate(written) == Study.model_validate(
        given | {"training": {"epochs": 9, "learning_rate": 5e-5}}
    )


def test_a_study_without_a_learning_rate_matches_the_plan_of_the_former_default() -> None:
    assert grid(training={"learning_rate": None}).grid == grid().grid


# Renamed keys

OLD = {"batch_pieces": 512, "max_pieces": 64, "clip": 2.0}
CURRENT = {"tokens_per_batch": 512, "max_length": 64, "max_grad_norm": 2.0}


def test_old_names_of_training_keys_mean_the_same() -> None:
    old, current = grid(training=OLD), grid(training=CURRENT)
    assert old == current
    assert old.training_of("pos") == config(tokens_per_batch=512, max_length=64, max_grad_norm=2.0)


def test_the_digest_of_a_study_has_the_old_names_of_training_keys() -> None:
    """Stores keep the plan of a study under this digest."""
    own = {"pos": {"sources": ["ud:en_ewt"], "training": CURRENT}}
    assert OLD.items() <= grid(training=CURRENT).grid["training"].items()
    assert grid(tasks=own).grid["tasks"]["pos"]["training"] == OLD
    own_old = {"pos": {"sources": ["ud:en_ewt"], "training": OLD}}
    assert grid(tasks=own).digest == grid(tasks=own_old).digest == "3e32df6dd0fc7463"


@pytest.mark.parametrize("study_wide", [OLD, CURRENT])
@pytest.mark.parametrize("key", ["batch_pieces", "tokens_per_batch"])
def test_a_task_overrides_a_key_under_either_name(study_wide: dict[str, Any], key: str) -> None:
    own = {"pos": {"sources": ["ud:en_ewt"], "training": {key: 256}}}
    merged = grid(training=study_wide, tasks=own).training_of("pos")
    assert merged == config(tokens_per_batch=256, max_length=64, max_grad_norm=2.0)


# Short names of encoders

NAMED = {"name": "org/multilingual-e5-small", "short_name": "e5-small"}


def test_a_short_name_is_the_last_part_of_the_name_or_as_given() -> None:
    named, plain, revised = grid(
        encoders=[NAMED, "folder/bert/", {"name": "org/bert", "revision": "v2"}]
    ).encoders
    assert [e.short_name for e in (named, plain, revised)] == ["e5-small", "bert", "bert@v2"]
    assert [e.label for e in (named, plain, revised)] == [
        "org/multilingual-e5-small",
        "folder/bert/",
        "org/bert@v2",
    ]


def test_a_short_name_is_neither_in_the_address_nor_in_the_digest() -> None:
    named, plain = grid(encoders=[NAMED]), grid(encoders=[NAMED["name"]])
    assert named.digest == plain.digest
    (first, *_), (second, *_) = (expand(study, blocks(2)) for study in (named, plain))
    assert first.address == second.address


def test_a_run_without_a_short_name_is_stored_as_before() -> None:
    assert RunSpec.model_validate(PLAIN).model_dump(mode="json") == {**PLAIN, "similarity": None}


def test_a_run_keeps_its_short_name() -> None:
    run = RunSpec.model_validate({**PLAIN, "encoder": NAMED})
    assert run.model_dump(mode="json")["encoder"]["short_name"] == "e5-small"
    assert RunSpec.model_validate_json(run.model_dump_json()) == run


def test_two_encoders_with_one_short_name_are_refused(read: Callable[[str], Study]) -> None:
    named = '{ name = "NAME", short_name = "e5-small" }'
    encoders = ", ".join(named.replace("NAME", name) for name in ("a/b", "c"))
    message = r"encoders: a/b and c have the same short name, e5-small\.$"
    with pytest.raises(StudyError, match=message):
        read(f"encoders = [{encoders}]\n" + TASKS)


def test_default_short_names_have_as_many_parts_as_it_takes() -> None:
    encoders = grid(encoders=[NAMED, "x/e5-small", "x/a/bert", "x/b/bert", "x/roberta"]).encoders
    assert list(short_names(encoders).values()) == [
        "e5-small",
        "x/e5-small",
        "a/bert",
        "b/bert",
        "roberta",
    ]


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_short_name_is_no_path(name: str, read: Callable[[str], Study]) -> None:
    with pytest.raises(StudyError, match=r"encoders\.0\.short_name: "):
        read(f'encoders = [{{ name = "a", short_name = "{name}" }}]\n' + TASKS)


# Addresses

PLAIN: dict[str, Any] = {
    "encoder": {"name": "enc", "revision": "main", "remote_code": False},
    "identity": "enc@main",
    "task": "pos",
    "source": "ud:en_ewt",
    "evaluated": ["ud:en_ewt", "ud:de_gsd"],
    "window": None,
    "init": None,
    "adapters": None,
    "seed": 1,
    "training": {
        "epochs": 3,
        "learning_rate": 5e-5,
        "head_learning_rate": 1e-3,
        "batch_pieces": 1024,
        "warmup": 0.1,
        "weight_decay": 0.01,
        "clip": 1.0,
        "pooling": "first",
        "max_pieces": 256,
        "precision": "auto",
    },
    "limits": {"train": None, "dev": None, "test": None},
}
"""A run in full, every default spelt out."""

OTHER: dict[str, Any] = {
    "encoder.remote_code": True,
    "identity": "enc@v1",
    "task": "parsing",
    "source": "ud:en_gum",
    "evaluated": ["ud:de_gsd", "ud:en_ewt"],
    "window": "0-1",
    "init": "config",
    "adapters": "reset",
    "seed": 2,
    "task_version": "2",
    "freeze": "window",
    "supervised": True,
    "training.epochs": 4,
    "training.learning_rate": 4e-5,
    "training.head_learning_rate": 2e-3,
    "training.batch_pieces": 1025,
    "training.warmup": 0.2,
    "training.schedule": "cosine",
    "training.words": "surface",
    "training.weight_decay": 0.0,
    "training.clip": 1.1,
    "training.pooling": "mean",
    "training.max_pieces": 255,
    "training.precision": "fp32",
    "limits.train": 1,
    "limits.dev": 1,
    "limits.test": 1,
    "similarity": {"corpora": ["ud:en_pud", "ud:de_pud"]},
}
"""One other value for every field that could change a number."""

NOT_IN_IT = {"encoder.name", "encoder.revision", "encoder.short_name"}
"""Where an encoder lies; ``identity`` says which one it is."""


def leaves(model: type[BaseModel], prefix: str = "") -> set[str]:
    """The dotted names, as stored, of all fields of a model and of the models inside it."""
    found = set()
    for name, about in model.model_fields.items():
        kind = about.annotation
        name = about.serialization_alias or name
        inner = isinstance(kind, type) and issubclass(kind, BaseModel)
        found |= leaves(kind, f"{prefix}{name}.") if inner else {prefix + name}  # type: ignore[arg-type]
    return found


def changed(place: str, value: Any) -> RunSpec:
    """``PLAIN`` with another value at one place."""
    *tables, key = place.split(".")
    content = json.loads(json.dumps(PLAIN))
    table = content
    for name in tables:
        table = table[name]
    assert table.get(key) != value
    table[key] = value
    return RunSpec.model_validate(content)


def test_the_address_tests_cover_every_field() -> None:
    assert OTHER.keys() == leaves(RunSpec) - NOT_IN_IT


def test_every_field_changes_the_address() -> None:
    plain = RunSpec.model_validate(PLAIN).address
    addresses = {place: changed(place, value).address for place, value in OTHER.items()}
    assert plain not in addresses.values()
    assert len(set(addresses.values())) == len(addresses)


def test_a_task_without_a_version_is_stored_as_before() -> None:
    run = RunSpec.model_validate(PLAIN)
    assert "task_version" not in run.model_dump(mode="json")
    versioned = run.model_copy(update={"task_version": "2"})
    assert RunSpec.model_validate(versioned.model_dump(mode="json")) == versioned


@pytest.mark.parametrize(
    "other",
    [
        {"corpora": ["ud:en_pud", "ud:fr_pud"]},
        {"measures": ["cka"]},
        {"layers": "0-3"},
        {"split": "dev"},
        {"limit": 100},
        {"pooling": "first"},
        {"words": True},
        {"text": "words"},
        {"measures": ["mutual-knn"]},
        {"runs": "all"},
        {"drift": False},
    ],
)
def test_every_field_of_a_similarity_changes_the_address(other: dict[str, Any]) -> None:
    assert len(SimilarityConfig.model_fields) == 11
    plain = OTHER["similarity"]
    assert changed("similarity", {**plain, **other}) != changed("similarity", plain)


@pytest.mark.parametrize("place", sorted(NOT_IN_IT))
def test_the_location_of_an_encoder_does_not_change_the_address(place: str) -> None:
    assert changed(place, "elsewhere").address == RunSpec.model_validate(PLAIN).address


def test_an_address_is_a_digest_of_everything() -> None:
    """Computed anew from the run in full: defaults are in it, and so is the recipe."""
    content = {"recipe": 1, **PLAIN, "encoder": {"remote_code": False}}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    assert RunSpec.model_validate(PLAIN).address == digest[:16]


def test_the_recipe_changes_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunSpec.model_validate(PLAIN)
    before = run.address
    monkeypatch.setattr(alignscope.config.run, "RECIPE", alignscope.config.run.RECIPE + 1)
    assert run.address != before


def test_golden_addresses() -> None:
    """Results lie under these names: change what goes into them and raise ``RECIPE`` knowingly."""
    found = expand(grid(windows=["0-1", "4"], seeds=[7]), blocks(12))
    assert [run.address for run in found] == [
        "2111a93a0364433e",
        "39a7811ca9a306e0",
        "852629f97d4191e8",
    ]
    assert RunSpec.model_validate(PLAIN).address == "651fa74aa9b91471"


def test_explicit_defaults_give_the_same_addresses() -> None:
    said = grid(training=config().model_dump(), limits=SplitLimits().model_dump(), seeds=[1])
    assert [run.address for run in expand(said, blocks(12))] == [
        run.address for run in expand(grid(), blocks(12))
    ]


def test_the_digest_of_a_study_is_of_its_grid() -> None:
    plain = grid()
    assert plain.digest == grid(name="other", data=["elsewhere"]).digest
    others = [grid(seeds=[2]), grid(windows=["all"]), grid(encoders=["b"]), grid(limits={"dev": 1})]
    assert len({plain.digest, *(other.digest for other in others)}) == 5


def test_a_study_without_encoders_matches_any() -> None:
    asked, run_with = grid(encoders=[]), grid(encoders=["b"])
    assert asked.matches(run_with.grid)
    assert not grid(encoders=["a"]).matches(run_with.grid)
    assert not grid(encoders=[], seeds=[2]).matches(run_with.grid)


def test_labels_are_short() -> None:
    assert RunSpec.model_validate(PLAIN).label == "pos ud:en_ewt REF seed 1"
    ablated = RunSpec.model_validate({**PLAIN, "window": "0-1", "init": "config"})
    assert ablated.label == "pos ud:en_ewt 0-1 (config) seed 1"


SIMILARITY = {"corpora": ["ud:en_pud", "ud:de_pud", "ud:fr_pud"]}


def test_ref_runs_compare_languages_and_ablated_runs_if_configured() -> None:
    asked = grid(windows=["0-1"], similarity=SIMILARITY)
    first, second = expand(asked, blocks(12))
    assert first.similarity is not None
    assert first.similarity.corpus_of("ud:en_ewt") == "ud:en_pud"
    assert second.similarity is None
    assert second.address == expand(grid(windows=["0-1"]), blocks(12))[1].address
    everywhere = grid(windows=["0-1"], similarity={**SIMILARITY, "runs": "all"})
    assert all(run.similarity is not None for run in expand(everywhere, blocks(12)))


def test_a_study_without_similarity_keeps_its_digest() -> None:
    assert "similarity" not in grid().grid
    assert grid().digest != grid(similarity=SIMILARITY).digest


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"corpora": ["ud:fr_pud", "ud:de_pud"]}, "one in the language of ud:en_ewt, en,.*are 0"),
        ({"corpora": ["ud:en_pud", "ud:en_gum"]}, "in the language of ud:en_ewt, en,.*There are 2"),
        ({"corpora": ["ud:en_pud"]}, "similarity.corpora: .*at least 2"),
        ({"corpora": ["ud:en_pud", "ud:en_pud"]}, "ud:en_pud is given twice"),
        (
            {"measures": ["cca"]},
            r"similarity.measures.0: cca is not a measure; did you mean 'svcca'\? Known are: cka, ",
        ),
        ({"measure": ["cka"]}, "similarity.measure is not a key; did you mean 'measures'"),
        ({"limit": 10}, "similarity.limit: .*20"),
        ({"layers": "1-"}, "similarity.layers: 1- is not a list of layers. Write it like 0-3,8"),
        ({"words": True, "pooling": "last"}, "`pooling` cannot be combined with `words`"),
    ],
)
def test_invalid_similarity_is_refused(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    asked = {**SIMILARITY, **given}
    lines = [f"{key} = {json.dumps(value)}" for key, value in asked.items()]
    path = tmp_path / "study.toml"
    text = "\n".join(["[tasks.pos]", 'sources = ["ud:en_ewt"]', "[similarity]", *lines])
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        read_study(path)


# Supervised corpora

SUPERVISED = {
    "sources": ["ud:en_ewt", "ud:fr_gsd"],
    "targets": ["ud:de_pud", "ud:de_lit", "ud:fr_pud", "ud:tr_pud"],
    "supervised": ["ud:de_gsd", "ud:fr_gsd"],
}


def test_supervised_corpora_have_ref_runs_in_every_seed() -> None:
    study = grid(tasks={"pos": SUPERVISED}, seeds=[1, 2], similarity=PARALLEL)
    runs = expand(study, blocks(4))
    without = expand(
        grid(tasks={"pos": SUPERVISED | {"supervised": []}}, seeds=[1, 2], similarity=PARALLEL),
        blocks(4),
    )
    assert [run for run in runs if not run.supervised] == without
    added = [run for run in runs if run.supervised]
    assert [(run.source, run.seed, run.window) for run in added] == [
        ("ud:de_gsd", 1, None),
        ("ud:de_gsd", 2, None),
    ]
    assert {run.evaluated for run in added} == {("ud:de_gsd", "ud:de_pud", "ud:de_lit")}
    assert {run.similarity for run in added} == {None}
    assert {run.training for run in added} == {run.training for run in without}
    assert added[0].label == "pos ud:de_gsd (supervised) REF seed 1"


PARALLEL = {"corpora": ["ud:en_pud", "ud:fr_pud", "ud:de_pud"]}


def test_supervised_runs_have_addresses_of_their_own() -> None:
    study = grid(tasks={"pos": SUPERVISED})
    (added,) = [run for run in expand(study, blocks(4)) if run.supervised]
    plain = added.model_copy(update={"supervised": False})
    assert plain.address != added.address
    assert "supervised" not in plain.model_dump()
    assert RunSpec.model_validate(added.model_dump()) == added


def test_a_study_without_supervised_corpora_is_stored_as_before() -> None:
    assert "supervised" not in grid().grid["tasks"]["pos"]
    stored = grid(tasks={"pos": SUPERVISED}).grid["tasks"]["pos"]
    assert stored["supervised"] == ["ud:de_gsd", "ud:fr_gsd"]


def test_a_supervised_corpus_needs_a_target_in_its_language(
    read: Callable[[str], Study],
) -> None:
    message = "supervised has ud:cs_cac, but no target is in its language, cs"
    with pytest.raises(StudyError, match=message):
        read(TASKS + 'targets = ["ud:de_pud"]\nsupervised = ["ud:cs_cac"]\n')
