"""Data: where images come from, how they become batches, and the reference diagrams of those batches."""
