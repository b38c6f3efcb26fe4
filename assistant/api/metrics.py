"""Counts of requests by route and status, in the text format of Prometheus (exposition format 0.0.4)."""

import time
from collections import Counter


class Metrics:
    """Of this process only; whoever collects them adds processes up."""

    def __init__(self) -> None:
        self._started = time.time()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is a template, never a path, so that the number of series stays bounded."""
        self._requests[method, route, status] += 1
        self._seconds[method, route] += seconds  # type: ignore[assignment]

    def text(self) -> str:
        lines = [
            "# TYPE lyceum_start_time_seconds gauge",
            f"lyceum_start_time_seconds {self._started:.3f}",
            "# TYPE lyceum_http_requests_total counter",
        ]
        for (method, route, status), count in sorted(self._requests.items()):
            labels = f'method="{method}",route="{route}",status="{status}"'
            lines.append(f"lyceum_http_requests_total{{{labels}}} {count}")
        lines.append("# TYPE lyceum_http_request_seconds_total counter")
        for (method, route), seconds in sorted(self._seconds.items()):
            lines.append(
                f'lyceum_http_request_seconds_total{{method="{method}",route="{route}"}} {seconds:.6f}'
            )
        return "\n".join(lines) + "\n"
