"""The grid of a study: what its runs are."""

from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.study import Study


def test_controls_change_their_windows_in_other_ways() -> None:
    """A study with controls has the runs of the study without them, and those of the controls."""
    tasks = {"pos": {"sources": ["synthetic:vesti/news"]}}
    common = {"encoders": ["embedded"], "tasks": tasks, "training": {"learning_rate": 1e-3}}
    controls = {"windows": ["0-1", "all"], "init": ["matched", "skip"]}
    controls["freeze"] = ["none", "window"]
    plain = Study.model_validate(common)
    study = Study.model_validate({**common, "controls": controls})
    info = EncoderInfo("a digest", blocks=4)
    before, after = (expand(of, lambda _: info) for of in (plain, study))
    added = [run for run in after if run not in before]
    assert [run for run in after if run in before] == before
    assert [(run.init_label, run.window) for run in added] == [
        ("matched", "0-1"), ("matched", "0-3"),
        ("matched, frozen", "0-1"), ("matched, frozen", "0-3"),
        ("skip", "0-1"), ("skip", "0-3"),
    ]  # fmt: skip
    assert plain.digest != study.digest
    assert "controls" not in plain.grid
