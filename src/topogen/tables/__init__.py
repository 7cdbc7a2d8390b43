"""Tables as text, for people; one module for each stage."""
