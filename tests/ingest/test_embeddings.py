"""The bundled embedder: shape, order, agreement of single and batched runs, meaning, threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from storage.embeddings import MiniLMEmbedder, batches, shared_embedder

TEXTS = [
    "The Backward Euler scheme is unconditionally stable.",
    "Cats sleep most of the day.",
    "",
    "Photosynthesis turns light into chemical energy. " * 60,
    "Stability",
]


def test_vectors_are_unit_float32_in_the_order_of_the_texts() -> None:
    embedder = shared_embedder()
    vectors = embedder.embed_documents(TEXTS)
    assert vectors.shape == (5, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert np.allclose(embedder.embed_query(text), vector, atol=1e-6)
    assert embedder.embed_documents([]).shape == (0, embedder.dimension)


def test_meaning_decides_not_words() -> None:
    embedder = shared_embedder()
    query = np.array(embedder.embed_query("Which time stepping method never blows up?"))
    scores = embedder.embed_documents(TEXTS[:2]) @ query
    assert scores[0] > scores[1] + 0.1


def test_counts_are_exact_and_not_truncated() -> None:
    embedder = shared_embedder()
    assert embedder.count_tokens("") == 2
    assert embedder.count_tokens(TEXTS[3]) > 256
    text = "Unbelievable θ-rule, isn't it?"
    offsets = embedder.token_offsets(text)
    assert len(offsets) + 2 == embedder.count_tokens(text)
    assert [text[start:end] for start, end in offsets][-2:] == ["it", "?"]


def test_batches_keep_the_padded_budget_and_every_text() -> None:
    lengths = [256, 3, 90, 90, 600, 12, 12, 12, 255]
    made = list(batches(lengths, 512))
    assert sorted(index for batch in made for index in batch) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= 512


def test_padded_batches_agree_closely_with_single_runs() -> None:
    alone = shared_embedder().embed_documents(TEXTS)
    together = MiniLMEmbedder(batch_tokens=512).embed_documents(TEXTS)
    # int8 activations are scaled over the batch, so the two agree closely, not exactly
    assert np.min(np.sum(alone * together, axis=1)) > 0.95


def test_threads_share_one_embedder() -> None:
    embedder = shared_embedder()
    expected = embedder.embed_query(TEXTS[0])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(embedder.embed_query, [TEXTS[0]] * 12))
    assert all(np.allclose(vector, expected, atol=1e-6) for vector in found)
