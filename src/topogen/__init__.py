"""TopoGen: differentiable Rips persistence diagrams and topology-informed generative models."""
