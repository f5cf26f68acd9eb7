# Owns small checkpoints with random weights as transformers saves them, and the logits that transformers computes with them after every token of a few texts.
# Refuses to know Pharos; it leaves folders behind that check.ts brings in. Needs torch, transformers, safetensors.

import argparse
import json
import os
import shutil
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import numpy as np
import safetensors.torch as safe
import torch
import transformers as T

VOCABULARY, CONTEXT, WIDTH, HEADS, KV, SIZE, LAYERS, WINDOW = 512, 128, 64, 4, 2, 16, 3, 24
LENGTHS = (60, 7, 25)


def usual(**more):
    sizes = dict(vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=1, pad_token_id=0, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV, max_position_embeddings=CONTEXT, tie_word_embeddings=False)
    return {**sizes, **more}


def both(**more):
    """An encoder and a decoder."""
    sizes = dict(vocab_size=VOCABULARY, d_model=WIDTH, encoder_layers=2, decoder_layers=3, encoder_attention_heads=HEADS, decoder_attention_heads=2, encoder_ffn_dim=96, decoder_ffn_dim=80, max_position_embeddings=CONTEXT, pad_token_id=0, bos_token_id=0, eos_token_id=1, decoder_start_token_id=0, forced_eos_token_id=None)
    return {**sizes, **more}


SHARED = dict(tie_word_embeddings=True)
ALTERNATE = dict(layer_types=["sliding_attention", "full_attention", "sliding_attention"], sliding_window=WINDOW)
LATENT = dict(num_key_value_heads=HEADS, kv_lora_rank=24, q_lora_rank=40, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=12, moe_intermediate_size=32, first_k_dense_replace=1)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32, beta_fast=32, beta_slow=1)


def llama(**rope):
    return lambda: T.LlamaConfig(**usual(head_dim=SIZE, **({"rope_parameters": rope} if rope else {})))


FAMILIES = {
    "llama": llama(),
    "llama, linear": llama(rope_type="linear", rope_theta=10000.0, factor=4.0),
    "llama, dynamic": llama(rope_type="dynamic", rope_theta=10000.0, factor=4.0),
    "llama, llama3": llama(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32),
    "llama, yarn": llama(**YARN),
    "llama, biases": lambda: T.LlamaConfig(**usual(head_dim=SIZE, attention_bias=True, mlp_bias=True)),
    "mistral": lambda: T.MistralConfig(**usual(head_dim=SIZE, sliding_window=WINDOW)),
    "qwen2": lambda: T.Qwen2Config(**usual(**SHARED)),
    "qwen3": lambda: T.Qwen3Config(**usual(head_dim=SIZE, **SHARED)),
    "phi3": lambda: T.Phi3Config(**usual(original_max_position_embeddings=CONTEXT)),
    "phi3, longrope": lambda: T.Phi3Config(**usual(original_max_position_embeddings=64, rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, short_factor=[1.0 + 0.1 * i for i in range(8)], long_factor=[1.0 + 0.5 * i for i in range(8)]))),
    "gemma": lambda: T.GemmaConfig(**usual(head_dim=SIZE, num_key_value_heads=1, hidden_activation="gelu_pytorch_tanh", **SHARED)),
    "gemma2": lambda: T.Gemma2Config(**usual(head_dim=SIZE, query_pre_attn_scalar=SIZE, final_logit_softcapping=30.0, attn_logit_softcapping=50.0, **ALTERNATE, **SHARED)),
    "gpt2": lambda: T.GPT2Config(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=CONTEXT, bos_token_id=0, eos_token_id=1),
    "mixtral": lambda: T.MixtralConfig(**usual(num_local_experts=4, num_experts_per_tok=2, sliding_window=None)),
    "qwen3_moe": lambda: T.Qwen3MoeConfig(**usual(head_dim=SIZE, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=32, decoder_sparse_step=1, norm_topk_prob=True)),
    "deepseek_v2, lite": lambda: T.DeepseekV2Config(**usual(**{**LATENT, "q_lora_rank": None}, n_routed_experts=6, n_shared_experts=2, num_experts_per_tok=2, topk_method="greedy", routed_scaling_factor=1.0)),
    "deepseek_v2": lambda: T.DeepseekV2Config(**usual(**LATENT, n_routed_experts=8, n_shared_experts=2, num_experts_per_tok=3, topk_method="group_limited_greedy", n_group=4, topk_group=2, routed_scaling_factor=4.0, rope_parameters=dict(YARN, mscale=0.707, mscale_all_dim=0.707))),
    "deepseek_v3": lambda: T.DeepseekV3Config(**usual(**LATENT, n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=3, n_group=4, topk_group=2, routed_scaling_factor=2.5, norm_topk_prob=True, num_nextn_predict_layers=0, rope_parameters=dict(YARN, mscale=1.0, mscale_all_dim=0.8))),
    "deepseek_v3, fp8": lambda: FAMILIES["deepseek_v3"](),
    "bart": lambda: T.BartConfig(**both(activation_function="gelu")),
    "mbart": lambda: T.MBartConfig(**both(activation_function="gelu", scale_embedding=True)),
    "marian": lambda: T.MarianConfig(**both(activation_function="swish", scale_embedding=True)),
}


def made(family):
    """Weights are large enough that the text matters: with small ones a model repeats its last token."""
    torch.manual_seed(sum(map(ord, family)))
    config = FAMILIES[family]()
    kind = T.AutoModelForSeq2SeqLM if config.is_encoder_decoder else T.AutoModelForCausalLM
    model = kind.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, weight in [*model.named_parameters(), *model.named_buffers()]:
            if name.endswith(("e_score_correction_bias", "final_logits_bias")):
                weight.normal_(0, 0.3)
            elif not isinstance(weight, torch.nn.Parameter) or not weight.requires_grad:
                continue
            elif weight.ndim == 1:
                weight.add_(torch.randn_like(weight) * 0.1)
            elif any(part in name for part in ("embed_tokens", "wte", "shared.weight")):
                weight.normal_(0, 0.06 if "gemma" in family or config.to_dict().get("scale_embedding") else 0.5)
            elif any(part in name for part in ("wpe", "embed_positions")):
                weight.normal_(0, 0.3)
            else:
                inner = weight.shape[0] if family == "gpt2" and "lm_head" not in name else weight.shape[-1]
                weight.normal_(0, 1.6 * inner**-0.5)
    return model


BLOCK = 24


def eight_bits(model, folder):
    """Stores the matrices of the layers as DeepSeek-V3 does, with a scale for each square block, and gives the model what that rounds them to."""
    path = folder / "model.safetensors"
    stored = safe.load_file(path)
    for name, weight in list(stored.items()):
        if weight.ndim != 2 or "_proj" not in name:
            continue
        rows, columns = (-(-size // BLOCK) for size in weight.shape)
        padded = torch.zeros(rows * BLOCK, columns * BLOCK)
        padded[: weight.shape[0], : weight.shape[1]] = weight
        blocks = padded.view(rows, BLOCK, columns, BLOCK)
        scales = blocks.abs().amax(dim=(1, 3)) / 448
        small = (blocks / scales[:, None, :, None]).view(rows * BLOCK, columns * BLOCK)[: weight.shape[0], : weight.shape[1]].contiguous().to(torch.float8_e4m3fn)
        spread = scales.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)[: weight.shape[0], : weight.shape[1]]
        stored[name], stored[f"{name}_scale_inv"] = small, scales
        stored[f"whole {name}"] = small.float() * spread
    whole = {name.removeprefix("whole "): stored.pop(name) for name in list(stored) if name.startswith("whole ")}
    safe.save_file(stored, path, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = dict(quant_method="fp8", fmt="e4m3", activation_scheme="dynamic", weight_block_size=[BLOCK, BLOCK])
    (folder / "config.json").write_text(json.dumps(config))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name in whole:
                weight.copy_(whole[name])
            elif name.endswith("mlp.experts.gate_up_proj"):
                for e in range(weight.shape[0]):
                    weight[e].copy_(torch.cat([whole[name.replace("gate_up_proj", f"{e}.{part}_proj.weight")] for part in ("gate", "up")]))
            elif name.endswith("mlp.experts.down_proj"):
                for e in range(weight.shape[0]):
                    weight[e].copy_(whole[name.replace("down_proj", f"{e}.down_proj.weight")])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True, help="a folder with a tokenizer.json, which goes along")
    parser.add_argument("--only", default="", help="parts of names, by comma")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, transformers {T.__version__}", flush=True)
    for family in FAMILIES:
        if not any(part in family for part in given.only.split(",")):
            continue
        folder = given.out / family.replace(", ", "-")
        shutil.rmtree(folder, ignore_errors=True)
        model = made(family)
        model.save_pretrained(folder)
        if family.endswith("fp8"):
            eight_bits(model, folder)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(given.tokenizer / name, folder / name)
        draw = np.random.default_rng(7)
        texts, rows = [], []
        for length in LENGTHS:
            ids, source = (draw.integers(2, VOCABULARY, size).tolist() for size in (length, 11 + length % 5))
            with torch.no_grad():
                if model.config.is_encoder_decoder:
                    logits = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([ids])).logits[0]
                else:
                    logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
            texts.append(dict(ids=ids, **(dict(source=source) if model.config.is_encoder_decoder else {})))
            rows.append(logits.float().numpy())
        (folder / "reference.json").write_text(json.dumps(dict(name=family, parameters=sum(weight.numel() for weight in model.parameters()), texts=texts)))
        np.concatenate(rows).astype("<f4").tofile(folder / "reference.f32")


if __name__ == "__main__":
    main()
