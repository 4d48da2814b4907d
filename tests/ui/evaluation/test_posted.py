"""The board of answers: bounded, in order, one vote a reader, gone by age or by whoever posted."""

from __future__ import annotations

import threading

import pytest

from playground.errors import AnswerExists, TooManyAnswers
from playground.settings import Settings
from playground.ui.evaluation.posted import Board

LIMITS = Settings(max_board_answers=4, max_board_answers_per_session=2, max_board_chars=20, board_age_s=100.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board("a good one", "a bad one", LIMITS, clock)


def texts(board: Board) -> list[str]:
    return [one.text for one in board.answers("x")]


def test_ours_are_there_at_first_and_belong_to_nobody(board: Board) -> None:
    for owner in ("", "x"):
        assert [(one.number, one.kind, one.is_mine) for one in board.answers(owner)] == [
            (1, "good", False),
            (2, "bad", False),
        ]
    board.withdraw(1, "")
    board.withdraw(1, "x")
    assert texts(board) == ["a good one", "a bad one"]


def test_readers_see_one_anothers_answers_in_the_order_of_posting(board: Board) -> None:
    assert board.post("  mine \n is here", "a") == 3
    assert board.post("theirs", "b") == 4
    assert texts(board) == ["a good one", "a bad one", "mine is here", "theirs"]
    assert [one.is_mine for one in board.answers("b")] == [False, False, False, True]


def test_a_reader_has_one_vote_for_each_answer_and_may_take_it_back(board: Board) -> None:
    for _time in range(3):
        board.vote(1, "a")
    board.vote(1, "b")
    board.vote(2, "b")
    first, second = board.answers("a")
    assert (first.n_votes, first.has_my_vote) == (2, True)
    assert (second.n_votes, second.has_my_vote) == (1, False)
    board.vote(99, "a")


def test_only_its_reader_withdraws_an_answer_and_its_number_never_comes_back(board: Board) -> None:
    number = board.post("mine", "a")
    board.withdraw(number, "b")
    assert len(texts(board)) == 3
    board.withdraw(number, "a")
    assert len(texts(board)) == 2
    assert board.post("another", "a") == number + 1


def test_a_reader_has_a_bounded_number_of_answers_and_each_text_stands_once(board: Board) -> None:
    board.post("one", "a")
    with pytest.raises(AnswerExists, match="number 3"):
        board.post("one ", "b")
    board.post("two", "a")
    with pytest.raises(TooManyAnswers, match="At most 2"):
        board.post("three", "a")


def test_a_full_board_forgets_the_oldest_answer_of_a_reader(board: Board) -> None:
    for n in range(6):
        board.post(f"answer {n}", f"reader {n}")
    assert texts(board) == ["a good one", "a bad one", *(f"answer {n}" for n in range(2, 6))]


def test_answers_are_cut_and_leave_by_age(board: Board, clock: Clock) -> None:
    board.post("x" * 50, "a")
    assert texts(board)[-1] == "x" * 20
    clock.now = 60
    board.post("later", "b")
    clock.now = 101
    assert texts(board) == ["a good one", "a bad one", "later"]
    clock.now = 10_000
    assert texts(board) == ["a good one", "a bad one"]


def test_many_readers_at_once_lose_no_vote(board: Board) -> None:
    threads = [threading.Thread(target=board.vote, args=(1, f"reader {n}")) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert board.answers("x")[0].n_votes == 40
