# Owns small models with random weights, exported by other people's tools, and what each exported graph says by itself: ids that a plain loop over its session gives.
# Refuses to know Pharos; it leaves folders behind that check.ts opens. Needs torch, transformers, onnx, onnxruntime, onnxruntime-genai, optimum-onnx, onnxconverter-common.

import argparse
import contextlib
import importlib.metadata as metadata
import io
import json
import os
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import numpy as np
import onnx
import onnxruntime as ort
import torch
import transformers
from tokenizers import Tokenizer

VOCABULARY, CONTEXT, WIDTH, HEADS, KV, SIZE, LAYERS = 4096, 512, 64, 4, 2, 16, 2
STEPS = 40
WINDOW = 24
TEXTS = [
    "he and of in to",
    "x",
    "on is at, be or not to be, or not to be, or not to be, or",
    "The river was born in a city and wrote a blue stone; who was born in the city that the river wrote? The stone, said the river, was blue, and the city was old.",
    "who is who is who is who",
]


def tokens_of(config):
    config.update(vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=1, pad_token_id=0)
    return config


def usual(**more):
    """What most architectures call the sizes."""
    sizes = dict(hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV, max_position_embeddings=CONTEXT, tie_word_embeddings=False)
    return tokens_of({**sizes, **more})


T = transformers
SHARED = dict(tie_word_embeddings=True)
ALTERNATE = dict(layer_types=["sliding_attention", "full_attention"], sliding_window=WINDOW)
MIXTURE = dict(num_key_value_heads=HEADS, n_routed_experts=4, n_shared_experts=1, num_experts_per_tok=2, moe_intermediate_size=32, first_k_dense_replace=1, q_lora_rank=24, kv_lora_rank=16, qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=24)
FAMILIES = {
    "gpt2": lambda: T.GPT2Config(**tokens_of(dict(n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=CONTEXT))),
    "llama": lambda: T.LlamaConfig(**usual(head_dim=SIZE)),
    "llama3-rope": lambda: T.LlamaConfig(**usual(head_dim=SIZE, rope_theta=500000.0, rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=128))),
    "mistral": lambda: T.MistralConfig(**usual(head_dim=SIZE, sliding_window=WINDOW)),
    "qwen2": lambda: T.Qwen2Config(**usual(**SHARED)),
    "qwen3": lambda: T.Qwen3Config(**usual(head_dim=SIZE, **SHARED)),
    "qwen3-moe": lambda: T.Qwen3MoeConfig(**usual(head_dim=SIZE, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, decoder_sparse_step=1, norm_topk_prob=True)),
    "phi3": lambda: T.Phi3Config(**usual(original_max_position_embeddings=CONTEXT)),
    "phi3-long": lambda: T.Phi3Config(**usual(original_max_position_embeddings=128, rope_scaling=dict(type="longrope", short_factor=[1.0 + 0.05 * i for i in range(SIZE // 2)], long_factor=[1.0 + 0.4 * i for i in range(SIZE // 2)]))),
    "gemma": lambda: T.GemmaConfig(**usual(head_dim=SIZE, num_key_value_heads=1, hidden_activation="gelu_pytorch_tanh", **SHARED)),
    "gemma2": lambda: T.Gemma2Config(**usual(head_dim=SIZE, query_pre_attn_scalar=SIZE, final_logit_softcapping=30.0, attn_logit_softcapping=50.0, **ALTERNATE, **SHARED)),
    "gemma3": lambda: T.Gemma3TextConfig(**usual(head_dim=SIZE, query_pre_attn_scalar=SIZE, **ALTERNATE, **SHARED)),
    "gpt-neo": lambda: T.GPTNeoConfig(**tokens_of(dict(hidden_size=WIDTH, num_layers=LAYERS, num_heads=HEADS, attention_types=[[["global", "local"], 1]], window_size=WINDOW, max_position_embeddings=CONTEXT))),
    "bloom": lambda: T.BloomConfig(**tokens_of(dict(hidden_size=WIDTH, n_layer=LAYERS, n_head=HEADS, seq_length=CONTEXT))),
    "mpt": lambda: T.MptConfig(**tokens_of(dict(d_model=WIDTH, n_layers=LAYERS, n_heads=HEADS, max_seq_len=CONTEXT))),
    "falcon": lambda: T.FalconConfig(**tokens_of(dict(hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, max_position_embeddings=CONTEXT))),
    "opt": lambda: T.OPTConfig(**tokens_of(dict(hidden_size=WIDTH, ffn_dim=2 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, max_position_embeddings=CONTEXT, word_embed_proj_dim=WIDTH))),
    "deepseek-llm": lambda: T.LlamaConfig(**usual(head_dim=SIZE, num_key_value_heads=HEADS, rms_norm_eps=1e-6)),
    "deepseek-v2": lambda: T.DeepseekV2Config(**usual(**MIXTURE, topk_method="greedy", n_group=1, topk_group=1)),
    "deepseek-v3": lambda: T.DeepseekV3Config(**usual(**MIXTURE, n_group=2, topk_group=1)),
}


def checkpoint(family, folder, tokenizer):
    """Writes a checkpoint. Weights are large enough that the text matters: with small ones a model repeats its last token."""
    torch.manual_seed(sum(map(ord, family)))
    config = FAMILIES[family]()
    model = T.AutoModelForCausalLM.from_config(config, torch_dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                weight.add_(torch.randn_like(weight) * 0.1)
            elif any(part in name for part in ("embed_tokens", "wte")):
                weight.normal_(0, 0.06 if "gemma" in family else 0.5)
            elif "wpe" in name:
                weight.normal_(0, 0.3)
            else:
                rows = weight.shape[0] if family == "gpt2" and "lm_head" not in name else weight.shape[-1]
                outward = any(part in name for part in ("o_proj", "down_proj", "c_proj"))
                weight.normal_(0, (3.0 if outward else 1.6) * rows**-0.5)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    return model


def torch_greedy(model, ids):
    ids = list(ids)
    with torch.no_grad():
        for _ in range(STEPS):
            ids.append(int(model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
    return ids[-STEPS:]


NUMPY = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}


class Plain:
    """A graph as it is, run without Pharos: over the whole text each time, or with its own cache."""

    def __init__(self, path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(str(self.unmarked(path)), options, providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]

    @staticmethod
    def unmarked(path):
        """Layers with windows may be marked as having caches of that size, which a loop without a past cannot give: the same graph without the mark takes whole ones."""
        model = onnx.load(path, load_external_data=False)
        marks = [(node, mark) for node in model.graph.node for mark in node.attribute if mark.name == "sliding_window_cache"]
        for node, mark in marks:
            node.attribute.remove(mark)
        # Shapes inside may be wrong, and fail the session.
        del model.graph.value_info[:]
        plain = path.with_name("plain.onnx")
        onnx.save(model, plain)
        return plain

    def feed(self, ids, seen, past):
        feeds = {}
        for put in self.session.get_inputs():
            kind = NUMPY[put.type]
            if put.name in past:
                feeds[put.name] = past[put.name]
            elif put.name == "input_ids":
                feeds[put.name] = np.array([ids], kind)
            elif put.name == "position_ids":
                feeds[put.name] = np.arange(seen, seen + len(ids), dtype=kind)[None]
            elif put.name == "attention_mask":
                feeds[put.name] = np.ones((1, seen + len(ids)), kind)
            elif put.name == "use_cache_branch":
                feeds[put.name] = np.array([seen > 0])
            elif put.name.startswith("past"):
                named = [i for i, size in enumerate(put.shape) if not isinstance(size, int)]
                # The first named axis is the batch, the second the tokens; newer builders name the size of a head, too.
                feeds[put.name] = np.zeros([size if isinstance(size, int) else 1 if i == named[0] else 0 if i == named[1] else SIZE for i, size in enumerate(put.shape)], kind)
            else:
                raise ValueError(f"the input {put.name} is not known")
        return feeds

    def greedy(self, prompt, cached):
        ids, seen, past, logits = list(prompt), 0, {}, None
        for _ in range(STEPS):
            values = dict(zip(self.outputs, self.session.run(None, self.feed(ids[seen:], seen, past))))
            logits = values["logits"].reshape(-1, values["logits"].shape[-1])[-1].astype(np.float32)
            ids.append(int(logits.argmax()))
            if cached:
                seen = len(ids) - 1
                past = {}
                for put in self.session.get_inputs():
                    rest = put.name.removeprefix("past_key_values").removeprefix("past")
                    for name in (f"present{rest}", f"present_key_values{rest}"):
                        if put.name.startswith("past") and name in values:
                            past[put.name] = values[name]
        return ids[len(prompt):], logits


def genai(precision, **extra):
    """The model builder of ONNX Runtime GenAI."""

    def export(family, source, folder):
        command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(source), "-o", str(folder), "-p", precision, "-e", "cpu", "-c", str(folder.parent / "cache")]
        if extra:
            command += ["--extra_options", *(f"{key}={value}" for key, value in extra.items())]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
        return folder / "model.onnx"

    return export


def optimum(family, source, folder):
    """Hugging Face's exporter, in the layout that repositories for Transformers.js have."""
    from optimum.exporters.onnx import main_export

    more = {}
    if family == "deepseek-v2":
        from optimum.exporters.onnx.model_configs import DeepSeekV3OnnxConfig

        config = T.AutoConfig.from_pretrained(source)
        more = dict(custom_onnx_configs={"model": DeepSeekV3OnnxConfig(config, task="text-generation", use_past=True, use_past_in_inputs=True)})
    main_export(str(source), folder, task="text-generation-with-past", do_validation=False, **more)
    (folder / "onnx").mkdir(exist_ok=True)
    for path in folder.glob("model.onnx*"):
        path.rename(folder / "onnx" / path.name)
    return folder / "onnx/model.onnx"


def variant(change, suffix):
    """Weights made smaller as repositories for Transformers.js have them, of a graph that was exported whole."""

    def export(family, source, folder):
        whole = optimum(family, source, folder)
        path = folder / f"onnx/model{suffix}.onnx"
        change(whole, path)
        whole.unlink()
        return path

    return export


def as_int8(whole, path):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(whole, path, weight_type=QuantType.QUInt8 if "_uint8" in path.name else QuantType.QInt8)


def as_q4(whole, path):
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(onnx.load(whole), block_size=32, is_symmetric=True, accuracy_level=4)
    quantizer.process()
    quantizer.model.save_model_to_file(str(path), False)


def as_fp16(whole, path):
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(whole), keep_io_types=False, disable_shape_infer=True), path)


def as_q4f16(whole, path):
    as_q4(whole, path)
    as_fp16(path, path)


DECODERS = ["llama", "llama3-rope", "mistral", "qwen2", "qwen3", "phi3", "phi3-long", "gemma", "gemma2", "gemma3", "deepseek-llm"]
# What tool and precision, and for which families.
EXPORTS = {
    "genai-fp32": (genai("fp32"), DECODERS),
    "genai-int4": (genai("int4"), DECODERS),
    "genai-fp16": (genai("fp16"), ["llama", "qwen2"]),
    "genai-int8": (genai("int8"), ["llama"]),
    "genai-pruned": (genai("fp32", prune_lm_head="true"), ["llama"]),
    "genai-unfused": (genai("fp32", fuse_qkv="false"), ["llama"]),
    "genai-windowless": (genai("fp32", windowed_kv_cache="false"), ["gemma2", "gemma3"]),
    "optimum-fp32": (optimum, list(FAMILIES)),
    "optimum-int8": (variant(as_int8, "_int8"), ["gpt2", "llama", "qwen3"]),
    "optimum-q4": (variant(as_q4, "_q4"), ["llama", "gemma3"]),
    "optimum-fp16": (variant(as_fp16, "_fp16"), ["gpt2", "llama", "qwen3", "gemma3"]),
    "optimum-q4f16": (variant(as_q4f16, "_q4f16"), ["llama"]),
}


def make(name, export, family, source, folder, model, tokenizer):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        path = export(family, source, folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source / file, folder / file)
    plain = Plain(path)
    (path.with_name("plain.onnx")).unlink()
    prompts, rows, note = [], [], ""
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        whole, logits = plain.greedy(ids, False)
        own, last = plain.greedy(ids, True)
        truth = torch_greedy(model, ids) if "fp32" in name else None
        prompts.append(dict(text=text, ids=ids, whole=whole, cached=own, torch=truth))
        rows.append(last)
    alike = lambda other: sum(prompt["cached"] == prompt[other] for prompt in prompts)
    operators = sorted({f"{node.domain}.{node.op_type}".lstrip(".") for node in onnx.load(path, load_external_data=False).graph.node})
    (folder / "reference.json").write_text(json.dumps(dict(name=name, family=family, prompts=prompts, inputs={put.name: put.shape for put in plain.session.get_inputs()}, operators=operators)))
    np.concatenate(rows).astype("<f4").tofile(folder / "reference.f32")
    print(f"made {folder.name}: {len(plain.session.get_inputs())} inputs; distinct ids {len({i for p in prompts for i in p['cached']})}; alike without a cache {alike('whole')}/{len(prompts)}, in torch {alike('torch') if 'fp32' in name else '-'}", flush=True)


def version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--only", default="", help="parts of names, by comma")
    given = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(str(given.tokenizer / "tokenizer.json"))
    versions = {name: version(name) for name in ("torch", "transformers", "onnx", "onnxruntime", "onnxruntime-genai", "optimum-onnx")}
    print(", ".join(f"{name} {known or 'absent'}" for name, known in versions.items()), flush=True)
    models = {}
    refused = []
    for name, (export, families) in EXPORTS.items():
        if versions["onnxruntime-genai" if name.startswith("genai") else "optimum-onnx"] is None:
            print(f"left out {name}: its exporter is not installed", flush=True)
            continue
        for family in families:
            folder = given.out / f"{name}-{family}"
            if given.only and not any(part in folder.name for part in given.only.split(",")):
                continue
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            source = given.out / "checkpoints" / family
            try:
                if family not in models:
                    source.mkdir(parents=True, exist_ok=True)
                    models[family] = checkpoint(family, source, given.tokenizer)
                make(name, export, family, source, folder, models[family], tokenizer)
            except Exception as error:
                (folder / "error.txt").write_text(traceback.format_exc())
                refused.append(folder.name)
                print(f"NOT MADE {folder.name}: {type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}", flush=True)
    print(f"{len(refused)} not made" + (f": {', '.join(refused)}" if refused else ""))


if __name__ == "__main__":
    main()
