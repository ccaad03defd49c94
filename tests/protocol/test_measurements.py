"""The shapes of readings, whatever this machine tells."""

import pytest

LENGTHS = {"seconds": 60, "minutes": 60, "hours": 24, "days": 365}


def get(api, path):
    answer = api.request("GET", f"/v1.0alpha/{path}", token=api.token())
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("power_consumption", "power"),
        ("temperature_production", "temperature"),
        ("speed", "current_speed"),
    ],
)
def test_a_series_has_a_minute_an_hour_a_day_and_a_year(shared_api, path, name):
    answer = get(shared_api, path)
    (series,) = answer.json().values()
    assert list(answer.json()) == [name]
    assert {age: len(values) for age, values in series.items()} == LENGTHS
    assert all(isinstance(value, float) for values in series.values() for value in values)


def test_samples_arrive_in_the_series(api):
    api.application.services.sampler.machine.temperature_c = lambda: 41.5
    api.application.services.sampler.sample()
    assert get(api, "temperature_production").json()["temperature"]["seconds"][-1] == 41.5


def test_the_machine_has_packages_with_cores_with_threads(shared_api):
    info = get(shared_api, "system_info").json()["info"]
    assert info.keys() == {"has_hyperthreading", "hostname", "packages"}
    package = info["packages"][0]
    assert package.keys() == {"cores", "id", "power", "thermal_spec"}
    assert isinstance(package["power"], float)
    assert package["cores"][0].keys() == {
        "current_maximum_speed",
        "current_minimum_speed",
        "current_speed",
        "id",
        "maximum_speed",
        "minimum_speed",
        "threads",
    }
    assert package["cores"][0]["threads"][0].keys() == {"id"}


def test_the_servers_threads_are_named(shared_api):
    found = get(shared_api, "threading").json()["thread_map"]
    assert {"MainThread", "measure"} <= {name.partition("_")[0] for name in found}
    assert all(cores and isinstance(cores[0], int) for cores in found.values())
