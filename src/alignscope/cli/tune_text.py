"""The text of the command ``tune``."""

from collections.abc import Iterator

import polars as pl

from alignscope.analysis.learning_rate import RateChoice, RateScore, choose_rate
from alignscope.config.range_test import format_rate
from alignscope.report.tables.export import markdown


def describe_tests(table: pl.DataFrame) -> str:
    """Return a range test as a table, the choice for every source, and the lines to paste."""
    rows = [
        {
            "encoder": row["encoder"],
            "task": row["task"],
            "source": row["source"],
            "learning rate": format_rate(row["learning_rate"]),
            "loss": "" if row["loss"] is None else f"{row['loss']:.3f}",
            "dev score": "diverged" if row["diverged"] else f"{100 * row['dev_score']:.1f}",
            "suggested": "yes" if row["suggested"] else "",
        }
        for row in table.iter_rows(named=True)
    ]
    choices = list(choices_of(table))
    lines = [markdown(pl.DataFrame(rows))]
    for (encoder, task, source), choice in choices:
        rate = "no suggestion" if choice.rate is None else format_rate(choice.rate)
        lines.append(f"{task} from {source}, {encoder}: {rate}. {choice.reason}")
    by_task: dict[str, list[float]] = {}
    for (_, task, _), choice in choices:
        by_task.setdefault(task, []).extend([] if choice.rate is None else [choice.rate])
    return "\n".join([*lines, *_lines_to_paste(by_task)])


def choices_of(table: pl.DataFrame) -> Iterator[tuple[tuple[str, str, str], RateChoice]]:
    """Yield the choice for each encoder, task and source."""
    groups = table.group_by("encoder", "task", "source", maintain_order=True)
    for (encoder, task, source), group in groups:
        tested = list(map(RateScore, group["learning_rate"], group["dev_score"]))
        choice = choose_rate(tested, group["units"][0], group["majority"][0])
        yield (str(encoder), str(task), str(source)), choice


def _lines_to_paste(by_task: dict[str, list[float]]) -> Iterator[str]:
    """Yield the lines of a study file that set the suggested rates."""
    rates = {task: sorted(set(found)) for task, found in by_task.items() if found}
    if not rates:
        return
    yield ""
    if len(rates) == len(by_task) and len({tuple(found) for found in rates.values()}) == 1:
        yield from ("[training]", f"learning_rate = {_as_toml(next(iter(rates.values())))}")
        return
    for task, found in rates.items():
        yield from (f"[tasks.{task}]", f"training = {{ learning_rate = {_as_toml(found)} }}")


def _as_toml(rates: list[float]) -> str:
    """Return a rate, or a list where encoders or sources differ."""
    texts = list(map(format_rate, rates))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
