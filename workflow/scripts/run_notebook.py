"""Execute a notebook with its rule's inputs, outputs and arguments as parameters; keep it, also as HTML."""

import json
import os
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

# Jupyter works in a folder of this job alone: the home may be read-only, and kernels that run at one time
# would lock one history database.
scratch = tempfile.TemporaryDirectory()
os.environ |= dict.fromkeys(("IPYTHONDIR", "JUPYTER_PATH", "JUPYTER_RUNTIME_DIR"), scratch.name)

try:
    from ipykernel.kernelspec import write_kernel_spec
except ImportError as error:
    sys.exit(f"The notebook kernel python3 is missing, install ipykernel in this environment: {error}")
import papermill
from nbconvert import HTMLExporter
from traitlets.config import Config

from topogen.files import save_text

# The kernel of this Python: JUPYTER_PATH or the home may hold another one of the same name.
write_kernel_spec(Path(scratch.name, "kernels", "python3"))
# Sockets in the folder, because a free port that was found may be taken when the kernel gets to use it.
sockets = Config(
    KernelManager={"transport": "ipc", "connection_file": str(Path(scratch.name, "kernel.json"))}
)

files = {
    name: value if isinstance(value, str) else list(value)
    for group in (snakemake.input, snakemake.output)
    for name, value in group.items()
    if name not in ("notebook", "code", "html")
}
parameters = files | json.loads(snakemake.params.arguments)
# Neither an output, which a failure deletes, nor a log, which Snakemake prints: so the traceback is kept.
executed = Path(snakemake.output.html).with_suffix(".ipynb")
page = papermill.execute_notebook(
    snakemake.input.notebook,
    executed,
    parameters,
    kernel_name="python3",
    progress_bar=False,
    log_output=True,
    config=sockets,
)
if notice := snakemake.config.get("notice"):
    page.cells[0].source = f"**{escape(notice)}**\n\n{page.cells[0].source}"
# The page loads nothing from elsewhere: the report can be read without a network.
urls = ("require_js_url", "mathjax_url", "mermaid_js_url", "mermaid_layout_elk_js_url")
exporter = HTMLExporter(template_name="lab", **dict.fromkeys(urls, ""))
html, _ = exporter.from_notebook_node(page, {"metadata": {"name": executed.stem}})
tables = Path(snakemake.scriptdir, "../report/tables.html").read_text(encoding="utf-8")
save_text(snakemake.output.html, html.replace("</body>", f"{tables}</body>"))
