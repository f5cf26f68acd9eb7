# Owns low-rank adapters (Hu et al. 2022, "LoRA") and dropout in models of transformers, by the names and sizes of a Pharos specification.
# Refuses to know data and updates.

import math
import re

import torch
import torch.nn.functional as F

IN_LAYER = re.compile(r"(^|\.)(layers?|h)\.\d+\.")


class Adapted(torch.nn.Module):
    """y = x W^T + (alpha / rank) (x A^T) B^T, with W as it was."""

    def __init__(self, base, rank, alpha):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        bound = 1 / math.sqrt(base.in_features)
        self.lora_A = torch.nn.Parameter(torch.empty(rank, base.in_features, device=base.weight.device).uniform_(-bound, bound))
        self.lora_B = torch.nn.Parameter(torch.zeros(base.out_features, rank, device=base.weight.device))

    def forward(self, x):
        return self.base(x) + self.scale * F.linear(F.linear(x, self.lora_A), self.lora_B)


def adapt(model, rank, alpha, targets=None):
    """Freezes the model and puts adapters on its layers' matrices, or on those of `targets`."""
    model.requires_grad_(False)
    linear = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and IN_LAYER.search(name)]
    if not linear:
        raise ValueError("method: this model has no matrices of torch.nn.Linear in its layers, which adapters need; use the method full")
    known = sorted({name.rsplit(".", 1)[-1] for name in linear})
    for target in targets or []:
        if target not in known:
            raise ValueError(f"there is no matrix {target} in this model's layers; targets of adapters are {', '.join(known)}")
    for name in linear:
        parent, _, last = name.rpartition(".")
        if not targets or last in targets:
            setattr(model.get_submodule(parent), last, Adapted(model.get_submodule(name), rank, alpha))


def merged(weights, scale):
    """Weights by their names in the model as it was: W + (alpha / rank) B A."""
    plain = {}
    for name, value in weights.items():
        if name.endswith((".lora_A", ".lora_B")):
            continue
        stem = name.removesuffix(".base.weight")
        if stem != name and f"{stem}.lora_A" in weights:
            value = (value.float() + scale * weights[f"{stem}.lora_B"].float() @ weights[f"{stem}.lora_A"].float()).to(value.dtype)
        plain[re.sub(r"\.base\.(weight|bias)$", r".\1", name)] = value
    return plain


def set_dropout(model, rate):
    """Drops from the embedding's rows and from what each block adds, and nothing else, whatever the model's configuration says."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = 0.0

    def dropped(module, _, output):
        if isinstance(output, tuple):
            return (F.dropout(output[0], rate, module.training), *output[1:])
        return F.dropout(output, rate, module.training)

    if rate > 0:
        model.get_input_embeddings().register_forward_hook(dropped)
        for name, module in model.named_modules():
            if IN_LAYER.search(name) and name.rsplit(".", 1)[-1] in ("self_attn", "attn", "mlp", "block_sparse_moe"):
                module.register_forward_hook(dropped)
