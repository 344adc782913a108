"""Learns the vectors of the 1000 classes and the MLP behind the text tower, from texts alone; both towers are frozen.

Three losses are added:
 - concepts: softmax over the classes' cosines with a text, against the classes that the text stands for;
 - pairs: InfoNCE (van den Oord et al. 2018, arXiv 1807.03748) between an emoji's English and foreign names;
 - memory: a text's vector keeps its cosines with the other texts of the batch, so that words that no class covers
   stay where multilingual-e5-small had put them.
"""

from __future__ import annotations

import random
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import e5
from concepts import Concept, Texts, phrase

CLASSES = 1000
SEED = 20261123


def embed_texts(texts: list[str], prompt: str, tokenizer, weights: dict, config: dict, batch: int = 128) -> np.ndarray:
    """Mean-pooled vectors [texts, width] of the frozen text tower, not normalised."""
    tokenized = tokenizer.encode_batch([prompt + text for text in texts])
    order = sorted(range(len(texts)), key=lambda i: len(tokenized[i].ids))
    vectors = np.empty((len(texts), config["hidden_size"]), dtype=np.float32)
    started = time.time()
    for start in range(0, len(order), batch):
        chosen = order[start:start + batch]
        longest = len(tokenized[chosen[-1]].ids)
        ids, mask = np.zeros((len(chosen), longest), np.int64), np.zeros((len(chosen), longest), np.float32)
        for row, i in enumerate(chosen):
            count = len(tokenized[i].ids)
            ids[row, :count], mask[row, :count] = tokenized[i].ids, 1
        with torch.inference_mode():
            mask_tensor = torch.from_numpy(mask)
            hidden = e5.forward(weights, config, torch.from_numpy(ids), mask_tensor)
            vectors[chosen] = e5.mean_pool(hidden, mask_tensor).numpy()
        if start // batch % 50 == 0:
            print(f"  {start}/{len(order)} texts, {time.time() - started:.0f} s", file=sys.stderr)
    return vectors


def project(parameters: dict[str, torch.Tensor], pooled: torch.Tensor) -> torch.Tensor:
    """centre, normalise, residual MLP: [texts, 384] -> [texts, 384]; the caller normalises."""
    x = F.normalize(pooled + parameters["text_projection.offset"], dim=-1, eps=1e-12)
    inner = F.gelu(F.linear(x, parameters["text_projection.fc1.weight"], parameters["text_projection.fc1.bias"]))
    return x + F.linear(inner, parameters["text_projection.fc2.weight"], parameters["text_projection.fc2.bias"])


def variants(texts: Texts) -> tuple[list[tuple[Concept, str]], list[tuple[str, str]]]:
    """Every concept bare and, if it is a word, in one template of its language; every pair bare."""
    concepts = []
    for concept in texts.concepts:
        concepts.append((concept, concept.text))
        templated = phrase(concept.text, concept.language)
        if concept.weight >= 1 and len(concept.text) <= 40 and templated != concept.text:
            concepts.append((concept, templated))
    return concepts, [(english, foreign) for english, _, foreign in texts.pairs]


def learn(texts: Texts, vector_of: dict[str, np.ndarray], hidden: int = 768, steps: int = 1000,
          batch: int = 512) -> dict[str, torch.Tensor]:
    """vector_of: text -> pooled vector, for every text of `variants`."""
    torch.manual_seed(SEED)
    chance = random.Random(SEED)
    concepts, pairs = variants(texts)
    width = len(next(iter(vector_of.values())))
    pooled = torch.from_numpy(np.stack([vector_of[text] for _, text in concepts]))
    english = torch.from_numpy(np.stack([vector_of[text] for text, _ in pairs]))
    foreign = torch.from_numpy(np.stack([vector_of[text] for _, text in pairs]))
    weights = [concept.weight for concept, _ in concepts]
    parameters = {
        "text_projection.offset": -torch.cat([pooled, foreign]).mean(dim=0),
        "text_projection.fc1.weight": torch.randn(hidden, width) * width ** -0.5,
        "text_projection.fc1.bias": torch.zeros(hidden),
        "text_projection.fc2.weight": torch.zeros(width, hidden),
        "text_projection.fc2.bias": torch.zeros(width),
        "log_scale": torch.tensor(3.0),
    }
    parameters["class_embeddings.weight"] = _initial_classes(concepts, parameters, pooled)
    learned = [tensor.requires_grad_() for name, tensor in parameters.items() if name != "text_projection.offset"]
    optimizer = torch.optim.AdamW(learned, lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=steps)
    started = time.time()
    for step in range(steps):
        chosen = chance.choices(range(len(concepts)), weights, k=batch)
        chosen_pairs = chance.sample(range(len(pairs)), batch // 2)
        before = pooled[chosen]
        vectors = F.normalize(project(parameters, before), dim=-1)
        logits = vectors @ F.normalize(parameters["class_embeddings.weight"], dim=-1).T * parameters["log_scale"].exp()
        concept_loss = F.cross_entropy(logits, _targets([concepts[i][0] for i in chosen]))
        pair_loss = _pair_loss(F.normalize(project(parameters, english[chosen_pairs]), dim=-1),
                               F.normalize(project(parameters, foreign[chosen_pairs]), dim=-1))
        unmoved = F.normalize(before + parameters["text_projection.offset"], dim=-1)
        memory_loss = F.mse_loss(vectors @ vectors.T, unmoved @ unmoved.T)
        loss = concept_loss + 0.5 * pair_loss + memory_loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0 or step == steps - 1:
            print(f"  step {step}: concepts {concept_loss.item():.3f}, pairs {pair_loss.item():.3f}, "
                  f"memory {memory_loss.item():.4f}, {time.time() - started:.0f} s", file=sys.stderr)
    parameters = {name: tensor.detach() for name, tensor in parameters.items()}
    classes = F.normalize(parameters.pop("class_embeddings.weight"), dim=-1)
    parameters["class_projection.weight"] = classes.T  # [dim, classes]: probabilities in, their weighted sum out
    parameters["logit_scale"] = parameters.pop("log_scale")
    return parameters


def _initial_classes(concepts, parameters, pooled) -> torch.Tensor:
    """A class begins as the mean of the texts that stand for it, each by its share."""
    unit = F.normalize(pooled + parameters["text_projection.offset"], dim=-1)
    sums = torch.zeros(CLASSES, pooled.shape[1])
    for start in range(0, len(concepts), 2048):
        sums += _targets([concept for concept, _ in concepts[start:start + 2048]]).T @ unit[start:start + 2048]
    return F.normalize(sums, dim=-1)


def _targets(concepts: list[Concept]) -> torch.Tensor:
    targets = torch.zeros(len(concepts), CLASSES)
    for row, concept in enumerate(concepts):
        targets[row, list(concept.classes)] = torch.tensor(list(concept.classes.values()))
    return targets


def _pair_loss(english: torch.Tensor, foreign: torch.Tensor, temperature: float = 0.05) -> torch.Tensor:
    logits = english @ foreign.T / temperature
    same = torch.arange(len(logits))
    return (F.cross_entropy(logits, same) + F.cross_entropy(logits.T, same)) / 2
