"""Figures from ready numbers: each function takes tables or arrays, draws, and saves nothing."""
