"""Evaluation of trained models on images that they have not seen."""
