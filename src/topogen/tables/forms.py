"""The three forms in which people use a table."""

from pathlib import Path

import pandas as pd

from topogen.files import save_text


def save_readable_table(
    table: pd.DataFrame, csv: str | Path, markdown: str | Path, latex: str | Path
) -> None:
    """One table, cells already formatted as text, in the three forms that people use."""
    save_text(csv, table.to_csv(index=False))
    save_text(markdown, table.to_markdown(index=False, disable_numparse=True) + "\n")
    save_text(latex, table.to_latex(index=False, escape=True))
