"""A small table for every picture, made by the same functions of `core.tables` as on its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from playground.charts import embedding_maps
from playground.core import bpe
from playground.core.adapting import WayPoint
from playground.core.agents import recorded
from playground.core.beams import Candidate
from playground.core.classroom.polls import Poll, tally
from playground.core.contexts import Contexts
from playground.core.devices import Trained
from playground.core.embeddings import MEASURES, Baseline, EmbeddingTable, Neighbours
from playground.core.few_shot import Example
from playground.core.forgetting import ForgettingMethod, ForgettingTable, MeasuredForgetting
from playground.core.indexes.measured import Point
from playground.core.inside import ResidualStream
from playground.core.jobs.scoring import Figure
from playground.core.judging import JudgedPair, Share, Verdict
from playground.core.known_models import KNOWN_MODELS
from playground.core.lora import LowRank
from playground.core.measured_quantization import Measured, MeasuredModel
from playground.core.metrics.classification import classification
from playground.core.metrics.perplexity import Cost, windows
from playground.core.metrics.predictions import row_scores
from playground.core.metrics.ranking import Ranked
from playground.core.minimal_pairs import MeasuredPair, MinimalPair
from playground.core.number_formats import formats_of
from playground.core.positions import PositionScheme
from playground.core.projections import Projection
from playground.core.quantization import Scheme, quantize
from playground.core.scaling import fit
from playground.core.scaling_laws import HOFFMANN
from playground.core.scaling_runs import Measured as RunMeasured
from playground.core.scaling_runs import Point as RunPoint
from playground.core.scaling_runs import TinyRun
from playground.core.tables import (
    ablation,
    adapting,
    agents,
    attention,
    beams,
    comparing,
    continuations,
    court,
    embeddings,
    families,
    finetuning,
    forgetting,
    glue,
    grounding,
    indexes,
    inside,
    judge,
    masked,
    memory,
    metrics,
    own_predictions,
    polls,
    positions,
    prompting,
    quantization,
    ranking,
    sampling,
    scaling,
    seq2seq,
    tasks,
    thinking,
    tokenization,
    ways,
)
from playground.core.tokenization import Rung
from playground.core.ways import WayAnswers
from tests.charts import lifecycle_tables, pretraining_tables
from tests.charts.preference_tables import PREFERENCES
from tests.charts.tuning_tables import TABLES
from tests.core.test_memory import SIZES

RNG = np.random.default_rng(3)
LABELS = ("대한", "it's")  # not only the letters of English
PAIR = np.array([0.25, 0.75])
POINTS = RNG.normal(size=(2, 2))


def _attention() -> pd.DataFrame:
    weights = np.full((1, 2, 2), 0.5, dtype=np.float32)
    return attention.mean_map(LABELS, weights, np.tril(np.ones((2, 2), dtype=np.bool_)))


def _beam_tree() -> pd.DataFrame:
    first = [Candidate(0, 0, -0.5, -0.5, "kept"), Candidate(0, 1, -1.0, -1.0, "dropped")]
    return beams.tree([first, [Candidate(0, 1, -0.25, -0.75, "cut")]], dict(enumerate(LABELS)), None)


def _contexts() -> Contexts:
    maps = RNG.normal(size=(2, 3, 2))
    cosines = np.ones((2, 3, 3), dtype=np.float32)
    return Contexts(("a", "b", "c"), (0, 0, 1), (0, 1), maps, cosines, (None, 0.5))


def _neighbours() -> pd.DataFrame:
    near = [Neighbours(one, np.arange(2), PAIR.astype(np.float32), np.arange(1, 3)) for one in MEASURES]
    pairs = Baseline(*[PAIR.astype(np.float32)] * 3)
    rows = embeddings.neighbours(near, dict(enumerate(LABELS)), pairs)
    return rows.assign(row=rows["token"])  # with its place on the page


def _lengths_of_vectors() -> pd.DataFrame:
    here = pd.DataFrame({"here": [0.5], "label": ["it's"]})
    return pd.concat([embeddings.histogram({"raw": PAIR, "centred": -PAIR}), here], ignore_index=True)


def _changes() -> list[LowRank]:
    return [LowRank(0, "q_proj", RNG.normal(size=(2, 4)), RNG.normal(size=(4, 2)), 1.0, 1.0)]


def _searched() -> pd.DataFrame:
    found = [Ranked((True, False), 1), Ranked((False, True), 1)]
    return ranking.figures([("it's", "둘", found), ("둘", "it's", found)], 1, "hit")


def _shots() -> pd.DataFrame:
    right = {("true", n_shot, draw): [True, False] for n_shot in (0, 1) for draw in (0, 1)}
    return prompting.points_and_means(prompting.shots(right))


def _poll() -> pd.DataFrame:
    poll = Poll("next", "It is", ("it's", "둘"), (0.5, 0.25), 0)
    return polls.results(poll, tally(poll, [0, 0, 1]))


def _curve() -> pd.DataFrame:
    return sampling.temperature_curve(
        [sampling.CurvePoint(temperature, tokens, 1.5, 3, temperature == 1)
         for temperature in (0.5, 1.0) for tokens in ("all", "kept")]
    )  # fmt: skip


def _written(temperature: float) -> continuations.WrittenText:
    return continuations.WrittenText(temperature, 0, [1, 2, 1, 2], [-0.5] * 4, "it's")


def _accuracies() -> pd.DataFrame:
    written = [thinking.Transcript(prompt, 0, 0, "7", "end_of_text") for prompt in ("a", "b")]
    return thinking.accuracies(written, [Example("3 + 4", "7")], 1)


def _grid() -> pd.DataFrame:
    weights = RNG.normal(size=(2, 8)).astype(np.float32)
    return quantization.grid(weights, weights[:1], quantize(weights, Scheme(2, "channel")).grid())


def _quantized() -> pd.DataFrame:
    row = Measured(Scheme(4, "tensor"), 40.0, 0.5, "it's", 0.1, 4.0, 10**6, 0.1)
    model = MeasuredModel("a", "b", "c", LABELS[0], 9, 30.0, 0.6, 4 * 10**6, (row,))
    return quantization.shown(quantization.measured(model), row.scheme)


def _ways() -> pd.DataFrame:
    found = {who: classification(["a", "b"], ["a", "a"], ["a", "b"]) for who in ("zero", "words")}
    answers = {"zero": WayAnswers("zero", "rte", ("en",), "m", "r", ("a", "a"), 1.0)}
    return ways.ways(answers, found, 0.5).assign(cost="it's", kind=["decoder", "words"])


def _vocabulary() -> pd.DataFrame:
    curve = tokenization.vocabulary_curve(bpe.train("low lower lowest", 3))
    return curve.assign(now=curve["n_merges"] == 1, label="it's")


def _learned_table() -> PositionScheme:
    return PositionScheme("learned", "m", "r", 4, table=RNG.normal(size=(4, 8)).astype(np.float32))


VECTORS = EmbeddingTable("m", "r", "float32", "cpu", RNG.normal(size=(3, 4)).astype(np.float32))
LOGITS = RNG.normal(size=(3, 4)).astype(np.float32)
STATES = RNG.normal(size=(3, 4)).astype(np.float32)
HEADS = {(0, 0): 0.5, (0, 1): 0.25}
STEPS = [sampling.GeneratedToken(step, "it's", 7, 2.0, 0.25, 0.5, 2, 3, 1.0) for step in (1, 2)]
PATHS = [sampling.Path(1, 1, 1, 3, "a", "it's", 1.0), sampling.Path(2, 1, 2, 3, "b", "둘", 2.0)]


def _runs() -> pd.DataFrame:
    run = TinyRun("it's", 8, 1, 2, 100, 1.0, 500, 4, 16, 0.01, 0, (RunMeasured(5, 320, 3.0, 1.5),))
    law = fit([1, 10, 100], [8.0, 4.0, 2.1])
    parts = [
        scaling.points([RunPoint(10, run.last, run, True)], law),
        scaling.model("둘", 1e3, 0.9, law, KNOWN_MODELS[0]),
        scaling.laws({"law": law, "law_before": law}, 1, 100),
    ]
    return pd.concat(parts, ignore_index=True)


FORGOTTEN = ForgettingTable(
    "a/b", "c", 2, 0.25, 4, 8, 32,
    tuple(
        MeasuredForgetting(ForgettingMethod(kind), 0, ((0, 2.5), (2, 1.5)), ((0, 3.5), (2, 4.5)), 7.0, 1.0)
        for kind in ("plain", "ewc")
    ),
)  # fmt: skip


SAMPLE_TABLES: Mapping[str, Callable[[], pd.DataFrame]] = {
    "agents.bill": lambda: agents.bill(recorded.shipped()[0].run.turns),
    "agents.opinions": lambda: agents.opinions({"it's": 0.5, "둘": 0.2}, {"it's": 0.7, "둘": 0.2}),
    "agents.strategies": lambda: agents.measured([recorded.measured(recorded.shipped()[:12])]),
    "attention.mask": _attention,
    "attention.mean_map": _attention,
    "beams.beam_tree": _beam_tree,
    "beams.token_probabilities": lambda: beams.probabilities({"greedy": [-0.5]}, {"greedy": ["it's"]}),
    "comparing.paired_bars": lambda: comparing.most_probable({1: 0.5}, {1: 0.25}, {1: "it's"}, 1),
    "court.by_context": lambda: court.under_windows(
        [court.UnderWindows(8, 4, 3, 20.0, 1.5, True), court.UnderWindows(16, 4, 2, 16.0, 1.25, False)]
    ),
    "court.models": lambda: court.models([court.Judgement("it's", "둘", Cost(8.0, 2, 6, 3), "first")]),
    "court.running": lambda: court.lines(court.along(LABELS, [-1.0, -2.0], windows(3, 2, 1), [-1.0, -1.0])),
    "embedding_maps.context_map": lambda: embedding_maps.context_points(
        embeddings.context_map(_contexts(), 1)
    ),
    "embedding_maps.cosine_matrix": lambda: embeddings.context_cosines(_contexts(), 1),
    "embedding_maps.group_maps": lambda: embedding_maps.group_points(
        embeddings.maps({"a": Projection(POINTS, np.array([]))}, LABELS, (0, 1))
    ),
    "embedding_maps.separation_curve": lambda: embeddings.separations(_contexts(), 1),
    "embeddings.histogram": _lengths_of_vectors,
    "embeddings.neighbour_bars": _neighbours,
    "embeddings.vector_strip": lambda: embeddings.vector(VECTORS, 1),
    "adapting.ways": lambda: adapting.ways(
        [
            ("shipped", WayPoint("lora", 8, 2e-3, 100, 3.0, 2.5, 20, 1.25)),
            ("mine", WayPoint("prompt", 8, 2e-2, 10, 3.5, 2.75, 20)),
        ]
    ),
    "forgetting.losses": lambda: forgetting.points(FORGOTTEN, [FORGOTTEN.runs[0].method]),
    "forgetting.loss_steps": lambda: forgetting.curves(
        {"plain": (FORGOTTEN.runs[0].held_out, FORGOTTEN.runs[0].general)}, 0.25
    ),
    "finetuning.delta_heat_map": lambda: finetuning.delta_map(_changes()),
    "finetuning.length_histogram": lambda: finetuning.lengths([3, 4, 40]),
    "finetuning.loss_curves": lambda: finetuning.losses([(1, 2.0), (2, 1.0)], [(2, 1.5)], [(2, 1.75)]),
    "finetuning.score_bars": lambda: finetuning.question_scores([("memorised", "before", 1, 2)]),
    "finetuning.singular_value_bars": lambda: finetuning.spectrum(_changes(), 0, "q_proj"),
    "finetuning.strength_lines": lambda: finetuning.strengths([(0.0, "it's", 0.25), (1.0, "it's", 0.5)]),
    "finetuning.weight_areas": lambda: finetuning.areas(4, 6, 2),
    "heads.before_after": lambda: ablation.ablated(PAIR, PAIR[::-1], dict(enumerate(LABELS))),
    "heads.effect_grid": lambda: ablation.ranking(HEADS, PAIR[None], dict.fromkeys(HEADS, "it's")),
    "families.accuracies": lambda: families.accuracies({"encoder": [True, False]}, ["en", "ko"]),
    "families.moved": lambda: families.moved(
        "encoder", np.array([PAIR, [0, 0]]), LABELS, ["before", "changed"]
    ),
    "glue.scores": lambda: glue.figures({}, ("en",)),
    "glue.widths": lambda: glue.widths((0.7, 0.75), 50_000),
    "heads.flow": lambda: ablation.flow(np.full((2, 2), 0.5), LABELS),
    "heads.weight_against_effect": lambda: ablation.ranking(HEADS, PAIR[None], dict.fromkeys(HEADS, "둘")),
    "judge.shares": lambda: judge.shares({"all": [Share("turns", 1, 2)]}),
    "judge.verdicts": lambda: judge.points(
        judge.verdicts([JudgedPair("ko", "둘?", "it's", "둘", "둘둘")], [Verdict(0.75, 0.5)], ["둘"])
    ),
    "inside.attribution_bars": lambda: inside.attribution(np.array([0.5, 1, -1, 0.25])),
    "inside.patch_bars": lambda: inside.patched(LOGITS[0], LOGITS[1], dict(enumerate(LABELS))),
    "grounding.left_out": lambda: grounding.left_out(["all", "it's", "둘"], [-1.0, -9.0, -0.5]),
    "grounding.shares": lambda: grounding.outcomes({"a": ("it's", 3, 9), "b": ("둘", 0, 9)}),
    "ranking.by_group": _searched,
    "ranking.by_size": _searched,
    **TABLES,
    "inside.rank_lines": lambda: inside.rank_lines(LOGITS, np.arange(2), dict(enumerate(LABELS))),
    "inside.stream_lines": lambda: inside.stream(ResidualStream(STATES, None, None, STATES[-1])),
    "inside.strips": lambda: inside.tensors({"it's": STATES[0], "둘": STATES[1]}),
    "positions.curve": lambda: positions.principal_curve(_learned_table()),
    "positions.far_lines": lambda: positions.far([("all", 0, 0.5, "it's", 0.5), ("last", 9, 0.25, "b", 0.5)]),
    "positions.order_lines": lambda: positions.order({("a", "counted"): PAIR, ("b", "equal"): PAIR}),
    "prompting.accuracy_by_shots": _shots,
    "prompting.changes": lambda: prompting.without_each([("it's", "좋음")], 0.75, [0.5]),
    "prompting.label_bars": lambda: prompting.labels(
        LABELS, {"none": PAIR, "shots": PAIR}, {"none": np.log(PAIR), "shots": np.log(PAIR)}, (1, 2), "it's"
    ),
    "prompting.orders": lambda: prompting.orders([(LABELS, [True, False])]),
    "indexes.measured": lambda: indexes.drawn(
        [
            Point("flat", (), "", 0, 1, 1, 1, 90, 80, 99, 1536, 0.1),
            *(Point("ivf", (("cells", 8),), "nprobe", n, n / 8, 0.1, 1, n, n, n, 1600, 1) for n in (1, 2, 8)),
            Point("hnsw", (("M", 8),), "ef", 10, 0.9, 0.8, 1, 9, 8, 10, 1700, 1),
        ],
        "it's",
    ),
    "memory.cache_lines": lambda: memory.caches(SIZES, {"it's": 4, "둘": 2}, (16, 64), 4, [("둘", 16, 9)]),
    "memory.device_bars": lambda: memory.devices(Trained(7_500, 2, 4, 8), 4),
    "memory.device_traffic": lambda: memory.devices(Trained(7_500, 2, 4, 8), 4),
    "memory.format_ranges": lambda: memory.ranges(formats_of(0.5), 0.1),
    "memory.step_line": lambda: memory.line(
        [(0.0, 10), (2.0, 30), (3.0, 5)], [("forward", 1.0), ("update", 3.0)]
    ),
    "masked.answers": lambda: masked.answers(
        [masked.Answer(1, "1", order, order, "it's", 7, 0.5, order == 2) for order in (1, 2)]
    ),
    "masked.both_sides": lambda: masked.sides(
        masked.words([masked.WordCost(step, "대한", 2.0, 3.0) for step in (1, 2)])
    ),
    "metrics.brevity": lambda: metrics.brevity_curve(5, 9),
    "metrics.histogram": lambda: own_predictions.histogram(
        [row_scores("it's", ["둘"], "char", "words")], "bleu"
    ),
    "metrics.votes": lambda: metrics.votes_against(
        [metrics.PostedAnswer(n, "it's", kind, 50.0, 0.5, 0.5, n) for n, kind in ((1, "good"), (2, "reader"))]
    ),
    **lifecycle_tables.TABLES,
    **pretraining_tables.TABLES,
    "masked.pair_differences": lambda: masked.pairs(
        [MeasuredPair(MinimalPair("it's", "a", "둘"), 2.0, bits, 3, 4) for bits in (1.0, 3.0)]
    ),
    "polls.result": _poll,
    "sampling.entropy_curve": _curve,
    "sampling.kept_curve": _curve,
    "sampling.path_tree": lambda: sampling.paths(PATHS),
    "sampling.quality_against_diversity": lambda: continuations.by_temperature([_written(0.5), _written(1)]),
    "scaling.iso_flops": lambda: scaling.iso_flops(HOFFMANN, (1e20, 1e21), 1e8, 1e10),
    "scaling.known": lambda: scaling.known(KNOWN_MODELS[:3], ""),
    "scaling.losses": _runs,
    "sampling.surprisal_bars": lambda: sampling.continuation(STEPS),
    "seq2seq.exact_by_length": lambda: seq2seq.exact({"it's": [(10, 9, 10)], "둘": [(10, 1, 10)]}),
    "seq2seq.exact_by_step": lambda: seq2seq.exact({"it's": [(0, 0, 10), (50, 9, 10)]}, at="step"),
    "seq2seq.gradient_lines": lambda: seq2seq.gradients({"it's": PAIR.astype(np.float32)}, LABELS),
    "seq2seq.losses": lambda: seq2seq.losses({"it's": ([(1, 2.0)], [(0, 3.0), (1, 2.5)])}),
    "seq2seq.step_bytes": lambda: seq2seq.costs({"it's": [(8, 512, 1e-4), (16, 512, 1e-4)]}),
    "seq2seq.step_times": lambda: seq2seq.costs({"둘": [(8, 512, 1e-4), (16, 1024, 2e-4)]}),
    "seq2seq.writings": lambda: seq2seq.writings("a■", [("▷", "a", 0.5)], [("▷", "b", 0.25)]),
    "tasks.figures": lambda: tasks.figures({"model": [Figure("it's", 50.0, 40.0, 60.0)]}),
    "tasks.shares": lambda: tasks.shares({"before": PAIR, "after": PAIR}, ("a", "둘")),
    "thinking.prompt_accuracies": _accuracies,
    "quantization.grid": _grid,
    "quantization.measured": _quantized,
    "quantization.layers": lambda: quantization.layers([(0, False, 0.1), (0, True, 0.2)], PAIR),
    "quantization.next_tokens": lambda: quantization.next_tokens(LABELS, PAIR, PAIR[::-1]),
    "ways.ways": _ways,
    "tokenization.ladder": lambda: tokenization.ladder(
        [Rung("word", 5, 4, 1, 1, 2), Rung("byte", 9, 8, 0, 1, 0)]
    ),
    "tokenization.language_bill": lambda: tokenization.language_bill(
        {"a": {"en": 2, "ko": 6}, "b": {"en": 2, "ko": 3}}, {"en": "hello", "ko": "안녕"}
    ),
    "tokenization.vocabulary_curve": _vocabulary,
    **PREFERENCES,
}
