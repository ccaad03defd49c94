from hanami_actors.measure.series import Series


def test_before_the_first_sample_everything_is_zero():
    history = Series().history()
    assert [len(values) for values in history] == [60, 60, 24, 365]
    assert not any(value for values in history for value in values)


def test_samples_go_in_at_the_end_and_the_oldest_drops_out():
    series = Series()
    for value in range(61):
        series.add(value)
    assert series.history().seconds == tuple(range(1, 61))


def test_a_minute_is_the_mean_of_its_seconds_and_an_hour_of_its_minutes():
    series = Series()
    for minute in range(60):
        for second in range(60):
            series.add(minute * 100 + second % 2)
    history = series.history()
    assert history.minutes == tuple(minute * 100 + 0.5 for minute in range(60))
    assert history.hours[-2:] == (0.0, 29.5 * 100 + 0.5)


def test_a_day_comes_after_24_hours():
    series = Series()
    for _ in range(24 * 3600):
        series.add(2.0)
    assert series.history().days[-2:] == (0.0, 2.0)
