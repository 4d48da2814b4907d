"""The vector database of one collection: LanceDB in memory, which answers every search.

Every store has a database, and caches, of its own; dropping the store frees all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from playground.engine.contract.retrieval import N_FUSED, RRF_K, Chunk, ChunkFilter, Hit, Metric
from playground.errors import BadValue

if TYPE_CHECKING:
    import pyarrow as pa

SHORTEST, LONGEST = 2, 3  # characters of the pieces that a search by text compares: 서울 is in 서울입니다
_CACHE_BYTES = 2**20  # of an index, and of metadata
_TABLE = "chunks"


@dataclass(frozen=True, slots=True)
class Where:
    """A filter for the database, and the SQL it stands for; values are literals, never parts of the SQL."""

    expression: Any
    sql: str


class ChunkStore:
    """Chunks with their vectors and metadata.

    Args:
        chunks: The chunks, by their number.
        vectors: Their vectors. Shape [n_chunks, d_vector].
    """

    def __init__(self, chunks: Sequence[Chunk], vectors: NDArray[np.float32]) -> None:
        import lancedb  # a second to import
        from lancedb.index import FTS

        database = lancedb.connect(
            f"memory://{uuid4().hex}", session=lancedb.Session(_CACHE_BYTES, _CACHE_BYTES)
        )
        self._table: Any = database.create_table(_TABLE, _rows(chunks, vectors))
        pieces = FTS(
            base_tokenizer="ngram", ngram_min_length=SHORTEST, ngram_max_length=LONGEST, stem=False,
            remove_stop_words=False, ascii_folding=False, lower_case=True, with_position=False, num_workers=1,
        )  # fmt: skip
        self._table.create_index("text", config=pieces)

    def by_vector(
        self, vector: NDArray[np.float32], metric: Metric, n: int, where: Where | None
    ) -> tuple[Hit, ...]:
        """The chunks nearest to a vector [d_vector], exactly: no index stands between."""
        rows = self._nearest(vector, metric, where).limit(n).to_arrow()
        found = zip(rows["number"].to_pylist(), rows["_distance"].to_pylist(), strict=True)
        return tuple(Hit(number, _value(metric, distance)) for number, distance in found)

    def by_text(self, text: str, n: int, where: Where | None) -> tuple[Hit, ...]:
        """The chunks with the highest BM25 score; those that share no piece with the text are left out."""
        rows = self._matching(text, where).limit(n).to_arrow()
        found = zip(rows["number"].to_pylist(), rows["_score"].to_pylist(), strict=True)
        return tuple(Hit(number, score) for number, score in found)

    def hybrid(
        self, vector: NDArray[np.float32], metric: Metric, text: str, n: int, where: Where | None
    ) -> tuple[Hit, ...]:
        """Both lists fused by the ranks of their chunks.

        Source:
            Cormack, Clarke & Buettcher 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual
            Rank Learning Methods", SIGIR.
        """
        from lancedb.rerankers import RRFReranker

        by_vector, by_text = (
            query.with_row_id(True).limit(N_FUSED).to_arrow()
            for query in (self._nearest(vector, metric, where), self._matching(text, where))
        )
        fused = RRFReranker(RRF_K).rerank_hybrid(text, by_vector, by_text).slice(0, n)
        ranks = [
            {number: rank for rank, number in enumerate(rows["number"].to_pylist(), 1)}
            for rows in (by_vector, by_text)
        ]
        found = zip(fused["number"].to_pylist(), fused["_relevance_score"].to_pylist(), strict=True)
        return tuple(
            Hit(number, score, *(of_list.get(number, 0) for of_list in ranks)) for number, score in found
        )

    def _nearest(self, vector: NDArray[np.float32], metric: Metric, where: Where | None) -> Any:  # noqa: ANN401 - lancedb's query
        query = self._table.search(vector, vector_column_name="vector").distance_type(metric)
        return _narrowed(query, where).select(["number", "_distance"])

    def _matching(self, text: str, where: Where | None) -> Any:  # noqa: ANN401 - lancedb's query
        from lancedb.query import MatchQuery

        match: Any = MatchQuery  # its defaults are pydantic's
        query = self._table.search(match(text, "text"), query_type="fts")
        return _narrowed(query, where).select(["number", "_score"])


def where_of(wanted: ChunkFilter) -> Where | None:
    """A filter in the database's terms, None where it asks nothing.

    Raises:
        BadValue: A date is none.
    """
    from lancedb.expr import col, lit

    parts = []
    if wanted.sources:
        parts.append(col("source").isin(wanted.sources))
    if wanted.languages:
        parts.append(col("language").isin(wanted.languages))
    if wanted.first_date:
        parts.append(col("date") >= lit(day_of(wanted.first_date)))
    if wanted.last_date:
        parts.append(col("date") <= lit(day_of(wanted.last_date)))
    if not parts:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = whole & part
    return Where(whole, whole.to_sql())


def day_of(iso: str) -> date:
    """An ISO day.

    Raises:
        BadValue: It is none.
    """
    try:
        return date.fromisoformat(iso)
    except ValueError:
        raise BadValue(name="date", value=iso[:40], allowed="2026-11-29") from None


def _narrowed(query: Any, where: Where | None) -> Any:  # noqa: ANN401 - lancedb's query
    return query if where is None else query.where(where.expression, prefilter=True)


def _value(metric: Metric, distance: float) -> float:
    """Lance's distance is 1 - cosine, 1 - dot product, or the square of the Euclidean distance."""
    return float(np.sqrt(max(0.0, distance))) if metric == "l2" else 1.0 - distance


def _rows(chunks: Sequence[Chunk], vectors: NDArray[np.float32]) -> pa.Table:
    import pyarrow as pa

    n, d = vectors.shape
    days = [day_of(chunk.date) if chunk.date else None for chunk in chunks]
    return pa.table(
        {
            "number": pa.array(range(n), pa.int32()),
            "text": pa.array([chunk.text for chunk in chunks], pa.string()),
            "source": pa.array([chunk.source for chunk in chunks], pa.string()),
            "language": pa.array([chunk.language for chunk in chunks], pa.string()),
            "date": pa.array(days, pa.date32()),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel(), pa.float32()), d),
        }
    )
