"""Readings from a directory that looks like a machine."""

import os
import threading

import pytest

from hanami_actors.measure.machine import Core, Machine
from hanami_actors.measure.sampler import Sampler
from hanami_actors.ports import ManualClock

RAPL = "sys/class/powercap/intel-rapl"


@pytest.fixture
def write(tmp_path):
    def put(files):
        for name, value in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{value}\n")

    return put


def cpu(number, package, core, speed=2_000_000):
    base = f"sys/devices/system/cpu/cpu{number}"
    return {
        f"{base}/topology/physical_package_id": package,
        f"{base}/topology/core_id": core,
        f"{base}/cpufreq/scaling_cur_freq": speed,
        f"{base}/cpufreq/cpuinfo_min_freq": 800_000,
        f"{base}/cpufreq/cpuinfo_max_freq": 4_000_000,
        f"{base}/cpufreq/scaling_min_freq": 900_000,
        f"{base}/cpufreq/scaling_max_freq": 3_000_000,
    }


def test_a_machine_that_tells_nothing_reads_zero(tmp_path):
    machine = Machine(tmp_path)
    assert (machine.temperature_c(), machine.speed_khz(), machine.energies_uj()) == (0.0, 0.0, ())
    info = machine.system_info()
    threads = [core.thread_ids[0] for core in info.packages[0].cores]
    assert threads == sorted(os.sched_getaffinity(0))
    assert info.packages[0].cores[0].maximum_speed_khz == 0
    assert not info.has_hyperthreading


def test_cores_belong_to_packages_and_threads_to_cores(tmp_path, write):
    write(cpu(0, 0, 0) | cpu(1, 0, 1) | cpu(2, 0, 0) | cpu(3, 0, 1) | cpu(10, 1, 0, speed=7))
    write({f"{RAPL}:0/name": "package-0", f"{RAPL}:0/constraint_0_power_limit_uw": 65_000_000})
    info = Machine(tmp_path).system_info()
    assert info.has_hyperthreading
    assert [(package.id, package.thermal_spec_w) for package in info.packages] == [
        (0, 65.0),
        (1, 0.0),
    ]
    assert [core.thread_ids for core in info.packages[0].cores] == [(0, 2), (1, 3)]
    assert info.packages[1].cores == (Core(0, (10,), 7, 800_000, 4_000_000, 900_000, 3_000_000),)


def test_speed_is_the_mean_of_the_policies_or_of_the_cpuinfo(tmp_path, write):
    write({"proc/cpuinfo": "processor: 0\ncpu MHz\t\t: 2100.500\n\ncpu MHz : 1899.5\n"})
    assert Machine(tmp_path).speed_khz() == 2_000_000
    base = "sys/devices/system/cpu/cpufreq/policy"
    write({f"{base}{number}/scaling_cur_freq": number * 1000 for number in range(64)})
    machine = Machine(tmp_path)
    assert len(machine._speeds) <= 16
    assert 10_000 < machine.speed_khz() < 50_000


def test_temperature_is_that_of_processors_and_not_of_the_disk(tmp_path, write):
    base = "sys/class/hwmon/hwmon"
    write({f"{base}0/name": "nvme", f"{base}0/temp1_input": 80_000})
    write({f"{base}1/name": "k10temp", f"{base}1/temp1_input": 51_500})
    assert Machine(tmp_path).temperature_c() == 51.5
    base = "sys/class/thermal/thermal_zone"
    write({f"{base}0/type": "x86_pkg_temp", f"{base}0/temp": 40_000})
    write({f"{base}1/type": "x86_pkg_temp", f"{base}1/temp": 50_000})
    write({f"{base}2/type": "iwlwifi", f"{base}2/temp": 90_000})
    assert Machine(tmp_path).temperature_c() == 45.0


def test_power_is_energy_over_time_and_a_counter_may_start_again(tmp_path, write):
    write({f"{RAPL}:0/name": "package-0", f"{RAPL}:0/max_energy_range_uj": 100_000_000})
    write({f"{RAPL}:1/name": "package-1", f"{RAPL}:1/max_energy_range_uj": 100_000_000})
    write({f"{RAPL}:0:0/name": "core", f"{RAPL}:0:0/energy_uj": 5})
    write({f"{RAPL}:0/energy_uj": 90_000_000, f"{RAPL}:1/energy_uj": 0})
    clock = ManualClock()
    sampler = Sampler(clock, Machine(tmp_path))
    write({f"{RAPL}:0/energy_uj": 10_000_000, f"{RAPL}:1/energy_uj": 4_000_000})
    clock.advance(2)
    sampler.sample()
    measured = sampler.measurements()
    assert measured.package_powers_w == (10.0, 2.0)
    assert measured.power.seconds[-1] == 12.0
    sampler.sample()  # no time has passed
    assert sampler.measurements().power.seconds[-1] == 0.0


def test_a_source_that_cannot_be_read_any_more_reads_zero(tmp_path, write):
    base = "sys/class/thermal/thermal_zone0"
    write({f"{base}/type": "cpu-thermal", f"{base}/temp": 40_000})
    machine = Machine(tmp_path)
    (tmp_path / base / "temp").write_text("nonsense")
    assert machine.temperature_c() == 0.0
    (tmp_path / base / "temp").unlink()
    assert machine.temperature_c() == 0.0


def test_threads_of_this_process_have_their_names_and_cores():
    started, ended = threading.Event(), threading.Event()

    def wait():
        started.set()
        ended.wait()

    threads = [threading.Thread(target=wait, name="some thread") for _ in range(2)]
    for thread in threads:
        thread.start()
    assert started.wait(10)
    try:
        found = Machine().thread_map()
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    names = {thread.native_id: thread.name for thread in threads}
    assert len(names) == 2
    assert len([name for name in found if name.startswith("some thread")]) == 2
    assert found["MainThread"] == sorted(os.sched_getaffinity(0))


def test_the_thread_samples_until_it_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("hanami_actors.measure.sampler.INTERVAL_S", 0.001)
    sampled = threading.Event()

    class Watched(Machine):
        def temperature_c(self):
            sampled.set()
            return 7.0

    sampler = Sampler(ManualClock(), Watched(tmp_path))
    sampler.start()
    assert sampled.wait(10)
    sampler.stop()
    sampler.stop()
    assert sampler.measurements().temperature.seconds[-1] in {0.0, 7.0}
