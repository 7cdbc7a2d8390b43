"""The thesis' concepts and propositions, drawn and checked numerically."""
