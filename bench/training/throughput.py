# Owns training steps of a Llama model in PyTorch on the CPU, one for each line that comes in: the peer of throughput.ts.
# Refuses to know what it is compared with. Usage: throughput.py MODEL.json (shapes, weights, tokens, threads, clock, compile); each line in is a step, each line out is its loss and seconds.

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

spec = json.load(open(sys.argv[1]))
torch.set_num_threads(spec["threads"])
width, heads, size, layers, ff = (spec[name] for name in ("width", "heads", "headSize", "layers", "feedForward"))


def rotary_tables(steps):
    frequencies = spec["base"] ** (-torch.arange(0, size, 2).float() / size)
    angles = torch.arange(steps).float()[:, None] * frequencies
    return torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)


def rotated(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(width, spec["epsilon"])
        self.self_attn = nn.ModuleDict({f"{name}_proj": nn.Linear(width, width, bias=False) for name in "qkvo"})
        self.post_attention_layernorm = nn.RMSNorm(width, spec["epsilon"])
        self.mlp = nn.ModuleDict({"gate_proj": nn.Linear(width, ff, bias=False), "up_proj": nn.Linear(width, ff, bias=False), "down_proj": nn.Linear(ff, width, bias=False)})

    def forward(self, x, cos, sin):
        h = self.input_layernorm(x)
        q, k, v = (self.self_attn[f"{name}_proj"](h).unflatten(-1, (heads, size)).transpose(1, 2) for name in "qkv")
        attended = F.scaled_dot_product_attention(rotated(q, cos, sin), rotated(k, cos, sin), v, is_causal=True)
        x = x + self.self_attn["o_proj"](attended.transpose(1, 2).flatten(2))
        h = self.post_attention_layernorm(x)
        return x + self.mlp["down_proj"](F.silu(self.mlp["gate_proj"](h)) * self.mlp["up_proj"](h))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(spec["vocabulary"], width)
        self.layers = nn.ModuleList(Block() for _ in range(layers))
        self.norm = nn.RMSNorm(width, spec["epsilon"])

    def forward(self, ids, cos, sin):
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, cos, sin)
        logits = F.linear(self.norm(x), self.embed_tokens.weight)
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())


model = Llama()
values = torch.from_file(spec["weights"], size=sum(count for _, count in spec["names"]), dtype=torch.float32)
parameters = dict(model.named_parameters())
with torch.no_grad():
    for (name, count), part in zip(spec["names"], values.split([count for _, count in spec["names"]])):
        own = parameters.pop(name.removeprefix("model."))
        own.copy_(part.view(own.shape))
assert not parameters, f"weights are missing for {list(parameters)}"
ids = torch.tensor(spec["tokens"])
cos, sin = rotary_tables(ids.shape[1])
decayed = [p for p in model.parameters() if p.dim() > 1]
plain = [p for p in model.parameters() if p.dim() == 1]
optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=spec["rate"], betas=(0.9, 0.95), eps=1e-8, fused=True)
loss_of = torch.compile(model) if spec["compile"] else model


def step():
    loss = loss_of(ids, cos, sin)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


print(torch.__version__, flush=True)
clock = {"wall": time.perf_counter, "cpu": time.process_time}[spec["clock"]]
for _ in sys.stdin:
    start = clock()
    loss = step()
    print(loss, clock() - start, flush=True)
