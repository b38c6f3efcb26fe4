"""Writing vectors: embeds and upserts through langchain-chroma. Only the worker loads this."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

import chromadb
import httpx
import numpy as np
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import NotFoundError
from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from storage.errors import Unavailable
from storage.vectors.api import parse_url


class DocumentEmbedder(Protocol):
    name: str

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]: ...

    def embed_query(self, text: str) -> Any: ...


class LangChainEmbeddings(Embeddings):
    """Our embedder in LangChain's shape: lists of floats, one per text. `check` is called before each; it raises to stop."""

    def __init__(self, embedder: DocumentEmbedder) -> None:
        self.check: Callable[[], None] = lambda: None
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        for text in texts:
            self.check()
            vectors += self._embedder.embed_documents([text]).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return [float(x) for x in self._embedder.embed_query(text)]


class VectorWriter:
    """Blocking; the worker calls it in threads, for one job at a time. Upserts by chunk id, so that doing a batch twice
    changes nothing."""

    def __init__(self, url: str, embedder: DocumentEmbedder) -> None:
        self._address = parse_url(url)
        self._embeddings = LangChainEmbeddings(embedder)
        self._model = embedder.name
        self._client: Any = None
        self._stores: dict[str, Chroma] = {}

    def add(
        self,
        name: str,
        about: dict[str, str],
        ids: Sequence[UUID],
        texts: Sequence[str],
        metadatas: list[dict[str, Any]],
        check: Callable[[], None],
    ) -> None:
        """Embed `texts` and store them under `ids` in collection `name`, which is made with metadata `about` when new.

        Raises Unavailable when Chroma does not answer, and what `check` raises between two texts; then nothing is stored.
        """
        self._embeddings.check = check
        keys = [str(i) for i in ids]
        try:
            try:
                self._store(name, about).add_texts(texts, metadatas, keys)
            except NotFoundError:  # the collection we knew was dropped
                self._stores.pop(name, None)
                self._store(name, about).add_texts(texts, metadatas, keys)
        except (httpx.HTTPError, ConnectionError) as error:
            raise Unavailable("The vector store (Chroma) does not answer.") from error

    def _store(self, name: str, about: dict[str, str]) -> Chroma:
        if name not in self._stores:
            self._stores[name] = Chroma(
                collection_name=name,
                embedding_function=self._embeddings,
                client=self._connected(),
                collection_metadata={**about, "embedding_model": self._model},
                collection_configuration={"hnsw": {"space": "cosine"}},
            )
        return self._stores[name]

    def _connected(self) -> Any:
        if self._client is None:
            host, port, tls = self._address
            try:
                self._client = chromadb.HttpClient(
                    host=host, port=port, ssl=tls, settings=ChromaSettings(anonymized_telemetry=False)
                )
            except ValueError as error:  # how the client reports a server that it cannot reach
                raise Unavailable("The vector store (Chroma) does not answer.") from error
        return self._client
