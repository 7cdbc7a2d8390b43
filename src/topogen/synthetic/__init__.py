"""Experiments on synthetic data, and on damaged batches."""
