"""Low-rank updates (Hu et al. 2021) in place of whole weights, for models too large to train wholly."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LowRankLinear(nn.Linear):
    """x Wᵀ + x Aᵀ Bᵀ + b, of which only A [rank, in] and B [out, rank] learn; B begins at zero."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        self.lora_A = nn.Parameter(torch.empty(rank, linear.in_features, device=linear.weight.device))
        self.lora_B = nn.Parameter(torch.zeros(linear.out_features, rank, device=linear.weight.device))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias) + F.linear(F.linear(x, self.lora_A.to(x.dtype)), self.lora_B.to(x.dtype))


def adapted(model: nn.Module, rank: int) -> None:
    """Every linear layer of the model's blocks that learns is given an update of that rank, and then alone learns."""
    for name, module in list(model.named_modules()):
        for child, linear in list(module.named_children()):
            if name.startswith("blocks.") and isinstance(linear, nn.Linear) and linear.weight.requires_grad:
                setattr(module, child, LowRankLinear(linear, rank))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name)


def as_files_name_them(name: str) -> str:
    """`…q.lora_A` as `…q.lora_A.weight`: the spelling that `engines.checkpoints.merged` and others read."""
    return f"{name}.weight" if name.endswith((".lora_A", ".lora_B")) else name
