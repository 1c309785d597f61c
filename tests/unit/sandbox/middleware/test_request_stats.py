"""Request statistics of the sandbox."""

from collector.rate_limits import Rate
from sandbox.middleware import request_stats
from sandbox.middleware.request_stats import HandledRequest, RequestStats


def counted(*calls, rate=None):
    counts = RequestStats({"spotify": rate, "reccobeats": None})
    for call in calls:
        counts.record(call)
    return counts.as_json()


def call(begun, *, api="spotify", status=200, since=None, query=None):
    return HandledRequest(api, "/v1/search", begun, status, since, query, refused=status == 429)


def test_every_request_is_counted_in_total_and_per_api():
    """The total is the sum of the APIs, an endpoint's count the sum of its statuses."""
    result = counted(call(0), call(1, status=400), call(2, api="reccobeats"), call(3, api="token"))
    assert result["requests"] == 4
    assert result["apis"]["spotify"]["requests"] == 2
    assert result["apis"]["spotify"]["endpoints"] == {
        "/v1/search": {"requests": 2, "statuses": {"200": 1, "400": 1}}
    }


def test_while_banned_begins_a_second_after_the_ban():
    """Requests within one second of a ban's first 429 are not counted."""
    banned = [call(begun, status=429, since=10.0) for begun in (10.5, 11.0, 11.01, 40.0)]
    result = counted(call(10.0, status=429), *banned)
    assert result["banned"] == 5
    assert result["while_banned"] == 2


def test_max_in_window_counts_all_requests():
    """The fullest window of the limit's length counts; refused requests count too."""
    moments = [0, 1, 2, 9, 10, 11, 30]
    result = counted(*(call(begun, status=429) for begun in moments), rate=Rate(60, 10.0))
    assert result["max_in_window"] == 4


def test_queries_are_listed_once_each_up_to_a_number():
    """Distinct queries are kept unchanged up to a maximum, the rest is counted."""
    queries = ['genre:"r&b"', 'genre:"演歌"', 'genre:"r&b"', None]
    assert counted(*(call(0, query=query) for query in queries))["queries"] == queries[:2]
    many = counted(*(call(0, query=str(n)) for n in range(request_stats.MAX_QUERIES + 3)))
    assert len(many["queries"]) == request_stats.MAX_QUERIES
    assert many["queries_left_out"] == 3
