"""Continuations that go on from what was written where their replica dies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from playground.engine.contract.generation import GenerateManyRequest, GenerateRequest, GenerateStep
from playground.engine.contract.waiting import OnWait
from playground.engine.remote.calls import Calls, Route
from playground.errors import ReplicaLost


def generated(
    calls: Calls, route: Route, request: GenerateManyRequest, on_wait: OnWait | None
) -> Iterator[tuple[int, GenerateStep]]:
    """(which continuation, its next step); after the death of a replica from another one, once.

    Its seed and the numbers that are drawn already go with it, so the tokens are those that would have come.
    """
    written: list[list[int]] = [[] for _one in request.requests]
    open_rows = list(range(len(request.requests)))
    with calls.opened(request, "decode") as open_:
        for is_last_try in (False, True):
            rows = tuple(open_rows)
            rest = replace(
                request, requests=tuple(_rest(request.requests[row], written[row]) for row in rows)
            )
            given = [0] * len(rows)
            try:
                sent = calls.sent(route, "generate_many", rest, open_, on_wait, is_retried=False)
                for place, step in sent:
                    row = rows[place]
                    given[place] += 1
                    if request.requests[row].stop and given[place] <= len(written[row]):
                        continue  # begun anew: this one has been told
                    index = len(written[row])
                    written[row].append(step.token_id)
                    if step.finish_reason is not None:
                        open_rows.remove(row)
                    yield row, replace(step, index=index)
                return
            except ReplicaLost:
                if is_last_try:
                    raise
                if not open_rows:
                    return


def _rest(request: GenerateRequest, written: list[int]) -> GenerateRequest:
    """The part of a request that is left. With stop strings it begins anew: part of one may be held back."""
    if not written or request.stop:
        return request
    return replace(
        request,
        written=(*request.written, *written),
        n_drawn=request.n_drawn + len(written),
        max_new_tokens=request.max_new_tokens - len(written),
    )
