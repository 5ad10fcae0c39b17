"""What operators watch of the leader, served on a port of its own when settings name one."""

import time
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram, start_http_server

if TYPE_CHECKING:
    from trading.runner.batch import Batch

COMMIT_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

commit_seconds = Histogram("qd_journal_commit_seconds", "From sending a journal row to its commit.", buckets=COMMIT_BUCKETS)
batch_commands = Histogram("qd_engine_batch_commands", "Commands in one group commit.", buckets=BATCH_BUCKETS)
commands_total = Counter("qd_engine_commands_total", "Commands committed.")
queue_depth = Gauge("qd_engine_queue_depth", "Requests that wait for execution.")
epoch = Gauge("qd_engine_epoch", "The leader's epoch.")
seq = Gauge("qd_engine_seq", "The last committed journal row.")


def serve(port: int) -> None:
    start_http_server(port, addr="0.0.0.0")  # noqa: S104 - the operator names the port, the network policy its readers


def committed(batch: "Batch", *, current_epoch: int, depth: int) -> None:
    """Take the measures of a commit."""
    commit_seconds.observe(time.perf_counter() - batch.sent_at)
    batch_commands.observe(len(batch.commands))
    commands_total.inc(len(batch.commands))
    queue_depth.set(depth)
    epoch.set(current_epoch)
    seq.set(batch.seq)
