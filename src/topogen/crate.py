"""What an archive holds and which run made it, in words that machines read: a Process Run Crate.

Source:
    RO-Crate 1.1, https://w3id.org/ro/crate/1.1, and Process Run Crate 0.5,
    https://w3id.org/ro/wfrun/process/0.5.
"""

from collections.abc import Mapping
from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Any

CRATE = "ro-crate-metadata.json"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
GIVEN = (
    "results/config.yaml",
    "requirements.lock",
)  # what the run was given; the other results are what it made

# Kinds of files that Python's own table does not know, or not on every machine.
FORMATS = {
    ".ipynb": "application/x-ipynb+json",
    ".lock": "text/plain",
    ".md": "text/markdown",
    ".npy": "application/octet-stream",
    ".npz": "application/zip",
    ".parquet": "application/vnd.apache.parquet",
    ".pt": "application/zip",
    ".tex": "application/x-tex",
    ".tsv": "text/tab-separated-values",
    ".yaml": "application/yaml",
}

Entity = dict[str, Any]


def run_crate(sizes: Mapping[str, int], provenance: Entity, about: Entity) -> Entity:
    """Content of ``ro-crate-metadata.json``.

    Args:
        sizes: path of every other file in the archive -> bytes.
        provenance: what :func:`topogen.provenance.provenance` noted of the run.
        about: title, description, license, creators and keywords of the software.
    """
    license_ = f"https://spdx.org/licenses/{about['license']}"
    description = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": SPECIFICATION},
        "about": {"@id": "./"},
    }
    graph = [
        description,
        _all_files(sizes, provenance, about) | {"license": {"@id": license_}},
        _run(sizes, provenance),
        _software(provenance, about) | {"license": {"@id": license_}},
        {"@id": "#author", "@type": "Organization", "name": about["creators"][0]["name"]},
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": license_, "@type": "CreativeWork", "name": about["license"]},
        *(_file(name, size) for name, size in sizes.items()),
    ]
    return {"@context": f"{SPECIFICATION}/context", "@graph": graph}


def _all_files(sizes: Mapping[str, int], provenance: Entity, about: Entity) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Results of {about['title']}",
        "description": about["description"],
        "keywords": ", ".join(about["keywords"]),
        "datePublished": provenance["time"],
        "author": {"@id": "#author"},
        "conformsTo": {"@id": PROFILE},
        "hasPart": [{"@id": name} for name in sizes],
        "mentions": {"@id": "#run"},
    }


def _run(sizes: Mapping[str, int], provenance: Entity) -> Entity:
    made = [name for name in sizes if name.startswith("results/") and name not in GIVEN]
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "The run of the workflow that made these results",
        "description": f"Python {provenance['python']} on {provenance['machine']['system']}",
        "endTime": provenance["time"],
        "agent": {"@id": "#author"},
        "instrument": {"@id": "#software"},
        "object": [{"@id": name} for name in GIVEN],
        "result": [{"@id": name} for name in made],
    }


def _software(provenance: Entity, about: Entity) -> Entity:
    commit = (provenance["git"] or {}).get("commit", "unknown")
    return {
        "@id": "#software",
        "@type": "SoftwareApplication",
        "name": about["title"],
        "softwareVersion": commit,
    }


def _file(name: str, size: int) -> Entity:
    path = PurePosixPath(name)
    known = FORMATS.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"
    return {
        "@id": name,
        "@type": "File",
        "name": path.name,
        "contentSize": str(size),
        "encodingFormat": known,
    }
