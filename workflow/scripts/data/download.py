"""Put the files of the dataset into resources/, from the first source that has them intact."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

sys.stdout = sys.stderr = open(snakemake.log[0], "w", buffering=1)  # first: import errors belong in the log

from topogen.data.datasets import KINDS
from topogen.files import save_json

spec = json.loads(snakemake.params.spec)
folder = Path(snakemake.params.folder)
folder.mkdir(parents=True, exist_ok=True)
source = KINDS[spec.get("kind", "idx")].obtain(snakemake.wildcards.dataset, folder, spec)
print(f"taken from: {source}")
save_json(snakemake.output.source, {"source": source, "md5": spec.get("md5", {})})
