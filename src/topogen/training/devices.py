"""Which GPUs torch can use; run as a script, this file prints it, and why torch cannot use the others."""

import json
import sys

import torch


def usable() -> list[bool]:
    """Whether a computation works on each of the GPUs that torch sees, in torch's order.

    A GPU that nvidia-smi lists may be useless: its driver is too old, or torch has no code for its kind.
    """
    return [_computes(torch.device("cuda", index)) for index in range(torch.cuda.device_count())]


def _computes(device: torch.device) -> bool:
    try:
        return torch.ones(2, device=device).sum().item() == 2
    except RuntimeError as error:
        print(f"{device}: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    if torch.version.cuda is None:
        print("This build of torch is for the CPU alone.", file=sys.stderr)
    print(json.dumps(usable()))
