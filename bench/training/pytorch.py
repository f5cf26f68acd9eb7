# Owns the other side of gradients.ts: the same folder, data, rate and number of steps, with transformers and torch.optim.AdamW. Usage: python pytorch.py JOB.json
# Refuses to know Pharos.
import json
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils import parametrize


class Adapted(nn.Module):
    """W + scale B A (Hu et al. 2022)."""

    def __init__(self, down, up, scale):
        super().__init__()
        self.down, self.up, self.scale = nn.Parameter(down), nn.Parameter(up), scale

    def forward(self, weight):
        return weight + self.scale * (self.up @ self.down)


def adapt(model, path, scale):
    """Puts adapters on the products that the file names; everything else is frozen. Returns them by their names in the file."""
    tensors = load_file(path)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    trained = {}
    for name in [name for name in tensors if '.lora_A.' in name]:
        other = name.replace('.lora_A.', '.lora_B.')
        module = Adapted(tensors[name], tensors[other], scale)
        parametrize.register_parametrization(model.get_submodule(name.split('.lora_A.')[0]), 'weight', module)
        trained[name], trained[other] = module.down, module.up
    return trained


def loss_of(model, sequences):
    """Mean cross-entropy of the learned tokens; what pads a sequence stands at its end, where causal attention does not look."""
    longest = max(len(sequence['tokens']) for sequence in sequences)
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    labels = torch.full((len(sequences), longest), -100)
    for row, sequence in enumerate(sequences):
        tokens = torch.tensor(sequence['tokens'])
        ids[row, : len(tokens)] = tokens
        labels[row, : len(tokens)] = torch.where(torch.tensor(sequence['learned']), tokens, -100)
    logits = model(input_ids=ids, use_cache=False).logits
    return nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=-100)


def train(job, settings):
    model = transformers.AutoModelForCausalLM.from_pretrained(job['folder'], dtype=torch.float32, attn_implementation='eager')
    # Without dropout, of which GPT-2 has some by default.
    model.eval()
    trained = adapt(model, job['adapters'], job['scale']) if job['adapters'] else dict(model.named_parameters())
    groups = [
        {'params': [p for p in trained.values() if p.dim() > 1], 'weight_decay': settings['weight_decay']},
        {'params': [p for p in trained.values() if p.dim() == 1], 'weight_decay': 0.0},
    ]
    optimizer = torch.optim.AdamW([group for group in groups if group['params']], lr=settings['rate'], betas=(settings['beta1'], settings['beta2']), eps=settings['epsilon'])
    losses = []
    for step, sequences in enumerate(settings['steps']):
        optimizer.zero_grad()
        loss = loss_of(model, sequences)
        loss.backward()
        if step == 0:
            save_file({name: p.grad.contiguous().clone() for name, p in trained.items()}, job['gradients'])
        nn.utils.clip_grad_norm_(trained.values(), settings['clip'])
        optimizer.step()
        losses.append(loss.item())
    return losses


def main():
    with open(sys.argv[1], encoding='utf8') as file:
        settings = json.load(file)
    torch.set_num_threads(settings['threads'])
    losses = [train(job, settings) for job in settings['jobs']]
    print(json.dumps({'losses': losses, 'torch': torch.__version__, 'transformers': transformers.__version__}))


main()
