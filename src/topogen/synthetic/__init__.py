"""Experiments on made-up data, and on damaged batches."""
