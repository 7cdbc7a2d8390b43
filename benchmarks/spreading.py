"""Gradients that move the whole cloud, shown: part of `make benchmark`.

A planar cloud descends towards the diagrams of a larger circle under the bottleneck distances of degree 0
and 1, in four ways, and a batch of images takes one step in each. Writes docs/spreading.md and
docs/spreading.png. Images are those that rule prepare makes, where they are there.
"""

from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from conformance import table
from layer import images
from torch import Tensor

from topogen.plotting.style import model_colours, save, use_style
from torchrips import batched_rips_diagrams, random_subsets, rips_diagrams, spread_gradient
from torchrips.distances import bottleneck

ROOT = Path(__file__).parents[1]
PAGE, FIGURE = (ROOT / "docs" / name for name in ("spreading.md", "spreading.png"))

POINTS, STEPS, LONGEST = 40, 150, 0.05  # of the descent; no point moves farther than LONGEST in a step
SUBSETS = 8
SHARES = (0.5, 0.25)
Loss = Callable[[Tensor], Tensor]

TEXT = """\
# Gradients that move the whole cloud

Made by `make benchmark`. The loss is the bottleneck distance of degree 0 plus that of degree 1, whose
gradient moves few points. *Spread*: `spread_gradient`, the diffeomorphic interpolation of that gradient.
*Subsets*: the mean over {subsets} `random_subsets` of half of the points; every step draws new ones. *Both*:
one after the other. The table and the figure always show the loss of the whole cloud.

## {points} planar points, from a noisy circle towards one that is 1.4 times as large

Gradient descent of {steps} steps. In each step the point that moves most moves by {longest}.

![Loss over the steps, and the clouds at the end](spreading.png)

{planar}

The diagrams of subsets differ from that of the whole cloud: above all, their bars of degree 0 are longer.
So the mean over subsets has its minimum elsewhere. It is the wrong remedy if the reference has as many points
as the cloud.

## One batch of images

128 images, towards the diagrams of the same images at half of their contrast. One step against the
gradient, whose length over all images together is given.

{batch}
"""


def main() -> None:
    """Descend, and write the page and the figure."""
    torch.set_num_threads(1)
    start, target = circle(1, noise=0.1), circle(1.4, noise=0)
    losses, ends, moved = {}, {}, {}
    for name, loss in ways(towards(target), sigma=0.3).items():
        losses[name], ends[name], moved[name] = descend(start, loss, towards(target))
    draw(losses, {"start": start, **ends})
    rows = [
        (
            name,
            str(moved[name]),
            f"{losses[name][-1]:.3f}",
            *(steps_until(losses[name], share) for share in SHARES),
        )
        for name in losses
    ]
    head = ("way", "points moved in the first step", f"loss after {STEPS} steps")
    planar = table([(*head, *(f"steps to {share:g} of the first loss" for share in SHARES)), *rows])
    page = TEXT.format(
        subsets=SUBSETS,
        points=POINTS,
        steps=STEPS,
        longest=LONGEST,
        planar=planar,
        batch=batch_table(),
    )
    PAGE.write_text(page)
    print(page)


def circle(radius: float, noise: float) -> Tensor:
    angles = torch.arange(POINTS) * 2 * torch.pi / POINTS
    moved = noise * torch.randn(POINTS, 2, generator=torch.manual_seed(0))
    return radius * torch.stack([angles.cos(), angles.sin()], dim=1) + moved


def towards(target: Tensor) -> Callable[[tuple[Tensor, ...]], Tensor]:
    """Sum of the bottleneck distances of degree 0 and 1 to the diagrams of the target."""
    references = rips_diagrams(target)

    def loss(diagrams: tuple[Tensor, ...]) -> Tensor:
        return torch.stack([bottleneck(*pair) for pair in zip(diagrams, references, strict=True)]).sum()

    return loss


def ways(loss: Callable[[tuple[Tensor, ...]], Tensor], sigma: float) -> dict[str, Loss]:
    """The loss of a cloud, as it is and in the ways that move more of it."""
    stream = torch.Generator().manual_seed(0)

    def of_subsets(points: Tensor) -> Tensor:
        subsets = random_subsets(points, len(points) // 2, SUBSETS, stream)
        return torch.stack([loss(diagrams) for diagrams in batched_rips_diagrams(subsets)]).mean()

    return {
        "plain": lambda points: loss(rips_diagrams(points)),
        "spread": lambda points: loss(rips_diagrams(spread_gradient(points, sigma))),
        "subsets": of_subsets,
        "both": lambda points: of_subsets(spread_gradient(points, sigma)),
    }


def gradient_of(loss: Loss, cloud: Tensor) -> Tensor:
    points = cloud.clone().requires_grad_()
    return torch.autograd.grad(loss(points), points)[0]


def descend(
    cloud: Tensor, loss: Loss, shown: Callable[[tuple[Tensor, ...]], Tensor]
) -> tuple[list[float], Tensor, int]:
    """Losses of the whole cloud before and after each step, the last cloud, and the points moved at first."""
    losses = [float(shown(rips_diagrams(cloud)))]
    for step in range(STEPS):
        gradient = gradient_of(loss, cloud)
        if step == 0:
            moved = int(gradient.any(dim=1).sum())
        cloud = cloud - LONGEST * gradient / gradient.norm(dim=1).max().clamp(min=1e-12)
        losses.append(float(shown(rips_diagrams(cloud))))
    return losses, cloud, moved


def steps_until(losses: list[float], share: float) -> str:
    """Number of the first step after which the loss is at most a share of the first one."""
    reached = np.flatnonzero(np.array(losses) <= share * losses[0])
    return str(reached[0]) if len(reached) else "-"


def batch_table() -> str:
    """Images moved by one gradient, and the loss before and after a step along it."""
    clouds = images()
    if not clouds:
        return "Without images: `make results` makes them."
    (batch,) = (cloud(128, 0) for cloud in clouds.values())
    loss = towards(batch / 2)
    before = float(loss(rips_diagrams(batch)))
    lengths = (0.5, 2.0)
    rows = []
    for name, way in ways(loss, sigma=5.0).items():
        gradient = gradient_of(way, batch)
        after = [
            float(loss(rips_diagrams(batch - length * gradient / gradient.norm()))) for length in lengths
        ]
        rows.append(
            (name, str(int(gradient.any(dim=1).sum())), f"{before:.3f}", *(f"{x:.3f}" for x in after))
        )
    return table(
        [("way", "images moved", "loss before", *(f"after a step of {x:g}" for x in lengths)), *rows]
    )


def draw(losses: dict[str, list[float]], clouds: dict[str, Tensor]) -> None:
    """Losses over the steps, and the clouds."""
    use_style()
    colours = model_colours(list(losses))
    figure, axes = plt.subplots(1, 1 + len(clouds), figsize=(14, 2.9), width_ratios=[1.6] + [1] * len(clouds))
    for name, values in losses.items():
        axes[0].plot(values, label=name, color=colours[name])
    axes[0].set(xlabel="step", ylabel="loss of the whole cloud", ylim=(0, None))
    axes[0].legend(loc="upper right")
    for ax, (name, cloud) in zip(axes[1:], clouds.items(), strict=True):
        ax.scatter(*cloud.T, s=8, color=colours.get(name, "black"))
        ax.set(title=name, aspect="equal", xlim=(-1.8, 1.8), ylim=(-1.8, 1.8))
    figure.tight_layout()
    save(figure, FIGURE)


if __name__ == "__main__":
    main()
