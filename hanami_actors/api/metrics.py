"""Figures for a monitoring system, in the text format of Prometheus."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from hanami_actors import __version__

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["BOUNDS_S", "Metrics", "RequestMeter"]

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper ends of the classes of durations; what took longer is in one more class."""

UNKNOWN = "unknown"


class RequestMeter:
    """Counts answered requests. Runs in the event loop's thread.

    Plain numbers, because this is done for every request; a metrics library would lock and look
    labels up, which is left to the moment when somebody reads them.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[str, int], int] = {}
        self.durations: dict[str, list[int]] = {}
        self.sums_s: dict[str, float] = {}

    def record(self, endpoint: str, status: int, duration_s: float) -> None:
        """Count an answer.

        Parameters
        ----------
        endpoint : str
            Name of the row; empty if no row was found.
        status : int
        duration_s : float
        """
        endpoint = endpoint or UNKNOWN
        key = (endpoint, status)
        self.answers[key] = self.answers.get(key, 0) + 1
        counts = self.durations.get(endpoint)
        if counts is None:
            counts = self.durations[endpoint] = [0] * (len(BOUNDS_S) + 1)
            self.sums_s[endpoint] = 0.0
        counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self.sums_s[endpoint] += duration_s


class Metrics:
    """Renders the counted requests, the process, and what is in the tables.

    Parameters
    ----------
    meter : RequestMeter
    gauges : mapping of str to (str, callable)
        Further figures by name: what they mean, and how to read them now.
    """

    def __init__(
        self, meter: RequestMeter, gauges: Mapping[str, tuple[str, Callable[[], float]]]
    ) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Collector(meter, gauges))
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def render(self) -> bytes:
        """Return all figures of now."""
        return generate_latest(self._registry)


class _Collector(Collector):
    """Turns plain numbers into families of metrics."""

    def __init__(
        self, meter: RequestMeter, gauges: Mapping[str, tuple[str, Callable[[], float]]]
    ) -> None:
        self._meter = meter
        self._gauges = gauges

    def collect(self) -> Iterator["Metric"]:
        """Yield every family."""
        version = GaugeMetricFamily("hanami_info", "The version that runs.", labels=["version"])
        version.add_metric([__version__], 1.0)
        yield version
        for name, (meaning, read) in self._gauges.items():
            yield GaugeMetricFamily(f"hanami_{name}", meaning, value=read())
        yield self._answers()
        yield self._durations()

    def _answers(self) -> "Metric":
        family = CounterMetricFamily(
            "hanami_requests", "Answered requests.", labels=["endpoint", "status"]
        )
        for (endpoint, status), count in sorted(self._meter.answers.items()):
            family.add_metric([endpoint, str(status)], count)
        return family

    def _durations(self) -> "Metric":
        family = HistogramMetricFamily(
            "hanami_request_seconds",
            "Time from the first byte of a request to its answer; of a websocket, to its end.",
            labels=["endpoint"],
        )
        bounds = [*(str(bound) for bound in BOUNDS_S), "+Inf"]
        for endpoint, counts in sorted(self._meter.durations.items()):
            total, buckets = 0, []
            for bound, count in zip(bounds, counts, strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric([endpoint], buckets, self._meter.sums_s[endpoint])
        return family
