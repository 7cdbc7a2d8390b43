"""What each family of models takes and offers, known without torch: mistakes stop a run before any job."""

# Family -> keys of a model that are options of this family.
OPTIONS = {
    "vae": {"latent_dim", "kld_weight"},
    "autoencoder": {"latent_dim", "hidden", "levels"},
    "diffusion": {"widths", "sampling_steps", "average_decay"},
    "gan": {"latent_dim", "widths"},
}
# Family -> clouds of its models that terms may look at.
CLOUDS = {
    "vae": {"output", "latent", "features", "prior"},
    "autoencoder": {"output", "latent", "scaled"},
    "diffusion": {"output"},
    "gan": {"output"},
}
# Family -> what its models can be judged by: terms of their loss, and what they make of images or noise.
PRODUCTS = {
    "vae": {"bce", "kld", "reconstructions", "prior samples", "latent means", "latent samples"},
    "autoencoder": {"reconstructions", "latent means"},
    "diffusion": {"flow_matching", "prior samples"},
    "gan": {"prior samples"},
}
# Families whose models cannot be trained in one stack: `stackable` of theirs is False.
NOT_STACKABLE = {"diffusion"}
# Families of which a part works against the rest and is updated first.
WITH_ADVERSARY = {"gan"}
# Measure of a study -> what it needs of them. The others are named after what they need.
NEEDED = {
    "bce": "bce",
    "kld": "kld",
    "elbo": "kld",  # beside bce
    "bce_test": "bce",
    "flow_matching": "flow_matching",
    "holes": "latent means",
}


def needed_for(measure: str) -> str:
    """What a model must offer, of :data:`PRODUCTS`, to be judged by a measure of a study.

    >>> needed_for("kernel_prior"), needed_for("elbo"), needed_for("neighbours_of_means")
    ('prior samples', 'kld', 'latent means')
    """
    if measure in NEEDED:
        return NEEDED[measure]
    if measure.endswith("_of_means"):
        return "latent means"
    if measure.endswith("_of_samples"):
        return "latent samples"
    return "reconstructions" if "_reconstruction" in measure else "prior samples"
