"""Execute the notebook of this folder in place: ``python docs/execute.py``.

This takes two minutes and needs ``pip install nbclient ipykernel`` where AlignScope is installed.
Content that would differ between identical executions is removed: times, names of machines and
versions, memory addresses, and progress output. Warnings are errors.
"""

import os
import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("encoder-to-figure.ipynb")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}
Output = dict[str, Any]


def execute(path: Path) -> None:
    """Execute all cells of a notebook and write it back; write nothing if a cell fails."""
    os.environ["OMP_NUM_THREADS"] = "1"  # the order of sums depends on the number of threads
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # tqdm prefers widgets
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", record_timing=False, coalesce_streams=True
    ).execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = [
                without_address(output) for output in cell.outputs if not is_progress(output)
            ]
    nbformat.write(notebook, path)


def is_progress(output: Output) -> bool:
    """Return whether an output is progress on standard error; exit if it is a warning."""
    if output.get("name") != "stderr":
        return False
    if "Warning" in output["text"]:
        raise SystemExit(output["text"])
    return True


def without_address(output: Output) -> Output:
    """Remove memory addresses of objects from an output."""
    texts = output.get("data", {})
    if "text/plain" in texts:
        texts["text/plain"] = re.sub(r" at 0x[0-9a-f]+", "", texts["text/plain"])
    return output


if __name__ == "__main__":
    execute(NOTEBOOK)
