import threading

from hanami_actors.engine.scheduler import Scheduler

TIMEOUT_S = 10


class CountingJob:
    def __init__(self, lane, slices, journal):
        self.lane = lane
        self.left = slices
        self.journal = journal
        self.over = threading.Event()
        self.error = None

    def run_slice(self, budget_s):
        self.journal.append(self.lane)
        self.left -= 1
        if self.left < 0:
            raise ValueError("ran too often")
        return self.left == 0

    def ended(self, error):
        self.error = error
        self.over.set()


def scheduler(threads=1):
    made = Scheduler(threads, 0.001)
    return made


def test_nothing_runs_before_the_kernels_are_ready():
    turns = scheduler()
    job = CountingJob("a", 1, [])
    turns.submit(job)
    assert job.journal == []
    turns.open()
    assert job.over.wait(TIMEOUT_S)
    assert job.journal == ["a"]
    turns.close()


def test_lanes_take_turns_so_that_a_long_job_starves_nobody():
    turns = scheduler()
    journal: list[str] = []
    long_job, short_job = CountingJob("long", 5000, journal), CountingJob("short", 5, journal)
    turns.submit(long_job)
    turns.submit(short_job)
    turns.open()
    assert long_job.over.wait(TIMEOUT_S)
    assert short_job.over.wait(TIMEOUT_S)
    turns.close()
    # The long one may have a slice or two ahead; from then on they alternate.
    first = journal.index("short")
    assert journal[first : first + 9] == ["short", "long"] * 4 + ["short"]
    assert journal.count("long") == 5000


class NumberedJob(CountingJob):
    def __init__(self, number, running):
        super().__init__("a", 3, [])
        self.number = number
        self.running = running

    def run_slice(self, budget_s):
        self.running.append(self.number)
        return super().run_slice(budget_s)


def test_jobs_of_one_lane_run_one_after_the_other_on_any_number_of_threads():
    turns = scheduler(threads=4)
    running: list[int] = []
    jobs = [NumberedJob(number, running) for number in range(5)]
    for job in jobs:
        turns.submit(job)
    turns.open()
    assert jobs[-1].over.wait(TIMEOUT_S)
    turns.close()
    assert running == sorted(running)
    assert turns.busy_lanes() == frozenset()


def test_a_job_that_fails_hears_its_error_and_the_next_of_its_lane_runs():
    turns = scheduler()
    turns.open()
    bad, good = CountingJob("a", 0, []), CountingJob("a", 1, [])
    turns.submit(bad)
    turns.submit(good)
    assert good.over.wait(TIMEOUT_S)
    assert isinstance(bad.error, ValueError)
    assert good.error is None
    turns.close()


def test_a_job_is_taken_back_before_it_begins_but_not_afterwards():
    turns = scheduler()
    journal: list[str] = []
    first, second = CountingJob("a", 1, journal), CountingJob("a", 1, journal)
    turns.submit(first)
    turns.submit(second)
    assert turns.withdraw(first)
    assert not turns.withdraw(first)
    turns.open()
    assert second.over.wait(TIMEOUT_S)
    turns.close()
    assert journal == ["a"]
    assert not first.over.is_set()
    assert not turns.withdraw(second)


def test_a_job_whose_turn_it_is_stays_and_the_one_behind_it_can_be_taken_back():
    turns, entered, gate = scheduler(), threading.Event(), threading.Event()

    class WaitingJob(CountingJob):
        def run_slice(self, budget_s):
            entered.set()
            assert gate.wait(TIMEOUT_S)
            return super().run_slice(budget_s)

    turns.open()
    running, waiting = WaitingJob("a", 1, []), CountingJob("a", 1, [])
    turns.submit(running)
    turns.submit(waiting)
    assert entered.wait(TIMEOUT_S)
    assert not turns.withdraw(running)
    assert turns.withdraw(waiting)
    gate.set()
    assert running.over.wait(TIMEOUT_S)
    turns.close()
    assert turns.busy_lanes() == frozenset()


def test_a_job_that_fails_when_it_hears_its_end_does_not_stop_its_lane():
    turns = scheduler()

    class BadJob(CountingJob):
        def ended(self, error):
            super().ended(error)
            raise RuntimeError("nobody listens")

    bad, good = BadJob("a", 1, []), CountingJob("a", 1, [])
    turns.submit(bad)
    turns.submit(good)
    turns.open()
    assert good.over.wait(TIMEOUT_S)
    turns.close()


def test_ends_are_told_in_compute_threads_however_short_the_slices_are():
    turns, threads = scheduler(threads=4), set()

    class NotedJob(CountingJob):
        def ended(self, error):
            threads.add(threading.current_thread().name.split("_")[0])
            super().ended(error)

    turns.open()
    jobs = [NotedJob(str(number), 50, []) for number in range(200)]
    for job in jobs:
        turns.submit(job)
    for job in jobs:
        assert job.over.wait(TIMEOUT_S)
    turns.close()
    assert threads == {"compute"}


def test_a_job_that_follows_from_the_end_of_another_one_runs_after_it():
    turns = scheduler()
    journal: list[str] = []
    second = CountingJob("a", 2, journal)

    class First(CountingJob):
        def ended(self, error):
            turns.submit(second)
            super().ended(error)

    turns.open()
    turns.submit(First("a", 2, journal))
    assert second.over.wait(TIMEOUT_S)
    turns.close()
    assert journal == ["a"] * 4
