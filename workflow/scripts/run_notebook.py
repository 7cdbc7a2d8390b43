"""Execute a notebook with its rule's inputs, outputs and arguments as parameters; keep it, also as HTML."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

scratch = tempfile.TemporaryDirectory()
os.environ["IPYTHONDIR"] = scratch.name  # parallel kernels would lock one history database

try:
    import ipykernel  # noqa: F401 - papermill starts it by name
except ImportError as error:
    sys.exit(f"The notebook kernel python3 is missing, install ipykernel in this environment: {error}")
import papermill
from nbconvert import HTMLExporter

from topogen.files import save_text

files = {
    name: value if isinstance(value, str) else list(value)
    for group in (snakemake.input, snakemake.output)
    for name, value in group.items()
    if name not in ("notebook", "code", "html")
}
parameters = files | json.loads(snakemake.params.arguments)
# Neither an output, which a failure deletes, nor a log, which Snakemake prints: so the traceback is kept.
executed = Path(snakemake.output.html).with_suffix(".ipynb")
papermill.execute_notebook(
    snakemake.input.notebook, executed, parameters, kernel_name="python3", progress_bar=False, log_output=True
)
# The page loads nothing from elsewhere: the report can be read without a network.
urls = ("require_js_url", "mathjax_url", "mermaid_js_url", "mermaid_layout_elk_js_url")
html, _ = HTMLExporter(template_name="lab", **dict.fromkeys(urls, "")).from_filename(str(executed))
save_text(snakemake.output.html, html)
