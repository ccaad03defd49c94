"""What every answer carries."""

from hanami_actors.api.http.exchange import DateLine

SECOND_US = 1_000_000


def test_the_date_is_that_of_the_second_as_http_writes_it():
    line = DateLine()
    assert line.text(784_111_777 * SECOND_US) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert line.text(784_111_777 * SECOND_US + 999_999) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert line.text(784_111_778 * SECOND_US) == "Sun, 06 Nov 1994 08:49:38 GMT"
