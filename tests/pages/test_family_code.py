"""The code shown under pictures, run on a tiny model of every family: it gives the engine's own numbers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel
from transformers.utils import logging as library_logging

from playground.core.interventions import Intervention, patch
from playground.engine import create_engine
from playground.engine.contract.inside import LensRequest
from playground.engine.contract.traces import Capture, TraceRequest
from playground.engine.local.engine import LocalEngine
from playground.engine.models.families.table import FAMILIES
from playground.errors import Unsupported
from playground.settings import Settings
from playground.ui.embeddings import analogy
from tests import families
from tests.families import family_of
from tests.pages import shown

IDS, OTHER = (5, 20, 31, 9, 40, 31), (7, 20, 33, 9, 41)
LAYER, HEAD, QUERY = 1, 2, 4
WORDS = ("the", "cat", "on", "mat")
ODD = ("tiny/mistral-head-dim", "tiny/gemma3_text-head-dim", "tiny/gpt_neox-no-biases", "tiny/electra-narrow",
       "tiny/roberta-padding", "tiny/opt-no-biases")  # fmt: skip
CHOSEN = tuple(one for one in families.VARIANTS if one.endswith("-plain") or one in ODD)
DECODERS = tuple(one for one in CHOSEN if FAMILIES[family_of(one)].kind == "decoder")
ENCODERS = tuple(one for one in CHOSEN if FAMILIES[family_of(one)].kind == "encoder")
TWO_STACKS = tuple(one for one in CHOSEN if FAMILIES[family_of(one)].kind == "encoder-decoder")
MODELS = (*DECODERS, *ENCODERS)


def those(*needs: str, models: tuple[str, ...] = MODELS) -> tuple[str, ...]:
    """Models whose family lacks none of these capabilities."""
    return tuple(one for one in models if not FAMILIES[family_of(one)].lacks & set(needs))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return families.make(tmp_path_factory.mktemp("families"), CHOSEN)


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[LocalEngine]:
    engine = create_engine(settings)
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


class Code:
    """Runs what pages show of one model."""

    def __init__(self, model: str, settings: Settings, tmp_path: Path) -> None:
        self.tmp_path, self.folder = tmp_path, shown.folder(settings, model)

    def __call__(self, name: str, **values: Any) -> dict[str, Any]:
        """Run a script."""
        return shown.run_code(name, self.tmp_path, folder=self.folder, **values)


@pytest.fixture
def code(model: str, settings: Settings, tmp_path: Path) -> Code:
    return Code(model, settings, tmp_path)


def traced(engine: LocalEngine, model: str, ids: tuple[int, ...] = IDS, **more: Any) -> Any:
    capture = more.pop("capture", Capture(hidden_states="all"))
    return engine.trace(TraceRequest(model, input_ids=ids, capture=capture, **more))


def logprobs(logits: Any) -> Any:
    return torch.from_numpy(np.array(logits, dtype=np.float64)).log_softmax(-1).numpy()


def same(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), atol=2e-5, rtol=2e-4)


@pytest.mark.parametrize("model", CHOSEN)
def test_attention_maps_are_the_engines(model: str, code: Code, engine: LocalEngine) -> None:
    weights = traced(engine, model, capture=Capture("float32")).attentions
    at = {"input_ids": list(IDS), "layer": LAYER, "head": HEAD}
    same(code("attention_map", **at)["weights"], weights[LAYER, HEAD])
    same(code("attention_heads", **at)["weights"], weights)
    assert code("rollout", n_layers=2, **at)["flow"].shape == (len(IDS), len(IDS))


@pytest.mark.parametrize("model", those("query_key"))
def test_the_row_of_a_head_is_the_engines(model: str, code: Code, engine: LocalEngine) -> None:
    found = code(
        "attention_row", input_ids=list(IDS), layer=LAYER, head=HEAD,
        query=QUERY,
    )  # fmt: skip
    trace = traced(engine, model, capture=Capture("float32", query_key=True))
    same(found["weights"], trace.attentions[LAYER, HEAD, QUERY])
    keys = trace.keys[LAYER, HEAD * len(trace.keys[LAYER]) // len(trace.queries[LAYER])]
    same(found["scores"], keys @ trace.queries[LAYER, HEAD, QUERY])
    with suppress(Unsupported):  # then the page does not show what it writes
        output = engine.inside.head_output(model, LAYER, HEAD)
        same(found["output"], output)


@pytest.mark.parametrize("model", CHOSEN)
def test_the_residual_stream_is_the_engines(model: str, code: Code, engine: LocalEngine) -> None:
    found = code("residual_stream", input_ids=list(IDS), position=QUERY)
    states = traced(engine, model).hidden_states[:, QUERY]
    n = len(states) - (model in DECODERS)  # the page takes the last one before the norm
    same(found["norms"][:n], np.linalg.norm(states, axis=-1)[:n])


@pytest.mark.parametrize("model", DECODERS)
def test_the_lens_is_the_engines(model: str, code: Code, engine: LocalEngine) -> None:
    found = code("logit_lens", input_ids=list(IDS), position=QUERY)
    lens = engine.inside.lens(LensRequest(model, input_ids=IDS, position=QUERY))
    same(found["logits"][:, QUERY], lens.logits)


@pytest.mark.parametrize("model", DECODERS)
def test_the_shares_of_a_logit_sum_to_it_wherever_the_page_shows_them(
    model: str, code: Code, engine: LocalEngine
) -> None:
    try:
        engine.inside.unembedding(model, (7,))
        traced(engine, model, capture=Capture(block_outputs=True))
    except Unsupported:
        pytest.skip("the page refuses it by name")
    found = code("attribution", input_ids=list(IDS), position=QUERY, token_ids=[7])
    assert found["total"] == pytest.approx(found["logit"], abs=1e-4)
    trace = traced(engine, model, capture=Capture(hidden_states="all", block_outputs=True))
    same(found["written"][2], trace.attn_out[1, QUERY])
    same(found["written"][3], trace.mlp_out[1, QUERY])


@pytest.mark.parametrize("model", DECODERS)
@pytest.mark.parametrize("ablation", ["zero", "mean"])
def test_a_head_switched_off_is_the_engines(
    model: str, ablation: Any, code: Code, engine: LocalEngine
) -> None:
    at = {"input_ids": list(IDS), "layer": LAYER, "head": HEAD, "ablation": ablation}
    found = code("ablation", off=[[LAYER, HEAD]], **at)
    edit = Intervention(((LAYER, HEAD),), ablation)
    after = logprobs(traced(engine, model, capture=Capture(logits="last"), intervention=edit).logits[-1])
    same(found["after"], after)
    ranking = code("ablation_ranking", **at)
    assert ranking["effects"][LAYER, HEAD] == pytest.approx(float(found["bits"]), abs=1e-5)


@pytest.mark.parametrize("model", DECODERS)
def test_a_copied_state_is_the_engines(model: str, code: Code, engine: LocalEngine) -> None:
    found = code("patching", ids_a=list(IDS), ids_b=list(OTHER), layer=LAYER, pairs=[(2, 2)])
    state = traced(engine, model).hidden_states[LAYER, 2]
    edit = Intervention(patches=(patch(LAYER, 2, state),))
    after = traced(engine, model, OTHER, capture=Capture(logits="last"), intervention=edit).logits[-1]
    same(found["q"], logprobs(after))


LEARNED = tuple(one for one in MODELS if FAMILIES[family_of(one)].position_table)
TURNED = tuple(one for one in DECODERS if FAMILIES[family_of(one)].has_clocks)


@pytest.mark.parametrize("model", LEARNED)
def test_learned_positions_are_the_engines(model: str, code: Code, engine: LocalEngine) -> None:
    table = engine.inside.positions(model).table
    assert table is not None
    same(code("learned_positions", n_ctx=len(table))["table"], table)


@pytest.mark.parametrize("model", TURNED)
def test_a_score_depends_on_the_distance_alone(
    model: str, code: Code, settings: Settings, engine: LocalEngine
) -> None:
    found = code("rotary", input_ids=list(IDS))
    assert found["here"] == pytest.approx(found["there"], abs=1e-3)
    table = engine.inside.positions(LEARNED[0]).table
    assert table is not None
    turning = engine.inside.positions(model)
    drawn = shown.run_code(
        "distances", code.tmp_path, folder=shown.folder(settings, LEARNED[0]), rotary_folder=code.folder,
        n_ctx=len(table), reach=32,
    )  # fmt: skip
    assert drawn["d_head"] == turning.d_head
    same(drawn["rotary"], drawn["mean_cosine"](turning.d_head, turning.base))


@pytest.mark.parametrize("model", [*ENCODERS, *DECODERS])
def test_another_order_moves_vectors_as_in_the_engine(
    model: str, settings: Settings, tmp_path: Path, engine: LocalEngine
) -> None:
    """Each model stands for the encoder here: what the script does is the same for both."""
    order, folder = [2, 0, 1, 3, 4, 5], shown.folder(settings, model)
    found = shown.run_code(
        "word_order", tmp_path, encoder_folder=folder, decoder_folder=folder, encoder_ids=list(IDS),
        decoder_ids=list(IDS), encoder_order=order, decoder_order=order,
    )  # fmt: skip
    shuffled = tuple(IDS[place] for place in order)
    for kind, positions in (("counted", tuple(range(len(IDS)))), ("equal", (0,) * len(IDS))):
        before, after = (
            traced(engine, model, ids, position_ids=positions).hidden_states.astype(np.float64)
            for ids in (IDS, shuffled)
        )
        moved = np.linalg.norm(after - before[:, order], axis=-1) / np.linalg.norm(before[:, order], axis=-1)
        same(found["differences"]["encoder", kind], moved.max(-1))


@pytest.mark.parametrize("model", MODELS)
def test_the_code_of_home_gives_the_engines_numbers(model: str, code: Code, engine: LocalEngine) -> None:
    found = code("home" if model in DECODERS else "home_encoder", text="the cat sat")
    ids = tuple(int(one) for one in found["ids"][0])
    trace = traced(
        engine, model, ids, capture=Capture(hidden_states="all", logits="last" if model in DECODERS else None)
    )
    same(found["embedding"], trace.hidden_states[0])
    if model in DECODERS:
        same(found["probs"], np.exp(logprobs(trace.logits[-1])))
    else:
        mean = trace.hidden_states[-1].mean(0)
        same(found["sentence"], mean / np.linalg.norm(mean))


@pytest.mark.parametrize("model", TWO_STACKS)
def test_the_code_of_home_gives_the_first_token_of_the_answer(
    model: str, code: Code, engine: LocalEngine
) -> None:
    found = code("home_encoder_decoder", text="the cat sat")
    ids = tuple(int(one) for one in found["ids"][0])
    trace = traced(engine, model, ids, capture=Capture(logits="last"))
    same(found["probs"], np.exp(logprobs(trace.logits[-1])))


def test_the_code_of_an_encoder_is_silent_about_what_it_does_not_use(
    settings: Settings, tmp_path: Path, engine: LocalEngine
) -> None:
    """A folder with a head for masks and without pooler, as that of E5: the library would list both."""
    heard: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    before = library_logging.get_verbosity()
    library_logging.set_verbosity_warning()
    library_logging.add_handler(handler)
    folder = shown.folder(settings, "tiny/bert-plain")
    try:
        AutoModel.from_pretrained(folder)
        assert "pooler" in "".join(heard), "the guard of what is asked below"
        heard.clear()
        shown.run_code("residual_stream", tmp_path, folder=folder, input_ids=list(IDS), position=QUERY)
    finally:
        library_logging.remove_handler(handler)
        library_logging.set_verbosity(before)
    assert not heard


@pytest.mark.parametrize("model", ["tiny/electra-narrow", "tiny/bert-plain"])
def test_an_analogy_is_the_tables_however_wide_it_is(model: str, code: Code, engine: LocalEngine) -> None:
    table = engine.vectors.embedding_table(model)
    read = [engine.tokenizers.tokenize(model, word, add_special_tokens=False).input_ids for word in WORDS]
    assert [len(one) for one in read] == [1] * len(WORDS)
    ids = [one[0] for one in read]
    found = code("embeddings_analogy", quadruples=[list(WORDS)])
    assert found["table"].shape == (families.D_VOCAB, 32 if model.endswith("narrow") else 64)
    wanted = analogy.answer(table, analogy.Analogy(*ids))
    everything, without, rank, rank_without = found["answers"][0]
    assert (rank, rank_without) == (wanted.rank, wanted.rank_without)
    assert everything.tolist() == wanted.everything.token_ids.tolist()
    assert without.tolist() == wanted.without.token_ids.tolist()
