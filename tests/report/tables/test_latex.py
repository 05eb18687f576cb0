"""pdflatex compiles the LaTeX of every table."""

import shutil
import subprocess
from pathlib import Path

import pytest

from alignscope.analysis.results import StudyResults
from alignscope.report.page import Report
from tests.helpers.imagined import build

PDFLATEX = shutil.which("pdflatex")


@pytest.mark.slow
@pytest.mark.skipif(PDFLATEX is None, reason="needs pdflatex (Debian's texlive-latex-recommended)")
def test_every_table_compiles(tmp_path: Path) -> None:
    study, store = build(tmp_path)
    report = Report(study.name, StudyResults.of(study, store))
    body = []
    for table in report.tables:
        for name, content in table.write().items():
            if name.endswith(".tex"):
                (tmp_path / name).write_bytes(content)
                body.append(f"\\resizebox{{\\textwidth}}{{!}}{{\\input{{{name}}}}}\\par\n")
    assert len(body) >= 7
    head = "\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\n"
    (tmp_path / "all.tex").write_text(head + "".join(body) + "\\end{document}\n")
    ended = subprocess.run(
        [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 5000
