"""Training of one model from one seed, its loss terms and its random numbers."""
