"""Work that somebody waits for, between the slices of a lane."""

import threading

from hanami_actors.engine.scheduler import Scheduler, Turn
from tests.unit.engine.test_scheduler import TIMEOUT_S, CountingJob


class Urgent:
    def __init__(self, lane, turns, journal):
        self.lane = lane
        self.turns = list(turns)
        self.journal = journal
        self.over = threading.Event()
        self.error = None

    def run_slice(self, budget_s):
        self.journal.append(f"{self.lane} urgent")
        if not self.turns:
            raise ValueError("ran too often")
        turn = self.turns.pop(0)
        if turn is Turn.DONE:
            self.over.set()
        return turn

    def failed(self, error):
        self.error = error
        self.over.set()


def run(*works, jobs=()):
    """Submit everything before the threads begin, wait for all ends."""
    turns = Scheduler(1, 0.001)
    for job in jobs:
        turns.submit(job)
    for work in works:
        turns.submit_urgent(work)
    turns.open()
    for each in (*works, *jobs):
        assert each.over.wait(TIMEOUT_S)
    turns.close()
    assert turns.busy_lanes() == frozenset()


def test_urgent_work_comes_first_and_then_takes_turns_with_the_job():
    journal: list[str] = []
    job = CountingJob("a", 3, journal)
    run(Urgent("a", [Turn.AGAIN, Turn.AGAIN, Turn.DONE], journal), jobs=[job])
    assert journal == ["a urgent", "a", "a urgent", "a", "a urgent", "a"]


def test_urgent_work_that_needs_the_job_waits_for_its_next_slice():
    journal: list[str] = []
    job = CountingJob("a", 2, journal)
    run(Urgent("a", [Turn.LATER, Turn.DONE], journal), jobs=[job])
    assert journal == ["a urgent", "a", "a urgent", "a"]


def test_urgent_work_of_a_lane_without_jobs_goes_on_at_once():
    journal: list[str] = []
    run(Urgent("a", [Turn.AGAIN, Turn.LATER, Turn.DONE], journal))
    assert journal == ["a urgent"] * 3


def test_urgent_work_that_fails_hears_it_and_the_next_runs():
    journal: list[str] = []
    bad, good = Urgent("a", [], journal), Urgent("a", [Turn.DONE], journal)
    run(bad, good)
    assert isinstance(bad.error, ValueError)


def test_one_lane_is_never_worked_on_by_two_threads():
    inside, seen = threading.Lock(), []

    class Careful(CountingJob):
        def run_slice(self, budget_s):
            seen.append(inside.acquire(blocking=False))
            try:
                return super().run_slice(budget_s)
            finally:
                inside.release()

    class CarefulUrgent(Urgent):
        def run_slice(self, budget_s):
            seen.append(inside.acquire(blocking=False))
            try:
                return super().run_slice(budget_s)
            finally:
                inside.release()

    journal: list[str] = []
    turns = Scheduler(4, 0.001)
    turns.open()
    works = [CarefulUrgent("a", [Turn.AGAIN, Turn.DONE], journal) for _ in range(50)]
    job = Careful("a", 200, journal)
    turns.submit(job)
    for work in works:
        turns.submit_urgent(work)
    assert job.over.wait(TIMEOUT_S)
    assert all(work.over.wait(TIMEOUT_S) for work in works)
    turns.close()
    assert all(seen)
