"""Prompt vectors (CoOp) before the names of classes, from the reference model: their gradient and a curve of 20 steps.

Versions: torch 2.15.0, transformers 5.23.0 (PyPI).
Usage: python tests/parity/prompt_vectors.py      (writes tests/golden/clip/odd_sizes/prompt.safetensors)

The classes are the checkpoint's first three golden texts (their first eight tokens), the vectors stand behind their first token, and everything else is frozen. The loss is
cross-entropy over the classes of exp(logit_scale) times the cosine (CoOp's trainers/coop.py).
"""
import torch
from safetensors.torch import load_file, save_file
from training import GOLDEN, pooled, unit
from transformers import AutoModel

VECTORS = 4
NAME_TOKENS = 8
LABELS = torch.tensor([2, 0, 1])
FOLDER = GOLDEN / "clip/odd_sizes"


def classes_of(expected):
    """The padded ids, with any id where the vectors will stand, and the mask."""
    lengths = expected["lengths"].tolist()[: len(LABELS)]
    texts = [text.long() for text in expected["ids"][: sum(lengths)].split(lengths)]
    # So short that the vectors find room in the context.
    rows = [torch.cat([text[:1], torch.zeros(VECTORS, dtype=torch.long), text[1:-1][:NAME_TOKENS], text[-1:]]) for text in texts]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    return ids, mask


def main():
    expected = load_file(FOLDER / "expected.safetensors")
    model = AutoModel.from_pretrained(FOLDER, dtype=torch.float32, attn_implementation="eager").eval().requires_grad_(False)
    table = model.text_model.embeddings.token_embedding
    vectors = torch.cos(torch.arange(VECTORS * table.embedding_dim, dtype=torch.float32)).reshape(VECTORS, -1).mul(0.1).requires_grad_(True)
    table.register_forward_hook(lambda _, __, rows: torch.cat([rows[:, :1], vectors.expand(rows.shape[0], -1, -1), rows[:, 1 + VECTORS :]], 1))
    ids, mask = classes_of(expected)
    kept = {"initial": vectors.detach().clone()}
    images = unit(pooled(model.get_image_features(pixel_values=expected["pixels"])))

    def class_vectors():
        return unit(pooled(model.get_text_features(input_ids=ids, attention_mask=mask)))

    optimizer = torch.optim.AdamW([vectors], lr=0.02, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01)
    losses = []
    for step in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model.logit_scale.exp() * images @ class_vectors().T, LABELS)
        loss.backward()
        if step == 0:
            kept |= {"gradient": vectors.grad.clone(), "classes": class_vectors().detach()}
        optimizer.step()
        losses.append(loss.item())
    kept |= {"losses": torch.tensor(losses), "vectors": vectors.detach()}
    save_file(kept, FOLDER / "prompt.safetensors")
    print(losses[0], losses[-1])


if __name__ == "__main__":
    main()
