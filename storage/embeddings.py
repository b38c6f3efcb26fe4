"""Turns text into vectors on this machine: the bundled all-MiniLM-L6-v2 (int8 ONNX), nothing is downloaded.

Callers in an event loop use a thread: one chunk costs 15 to 30 ms of CPU.
"""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

MODEL_FOLDER = Path(__file__).parent / "model"


class Embedder(Protocol):
    """What search, indexing and chunking need of an embedding model."""

    name: str
    dimension: int
    max_tokens: int

    def embed_query(self, text: str) -> list[float]: ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors: ...

    def count_tokens(self, text: str) -> int: ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]: ...


class MiniLMEmbedder:
    """all-MiniLM-L6-v2: 384 dimensions, mean-pooled over the mask, L2-normalised. Safe to share between threads.

    `threads` is the number of CPU threads inside one run; two processes of one thread beat one of two.
    `batch_tokens` bounds the padded tokens of one run. Its default runs texts one by one: the int8 model scales its
    activations over the whole batch, so in company a vector depends on its neighbours (cosine down to 0.98 against
    the text alone, measured with 512), and batches are no faster on a CPU.
    """

    name = "all-MiniLM-L6-v2-int8"
    dimension = 384
    max_tokens = 256

    def __init__(self, folder: Path = MODEL_FOLDER, *, threads: int = 1, batch_tokens: int = 1) -> None:
        self._batch_tokens = batch_tokens
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # The file may switch on truncation and padding to a fixed length; both would falsify counts and cost time.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def count_tokens(self, text: str) -> int:
        """Tokens of the text as the model reads it, the two special ones included; not truncated."""
        return len(self._tokenizer.encode(text).ids)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Characters [start, end) of each token, without the special ones."""
        offsets: list[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return offsets

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text, 384 floats of length 1."""
        vector: list[float] = self.embed_documents([text])[0].tolist()
        return vector

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of many texts in their order, shape (len(texts), 384), float32."""
        encoded = [self._ids(text) for text in texts]
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for batch in batches([len(ids) for ids in encoded], self._batch_tokens):
            vectors[batch] = self._run([encoded[index] for index in batch])
        return vectors

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text).ids
        if len(ids) > self.max_tokens:
            ids = [*ids[: self.max_tokens - 1], ids[-1]]
        return ids

    def _run(self, batch: list[list[int]]) -> Vectors:
        longest = max(len(ids) for ids in batch)
        tokens = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int64)
        for row, ids in enumerate(batch):
            tokens[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
        hidden: Vectors = self._session.run(None, feed)[0]
        weights = mask[:, :, None].astype(np.float32)
        pooled = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        normed: Vectors = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return normed


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first; rows times longest row stays within the budget (or one row)."""
    batch: list[int] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        longest = longest or lengths[index]
        if batch and longest * (len(batch) + 1) > budget:
            yield batch
            batch, longest = [], lengths[index]
        batch.append(index)
    if batch:
        yield batch


def shared_embedder(threads: int = 1) -> MiniLMEmbedder:
    """The one embedder of this process, loaded on first use."""
    return _loaded(threads)


@functools.cache
def _loaded(threads: int) -> MiniLMEmbedder:
    return MiniLMEmbedder(threads=threads)
