"""No job's parameters change unless somebody means it: a change makes finished results old."""

import pytest
from jobs import FILES, golden


@pytest.fixture(scope="module")
def copy_of_repository(repository):
    return repository()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_job_has_the_parameters_that_are_listed(copy_of_repository, monkeypatch, file):
    monkeypatch.chdir(copy_of_repository)
    expected, found = file.read_text().splitlines(), golden(FILES[file]).splitlines()
    if expected[0] != found[0]:
        pytest.skip(
            "another configuration than the listed one; to list its jobs: python tests/workflow/jobs.py"
        )
    assert found == expected
