"""From histories and evaluations to effects, tests and verdicts."""
