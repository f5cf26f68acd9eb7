# Owns the way from JSONL to packed rows outside of Pharos: the same order, the same rows and the same learned tokens as Pharos makes of the same specification.
# Refuses to know models, devices and updates. Needs no package.

import json
from array import array
from bisect import bisect_right

WINDOW = 256
MASK = 0xFFFFFFFF


class Random:
    """mulberry32 (Tommy Ettinger, 2017), as in src/training/random.ts of Pharos."""

    def __init__(self, seed):
        self.state = seed & MASK

    def next(self):
        self.state = (self.state + 0x6D2B79F5) & MASK
        t = self.state
        t = ((t ^ (t >> 15)) * (t | 1)) & MASK
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & MASK)) & MASK
        return (t ^ (t >> 14)) / 4294967296


def epoch_order(count, seed, epoch):
    """The order of an epoch's sequences (Fisher and Yates); without a seed as the files have it."""
    order = list(range(count))
    if seed is None:
        return order
    random = Random(seed ^ (((epoch + 1) * 0x9E3779B1) & MASK))
    for i in range(count - 1, 0, -1):
        j = int(random.next() * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def plan_rows(order, lengths, context):
    """Rows of at most `context` tokens: each begins with the next sequence in order and is filled up by the longest of a window that fits."""
    rows, keys, held = [], [], []
    placed = bytearray(len(lengths))
    pulled = oldest = done = 0

    def fill():
        nonlocal pulled
        while len(held) < WINDOW and pulled < len(order):
            at = bisect_right(keys, lengths[order[pulled]])
            keys.insert(at, lengths[order[pulled]])
            held.insert(at, order[pulled])
            pulled += 1

    def take(at):
        nonlocal done
        del keys[at]
        sequence = held.pop(at)
        placed[sequence] = 1
        done += 1
        return sequence

    while done < len(order):
        fill()
        while placed[order[oldest]]:
            oldest += 1
        row = [take(held.index(order[oldest]))]
        space = context - lengths[row[0]]
        while (at := bisect_right(keys, space)) > 0:
            row.append(take(at - 1))
            space -= lengths[row[-1]]
            fill()
        rows.append(row)
    return rows


class Sequences:
    """Token sequences one behind the other, with a flag for each token that is learned."""

    def __init__(self, tokens=None, learned=None, lengths=None, examples=0, too_long=0):
        self.tokens = array("i") if tokens is None else tokens
        self.learned = array("b") if learned is None else learned
        self.lengths = [] if lengths is None else lengths
        self.examples, self.too_long = examples, too_long
        self.starts = [0]
        for length in self.lengths:
            self.starts.append(self.starts[-1] + length)

    def add(self, tokens, learned):
        self.tokens.extend(tokens)
        self.learned.extend(learned)
        self.lengths.append(len(tokens))
        self.starts.append(self.starts[-1] + len(tokens))

    def get(self, sequence):
        span = slice(self.starts[sequence], self.starts[sequence + 1])
        return self.tokens[span], self.learned[span]


class Batches:
    """Batches of rows of sequences, epoch by epoch, from a place that a checkpoint keeps."""

    def __init__(self, lengths, rows, context, epochs, seed=None, epoch=0, batch=0):
        self.lengths, self.rows, self.context, self.epochs, self.seed = lengths, rows, context, epochs, seed
        self.epoch, self.batch = epoch, batch
        self.plan = self.plan_of(epoch)

    def plan_of(self, epoch):
        return plan_rows(epoch_order(len(self.lengths), self.seed, epoch), self.lengths, self.context)

    def count(self):
        """Batches of all epochs, from the very beginning."""
        plans = (self.plan if epoch == self.epoch else self.plan_of(epoch) for epoch in range(self.epochs))
        return sum(-(-len(plan) // self.rows) for plan in plans)

    def take(self, count):
        """The next batches, each a list of rows of sequence numbers; fewer when the data ends."""
        taken = []
        while len(taken) < count and (self.epochs is None or self.epoch < self.epochs):
            taken.append(self.plan[self.batch * self.rows : (self.batch + 1) * self.rows])
            self.batch += 1
            if self.batch * self.rows >= len(self.plan):
                self.epoch, self.batch = self.epoch + 1, 0
                if self.epochs is None or self.epoch < self.epochs:
                    self.plan = self.plan_of(self.epoch)
        return taken


class Writer:
    """Writes examples as a tokenizer of transformers and its chat template do."""

    def __init__(self, tokenizer, end_ids):
        self.tokenizer, self.end_id = tokenizer, end_ids[0]
        self.ends = tokenizer.convert_ids_to_tokens(end_ids)

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False).input_ids if text else []

    def text(self, messages, tools, **how):
        return self.tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, **how)

    def sequences(self, line):
        if "messages" not in line:
            before = self.tokenizer(line["prompt"]).input_ids
            after = self.ids(line["completion"]) + [self.end_id]
            return [(before + after, [0] * len(before) + [1] * len(after))]
        tools = line.get("tools") or None
        messages = [self.message(message) for message in line["messages"]]
        drafts = []
        for i, given in enumerate(line["messages"]):
            if given["role"] != "assistant" or given.get("weight") == 0 or i == 0:
                continue
            prompt = self.text(messages[:i], tools, add_generation_prompt=True)
            reply = self.reply(messages[: i + 1], tools, prompt)
            # A later prompt that begins with all that was said goes on in the same sequence; a template that drops earlier thoughts begins another.
            if not drafts or not prompt.startswith(drafts[-1][0]):
                drafts.append(["", [], []])
            draft = drafts[-1]
            for text, learned in ((prompt[len(draft[0]) :], 0), (reply, 1)):
                ids = self.ids(text)
                draft[1].extend(ids)
                draft[2].extend([learned] * len(ids))
            draft[0] = prompt + reply
        if not drafts:
            raise ValueError("messages: there is no reply behind a prompt to learn")
        return [(tokens, learned) for _, tokens, learned in drafts]

    def reply(self, messages, tools, prompt):
        shown = self.text(messages, tools, add_generation_prompt=True)
        if not shown.startswith(prompt):
            raise ValueError("the chat template shows this reply otherwise than behind its prompt, so that it cannot be learnt here")
        rest = shown[len(prompt) :]
        ends = [rest.index(end) + len(end) for end in self.ends if end in rest]
        if ends:
            return rest[: min(ends)]
        return self.text(messages, tools, continue_final_message=True)[len(prompt) :] + self.ends[0]

    def message(self, given):
        content = given.get("content") or ""
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        named = [] if given.get("trusted") else [token for token in self.tokenizer.all_special_tokens if token in content]
        if named:
            raise ValueError(f"a text names {named[0]}, which transformers would read as a special token; leave it out, or mark the message as trusted")
        calls = [{**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}} for call in given.get("tool_calls") or []]
        kept = {key: given[key] for key in ("name", "tool_call_id", "reasoning_content") if given.get(key)}
        return {"role": "system" if given["role"] == "developer" else given["role"], "content": content, **kept, **({"tool_calls": calls} if calls else {})}


def read(files, writer, context):
    """All sequences of the files that fit into `context`. Raises ValueError with file and line."""
    kept = Sequences()
    for file in files:
        with open(file, encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                kept.examples += 1
                try:
                    made = writer.sequences(json.loads(line))
                except (ValueError, KeyError, TypeError) as error:
                    raise ValueError(f"{file} line {number}: {error}") from error
                for tokens, learned in made:
                    if len(tokens) > context:
                        kept.too_long += 1
                    else:
                        kept.add(tokens, learned)
    if not kept.lengths:
        raise ValueError(f"{', '.join(map(str, files))}: no example to learn; {kept.too_long} sequences are longer than the context of {context} tokens")
    return kept
