"""The words of the theatre in the reader's language; the browser fills the braces."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from playground.ui.text import _


def words(kind: str) -> dict[str, str]:
    """The words that every view has, and those of one."""
    return {**_shared(), **_OF[kind]()}


def _shared() -> dict[str, str]:
    return {
        "map": _("Map of the chunks and the question"),
        "back": _("Back"),
        "on": _("On"),
        "query": _("the question"),
        "vector": _("chunk"),
        "found": _("found, nearest first"),
        "answer": _("Found, nearest first; dashed: not in the exact answer"),
        "exact": _("in the exact answer"),
        "more": _("and {n} more"),
        "hint": _("Click or tap a point to read its chunk."),
        "chunk": _("Chunk {n}: squared distance {distance}, cosine {cosine}"),
        "size": _("chunks: {n}"),
    }


def _flat() -> dict[str, str]:
    return {
        "told_flat": _(
            "One distance to each of the {n} chunks: the exact answer. Nearest is chunk {first} at "
            "{distance}; the other indexes are measured against these {k}."
        )
    }


def _ivf() -> dict[str, str]:
    return {
        "nprobe": _("Cells that are read (nprobe): {n} of {total}"),
        "cells": _("Cells, nearest middle first"),
        "cell": _("a colour and number a cell; the number is at its middle"),
        "probed": _("in a cell that is read"),
        "told_ivf": _(
            "{right} of the {k} nearest found. Distances to the middles of the cells: {cells}; to the chunks "
            "of the cells that are read (nprobe {nprobe}): {read}. Together {total} instead of {n}."
        ),
    }


def _lsh() -> dict[str, str]:
    return {
        "probes": _("Buckets read in each table: {n} of {total}"),
        "table": _("Table {n} of {total}"),
        "bucket": _("same bits as the question in this table"),
        "other_buckets": _("in another bucket that is read"),
        "unread": _("not read"),
        "buckets": _("Buckets read in this table (turned bits marked)"),
        "code_of": _("Chunk {n}: {bits}"),
        "planes": _("The planes of table {n}: left of the line is bit 0 (blue), right of it bit 1 (orange)"),
        "planes_alt": _("Chunks by their distance to each plane, and the question"),
        "plane": _("plane {n}"),
        "told_lsh": _(
            "The question's bits in table {table} are {bits}; this bucket has {bucket} of the {n} "
            "chunks. All buckets that are read have {read}. {right} of the {k} nearest found. "
            "Distances, planes counted: {total}."
        ),
    }


def _pq() -> dict[str, str]:
    return {
        "part": _("Part {n} of {total}"),
        "true_distance": _("true squared distance"),
        "coded_distance": _("looked up"),
        "bytes_of": _("The codes of chunk {n}: number, and squared distance looked up for it"),
        "sum": _("The looked-up numbers add up to {coded}; the true squared distance is {exact}."),
        "look": _("part {n}: code {code}, looked up {value}"),
        "no_strips": _("The numbers of a vector are drawn for chunks of the two answers."),
        "whole": _("the vector"),
        "rebuilt": _("what its codes stand for"),
        "lost": _("the difference"),
        "negative": _("below zero"),
        "positive": _("above zero"),
        "codebook": _("Codebook of part {n}, entries: {entries}; the chunk's one is framed"),
        "entry": _("squared distance of an entry to this part of the question:"),
        "told_pq": _(
            "{right} of the {k} nearest found. Bytes a chunk: {bytes} instead of {whole}; parts: "
            "{parts}, each one of {entries} entries. For chunk {n} the codes say {coded}, the truth "
            "is {exact}; squared error of its code: {error}."
        ),
    }


def _hnsw() -> dict[str, str]:
    return {
        "again": _("From the start"),
        "step": _("Step {n} of {total}, layer {layer}"),
        "layer": _("layer {layer}: {n}"),
        "looked": _("Neighbours (framed: distance computed now)"),
        "candidates": _("Candidates, next first ({n})"),
        "best": _("Best so far ({n})"),
        "current": _("node whose neighbours are looked at"),
        "new": _("distance computed now"),
        "seen": _("edge to a node met before"),
        "met": _("met in this layer"),
        "walked": _("walked so far in this layer"),
        "in_layer": _("node of this layer; fainter: of a lower one"),
        "told_step": _(
            "Layer {layer}: node {node} is {distance} away. Neighbours: {neighbours}, new ones: {new}."
        ),
        "told_next": _("Next is the nearest candidate, node {node} at {distance}."),
        "told_down": _("None is nearer, so the search goes down to layer {layer} with node {node}."),
        "told_end": _(
            "No candidate is nearer than the worst that is kept: the end. {right} of the {k} nearest "
            "found. Steps: {steps}; distances: {cost} instead of {n}."
        ),
    }


_OF: Mapping[str, Callable[[], dict[str, str]]] = {
    "flat": _flat,
    "ivf": _ivf,
    "lsh": _lsh,
    "pq": _pq,
    "hnsw": _hnsw,
}
