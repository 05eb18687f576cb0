"""Execute the notebook beside this file anew, in place: ``python docs/execute.py``.

Needs ``pip install nbclient ipykernel`` where AlignScope is installed, and two minutes. What would
differ from one execution to the next without anything having changed is left out: times, names of
machines and versions, places in memory, and what was said of progress. Warnings stop it.
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
    """Execute all cells of a notebook and write it back; nothing is written if one fails."""
    os.environ["OMP_NUM_THREADS"] = "1"  # sums, and so numbers, depend on how many there are
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # tqdm would rather have widgets
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", record_timing=False, coalesce_streams=True
    ).execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = [tidied(output) for output in cell.outputs if not progress(output)]
    nbformat.write(notebook, path)


def progress(output: Output) -> bool:
    """Whether an output is what was said on the way; a warning is an error."""
    if output.get("name") != "stderr":
        return False
    if "Warning" in output["text"]:
        raise SystemExit(output["text"])
    return True


def tidied(output: Output) -> Output:
    """Forget where in memory an object was."""
    texts = output.get("data", {})
    if "text/plain" in texts:
        texts["text/plain"] = re.sub(r" at 0x[0-9a-f]+", "", texts["text/plain"])
    return output


if __name__ == "__main__":
    execute(NOTEBOOK)
