"""The index theatre: what is drawn is what the indexes found, every edge exists, the code runs."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from playground.core.indexes.found import Vectors
from playground.core.indexes.hnsw import Hnsw, Step
from playground.core.indexes.shipped_points import shipped_points
from playground.engine.contract.retrieval import EncodeRequest
from playground.engine.local.engine import LocalEngine
from playground.ui import show
from playground.ui.retrieval import asking, theatre
from tests import tiny
from tests.pages.conftest import OpenApp
from tests.pages.looked_up import open_retrieval, words
from tests.pages.shown import drawn, run_script

TYPES = {"f4": "<f4", "i4": "<i4", "u2": "<u2", "u1": "u1"}


def opened(open_app: OpenApp, **url: str) -> AppTest:
    return open_retrieval(open_app, **{"lang": "en", "ret_panel": "theatre", **url})


def sent(app: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Head and arrays of the theatre."""
    head, rest = drawn(app, "index_theatre")
    arrays, at = {}, 0
    for name, kind, n in head["arrays"]:
        arrays[name] = np.frombuffer(rest, TYPES[kind], n, at)
        at += arrays[name].nbytes
    assert at == len(rest)
    return head, arrays


def own(app: AppTest, engine: LocalEngine) -> tuple[Vectors, Vectors]:
    """The vectors of the page's chunks [n, d] and of its question [d]."""
    owner = app.session_state["owner_id"]
    _key, collection_id = app.session_state["ret_built"]
    asked = EncodeRequest(tiny.BERT, (asking.examples("en")[0],), are_queries=True)
    return engine.retrieval.content(collection_id, owner).vectors, engine.retrieval.encode(asked)[0]


def test_the_path_is_that_of_the_graph_over_the_pages_chunks(open_app: OpenApp, engine: LocalEngine) -> None:
    app = opened(open_app, ret_links="4")
    head, arrays = sent(app)
    vectors, query = own(app, engine)
    exact = ((vectors - query) ** 2).sum(axis=1)
    np.testing.assert_allclose(arrays["distances"], exact, atol=1e-5)
    assert head["exact"] == np.argsort(exact, kind="stable")[:10].tolist()
    graph = Hnsw.build(vectors, 4, theatre.EF_CONSTRUCTION, theatre.SEED)
    path: list[Step] = []
    graph.search(query, 10, 10, path)
    assert [step["node"] for step in head["steps"]] == [step.node for step in path]
    for step in head["steps"]:
        assert tuple(step["neighbours"]) == graph.neighbours(step["node"], step["layer"])
        assert set(step["new"]) <= set(step["neighbours"])
    assert head["layers"] == [int((graph.levels >= layer).sum()) for layer in range(graph.n_layers)]
    np.testing.assert_array_equal(arrays["levels"], graph.levels)


def test_cells_hold_every_chunk_and_are_ordered_by_distance(open_app: OpenApp) -> None:
    head, arrays = sent(opened(open_app, ret_index="ivf", ret_cells="8"))
    assert sorted(head["order"]) == list(range(8))
    assert head["centroid_distances"] == sorted(head["centroid_distances"])
    assert len(arrays["cells"]) == head["n"]
    assert set(arrays["cells"].tolist()) <= set(range(8))


def test_a_bucket_is_the_sides_of_its_planes(open_app: OpenApp) -> None:
    head, arrays = sent(opened(open_app, ret_index="lsh", ret_bits="5", ret_tables="3"))
    keys = arrays["keys"].reshape(3, head["n"])
    assert keys.max() < 2**5
    for table in range(3):
        bits = "".join("1" if value >= 0 else "0" for value in head["signed"][table])
        assert int(bits, 2) == head["probes"][table][0]
        assert sorted(head["probes"][table]) == list(range(32))
    assert (arrays["histograms"].reshape(3, 5, -1).sum(axis=2) == head["n"]).all()


def test_what_is_looked_up_adds_up(open_app: OpenApp) -> None:
    head, arrays = sent(opened(open_app, ret_index="pq", ret_parts="8", ret_code_bits="3"))
    n_parts, entries = head["n_parts"], head["n_entries"]
    codes = arrays["codes"].reshape(head["n"], n_parts)
    table = arrays["table"].reshape(n_parts, entries)
    looked = table[np.arange(n_parts), codes].sum(axis=1)
    np.testing.assert_allclose(looked, arrays["coded"], atol=1e-4)
    whole, rebuilt = (arrays[name].reshape(len(head["shown"]), -1) for name in ("originals", "rebuilt"))
    errors = ((whole - rebuilt) ** 2).sum(axis=1)
    np.testing.assert_allclose(errors, arrays["errors"][head["shown"]], atol=1e-5)
    assert head["code_bytes"] == -(-n_parts * 3 // 8)


def test_flat_is_exact_and_no_text_is_markup(open_app: OpenApp) -> None:
    app = opened(open_app, ret_index="flat", ret_query="<b>_x_</b> $1$")
    head, arrays = sent(app)
    assert np.argsort(arrays["distances"], kind="stable")[:10].tolist() == head["exact"]
    assert len(head["chunks"]) == head["n"]


def test_links_that_cannot_be_are_said_and_answered(open_app: OpenApp) -> None:
    app = opened(open_app, ret_index="nonsense", ret_links="999", ret_ef="x")
    assert sent(app)[0]["kind"] == "hnsw"
    assert "nonsense" in words(app)


@pytest.mark.parametrize("kind", ["hnsw", "ivf", "lsh", "pq", "flat"])
def test_the_code_shown_gives_the_exact_answer_of_the_page(
    open_app: OpenApp, engine: LocalEngine, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}
    real = show.under_picture
    monkeypatch.setattr(
        show, "under_picture", lambda name, **given: kept.update({name: given}) or real(name, **given)
    )
    app = opened(open_app, ret_index=kind)
    vectors, query = own(app, engine)
    file = tmp_path / "vectors.npz"
    with file.open("wb") as to:
        np.savez(to, vectors=vectors, query=query)
    script = kept["ret_indexes"]["code"]().replace("~/Downloads/vectors.npz", str(file))
    made, printed = run_script(script, tmp_path)
    assert made["exact"].tolist() == sent(app)[0]["exact"]
    assert "found" in printed
    table = kept["ret_indexes"]["frame"]()
    assert table[table.exact].chunk.tolist() == [place + 1 for place in sent(app)[0]["exact"]]


def test_the_file_of_vectors_holds_them(open_app: OpenApp, engine: LocalEngine) -> None:
    app = opened(open_app, ret_index="flat")
    vectors, query = own(app, engine)
    scene: Any = type("Scene", (), {})()
    scene.of, scene.asked = type("Of", (), {"vectors": vectors}), type("Asked", (), {"vector": query})
    with np.load(io.BytesIO(theatre._file(scene))) as kept:
        np.testing.assert_array_equal(kept["vectors"], vectors)
        np.testing.assert_array_equal(kept["query"], query)


def test_measured_points_are_those_that_are_shipped(open_app: OpenApp) -> None:
    said = words(opened(open_app, ret_index="flat"))
    points = [point for point in shipped_points().points if point.index != "flat" and point.recall >= 0.95]
    quick = min(points, key=lambda point: point.us)
    assert f"{quick.us:,.0f} µs" in said
    assert quick.index.upper() in said


def test_a_measurement_of_this_server_is_kept_for_all(open_app: OpenApp) -> None:
    app = opened(open_app, ret_index="flat", ret_measured="here")
    app.button(key="ret_measure").click().run()
    until = time.monotonic() + 60
    while "questions are vectors that were left out" not in words(app) or "settings measured" in words(app):
        assert time.monotonic() < until
        time.sleep(0.2)
        app.run()
    assert "faiss, one thread of this server" in words(app)
    again = opened(open_app, ret_index="flat", ret_measured="here")
    assert "faiss, one thread of this server" in words(again)
    assert [button.key for button in again.button if button.key == "ret_measure"] == []
