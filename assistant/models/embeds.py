"""What the built-in model needs from an embedder; `storage.embeddings` has the process-wide one."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class Embeds(Protocol):
    """Turns text into vectors. Rows are L2-normalised, so a dot product is a cosine."""

    def embed_query(self, text: str) -> Any:
        """One vector of shape (dimension,), as an array or a list of floats."""

    def embed_documents(self, texts: Sequence[str]) -> Any:
        """A matrix of shape (len(texts), dimension)."""


def similarities(embedder: Embeds, query: str, texts: list[str]) -> FloatArray:
    """Cosine of `query` to each text, shape (len(texts),)."""
    if not texts:
        return np.zeros(0, dtype=np.float32)
    matrix = np.asarray(embedder.embed_documents(texts), dtype=np.float32)
    return np.asarray(matrix @ np.asarray(embedder.embed_query(query), dtype=np.float32), dtype=np.float32)
