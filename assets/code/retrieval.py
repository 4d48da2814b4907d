# Chunks in a vector database: a question by meaning (vectors), by words (BM25), and both lists fused by rank.
from datetime import date
from functools import reduce
from operator import and_
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import torch
from lancedb.expr import col, lit
from lancedb.index import FTS
from lancedb.query import LanceQueryBuilder, MatchQuery
from lancedb.rerankers import RRFReranker
from transformers import AutoModel, AutoTokenizer, logging

folder = "~/.cache/llm-playground/models/intfloat--multilingual-e5-small"
chunks = ["The ferry sails at 7:40.", "Dogs are not allowed.", "배는 7시 40분에 떠난다."]
sources = ["handbook", "handbook", "안내서"]
languages = ["en", "en", "ko"]
dates = ["2031-04-01", "", "2031-04-01"]
question = "When does the boat leave?"
metric = "cosine"
n = 5
only_sources = []  # a filter that is empty asks nothing
only_languages = []
first_date = ""
last_date = ""
max_tokens = 512
before_text = "passage: "  # what the model wants to read before a chunk, and before a question
before_query = "query: "

path = Path(folder).expanduser()
tokenizer = AutoTokenizer.from_pretrained(path)
logging.set_verbosity_error()  # a pooler the folder lacks or a head it has plays no part here
model = AutoModel.from_pretrained(path, dtype=torch.float32).eval()


def embed(text: str) -> np.ndarray:
    """The vector of one text: of its first tokens, where it has more than the model reads."""
    cut = {"truncation": True, "max_length": max_tokens}
    ids = tokenizer(text, return_tensors="pt", split_special_tokens=True, **cut).input_ids
    with torch.no_grad():
        mean = model(ids).last_hidden_state[0].mean(0)
    return (mean / mean.norm()).numpy()


vectors = np.stack([embed(before_text + chunk) for chunk in chunks])
query = embed(before_query + question)

rows = {
    "number": pa.array(range(len(chunks)), pa.int32()),
    "text": chunks,
    "source": sources,
    "language": languages,
    "date": pa.array([date.fromisoformat(day) if day else None for day in dates], pa.date32()),
    "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
}
table = lancedb.connect("memory://").create_table("chunks", pa.table(rows))
pieces = {"base_tokenizer": "ngram", "ngram_min_length": 2, "ngram_max_length": 3}
plain = {"stem": False, "remove_stop_words": False, "ascii_folding": False}
table.create_index("text", config=FTS(**pieces, **plain))

parts = []
if only_sources:
    parts.append(col("source").isin(only_sources))
if only_languages:
    parts.append(col("language").isin(only_languages))
if first_date:
    parts.append(col("date") >= lit(date.fromisoformat(first_date)))
if last_date:
    parts.append(col("date") <= lit(date.fromisoformat(last_date)))


def found(search: LanceQueryBuilder, limit: int) -> pa.Table:
    """The rows that a search finds among those that pass the filter."""
    if parts:
        search = search.where(reduce(and_, parts), prefilter=True)
    return search.with_row_id(True).limit(limit).to_arrow()


def by_vector(limit: int) -> pa.Table:
    """The chunks nearest to the question."""
    return found(table.search(query, vector_column_name="vector").distance_type(metric), limit)


def by_text(limit: int) -> pa.Table:
    """The chunks with the highest BM25 score."""
    return found(table.search(MatchQuery(question, "text"), query_type="fts"), limit)


def scores(rows: pa.Table, column: str) -> dict[int, float]:
    """Number of the chunk -> score."""
    return dict(zip(rows["number"].to_pylist(), rows[column].to_pylist(), strict=True))


hits = {"vector": scores(by_vector(n), "_distance"), "text": scores(by_text(n), "_score")}
for number, distance in hits["vector"].items():
    hits["vector"][number] = max(0.0, distance) ** 0.5 if metric == "l2" else 1 - distance
fused = RRFReranker(60).rerank_hybrid(question, by_vector(50), by_text(50)).slice(0, n)
hits["hybrid"] = scores(fused, "_relevance_score")
for way, of_way in hits.items():
    for number, score in of_way.items():
        print(f"{way:7} {score:8.4f}  {chunks[number][:80]!r}")
