"""Families of models; each is one module."""
