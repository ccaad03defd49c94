"""What a monitoring system reads."""

from prometheus_client.parser import text_string_to_metric_families

from tests.protocol.api_server import MEMBER


def figures(api):
    answer = api.request("GET", "/metrics", token=api.token())
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_endpoint_and_status(api):
    before = figures(api)
    for _ in range(3):
        api.request("GET", "/v1/cluster/all", token=api.token())
    api.request("GET", "/v1.0alpha/cluster/all", token="nonsense")
    api.request("GET", "/no/such/path", token=api.token())
    after = figures(api)

    def more(*key):
        return after.get(key, 0) - before.get(key, 0)

    assert more("hanami_requests_total", "200", "list_clusters") == 3
    assert more("hanami_requests_total", "401", "list_clusters") == 1
    assert more("hanami_requests_total", "404", "unknown") == 1
    assert more("hanami_requests_total", "200", "get_metrics") == 1
    assert more("hanami_request_seconds_count", "list_clusters") == 4
    assert more("hanami_request_seconds_bucket", "+Inf", "list_clusters") == 4
    assert more("hanami_request_seconds_sum", "list_clusters") > 0


def test_tables_and_the_process_are_told(api):
    before = figures(api)
    api.gateway.add_cluster(MEMBER)
    after = figures(api)
    assert after["hanami_clusters",] == before["hanami_clusters",] + 1
    assert after["hanami_requests_in_flight",] == 1
    assert after["hanami_websockets",] == 0
    assert after["hanami_ready",] == 1
    assert after["process_resident_memory_bytes",] > 10_000_000


def test_they_are_for_admins(api):
    assert api.request("GET", "/metrics", token=api.token(MEMBER)).status_code == 401
    assert api.request("GET", "/metrics").status_code == 401
