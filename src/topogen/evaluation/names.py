"""Names of the metrics of images, for those who measure them and those who describe them."""

# Feature space -> ending of the metrics that are taken in it.
SPACES = {
    "the features of the classifier": "",
    "the principal components of the training pixels": "_pixels",
}

# Metric of a set of images -> its name for prior samples, and for reconstructions.
GENERATION = {
    "frechet": "frechet_prior",
    "kernel": "kernel_prior",
    "precision": "precision",
    "recall": "recall",
    "density": "density",
    "coverage": "coverage",
    "mean_distance": "mean_distance",
    "classes_covered": "classes_covered",
    "class_entropy": "class_entropy",
}
RECONSTRUCTION = {name: f"{name}_reconstruction" for name in GENERATION}

# Measure of an embedding -> 1 if higher is better, -1 if lower is. KL_s: of densities of width s.
EMBEDDING = {
    "KL_0.01": -1,
    "KL_0.1": -1,
    "KL_1": -1,
    "MRRE": -1,
    "continuity": 1,
    "trustworthiness": 1,
    "RMSE": -1,
    "reconstruction": -1,
}
