"""The description of one table."""

from dataclasses import dataclass

from alignscope.results.columns import Columns


@dataclass(frozen=True)
class TableSpec:
    """A table of a study.

    >>> from alignscope.results.specs import TABLES
    >>> TABLES["effects"].columns["fixed"].meaning
    'the effect as the mean over languages, for these languages'
    >>> TABLES["effects"].columns["fixed"].in_points
    True
    """

    name: str
    """The name on the command line and the attribute of `StudyResults`."""
    title: str
    description: str
    """One sentence for help texts and documentation."""
    columns: Columns
    display: str = "plain"
    """The name of the layout in which the table is shown (`report.tables.display`)."""

    @property
    def in_points(self) -> frozenset[str]:
        """The columns that hold fractions and are shown in points."""
        return frozenset(name for name, column in self.columns.items() if column.in_points)
