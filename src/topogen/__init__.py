"""The study: from data to the verdicts on the thesis *TopoGen: topology-informed generative models*."""
