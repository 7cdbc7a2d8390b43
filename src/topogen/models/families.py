"""What training and evaluation ask of a family of models, and how a family is found by its name.

A family is a module of this package with a class ``Model``. Its name is the `architecture` of a model in
config.yaml. Nothing else names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Cloud:
    """One point for each image of a batch, offered to the regularizers.

    Attributes:
        points: what the diagram is of, shape (b, d), detached from the graph.
        place: tensor of the graph that the points are made of; there the gradients of the regularizers enter,
            and there their sizes are compared with that of the data term.
        slope: derivative of the points by the place, entry by entry, as factors that are multiplied one after
            the other, each of the place's shape; empty if the points are the place itself.

    """

    points: Tensor
    place: Tensor
    slope: tuple[Tensor, ...] = ()

    def carry(self, gradients: Tensor) -> Tensor:
        """Gradients on the place, shape (k, *the place's), from k gradients on the points, of any device."""
        gradients = gradients.to(self.place.device).reshape(-1, *self.place.shape)
        for factor in self.slope:
            gradients = gradients * factor
        return gradients


@dataclass(frozen=True)
class Outcome:
    """What a model makes of a batch of b images.

    Attributes:
        losses: terms of the loss by name, each summed over the batch; the first one is the data term. If that
            is the cross-entropy of images and reconstruction, call it ``bce``: r(s) compares this term.
        loss: weighted sum of the terms, which training lowers.
        data_gradient: gradient of the data term at the place of the cloud ``output``.
        clouds: by name, such as ``output``, ``latent`` and ``features``, those of an encoder.
        reconstructions: images in [0, 1], shape (b, channels, height, width), if the model makes any.
        latents: codes of the images by name, shape (b, d): ``z``, sampled, and ``mean``; empty if the model
            does not encode.

    """

    losses: Mapping[str, Tensor]
    loss: Tensor
    data_gradient: Tensor
    clouds: Mapping[str, Cloud]
    reconstructions: Tensor | None = None
    latents: Mapping[str, Tensor] = field(default_factory=dict)


class Family(nn.Module):
    """A model that can be trained and evaluated; each family defines a subclass called ``Model``.

    Its arguments are the ``shape`` of an image, (channels, height, width), and options of the family. These
    are keys of a model in config.yaml.

    Attributes:
        noise_dim: normal draws that the model takes for each image.
        betas: of Adam, decays of the means of gradients and of their squares.
        stackable: whether :func:`topogen.training.stack.pass_together` can compute models of several seeds
            at a time. It cannot if in ``forward`` Python decides by a tensor's value, if random numbers are
            drawn there, or if it uses a tensor of the model that is neither a parameter nor a buffer. Then
            the family is also one of ``NOT_STACKABLE`` in offered.py.

    """

    noise_dim: int = 0
    betas: tuple[float, float] = (0.9, 0.999)
    stackable: bool = True

    def forward(self, images: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        """All that is computed image by image, so that chunks of a large batch can be put together.

        Args:
            images: levels in [0, 1], shape (b, channels, height, width).
            noise: standard normal draws, shape (b, noise_dim).

        Returns:
            Tensors with one row for each image.

        """
        raise NotImplementedError

    def outcome(self, passed: tuple[Tensor, ...], images: Tensor) -> Outcome:
        """Losses, clouds and products of what :meth:`forward` returned for these images."""
        raise NotImplementedError

    def adversary_loss(self, passed: tuple[Tensor, ...], images: Tensor) -> Tensor | None:
        """Loss of a part of the model that works against the rest, summed over the batch; None: no such part.

        In every step this part is updated before :meth:`outcome` is asked for. This loss must not reach the
        other weights, and the loss of the outcome, which is for those, must not reach this part.
        """
        return None

    def outcome_at_mean(self, images: Tensor) -> Outcome:
        """Outcome of images, shape (b, channels, height, width), each by the mean of its posterior: no draws.

        A model whose noise is not the deviation from that mean says here how it reconstructs from the mean.
        """
        return self.outcome(self(images, images.new_zeros(len(images), self.noise_dim)), images)

    def sample(self, noise: Tensor) -> Tensor | None:
        """Images in [0, 1] from draws of the prior, shape (b, noise_dim); None if the model cannot sample."""
        return None

    def prior_cloud(self, noise: Tensor) -> Cloud | None:
        """What :meth:`sample` makes of draws of the prior, shape (b, noise_dim), as a cloud, or None."""
        return None


def build(architecture: str, shape: tuple[int, int, int], options: Mapping[str, Any]) -> Family:
    """A new model, its weights drawn from torch's global stream.

    Args:
        architecture: name of the family's module.
        shape: channels, height and width of an image.
        options: of the family.

    """
    model: Family = import_module(f"topogen.models.{architecture}").Model(shape, **options)
    return model


def rebuild(built: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Family:
    """The model that has these weights, to be looked at: layers that learn from each batch learn no more.

    Args:
        built: arguments of :func:`build`, as a checkpoint keeps them.
        weights: by name.

    """
    model = build(**built)
    model.load_state_dict(weights)
    return model.eval()
