"""Lets every line that a function wrote before its answer into the log of that invocation.

The lines come through a pipe and a thread of MiniStack's, for which it waits for milliseconds after the answer. On a busy
machine a line may be later than that: one in hundreds was. It then waits for the next invocation, and after the last one
there is none.
"""

import queue, time

TIMEOUT_S = 5.0  # for a line that is on its way, on a busy machine


def let_logs_be_whole(worker):
    """Of this class of workers, which ministack.core.lambda_runtime has."""
    drain_what_is_early = worker._drain_stderr_bounded

    def drain(self, *arguments, **options):
        lines = drain_what_is_early(self, *arguments, **options)
        late = late_lines(self._proc, self._stderr_queue)
        return "\n".join(filter(None, [lines, *late]))

    worker._drain_stderr_bounded = drain


def late_lines(process, lines):
    """What lies in the pipe: all lines before a mark that is written behind them."""
    mark = f"end-{time.time_ns()}"
    try:
        # Only Linux opens a pipe that one reads for writing, too; elsewhere late lines stay late.
        with open(f"/proc/self/fd/{process.stdout.fileno()}", "w", encoding="utf-8") as pipe:
            pipe.write(f"{mark}\n")
    except (AttributeError, OSError, ValueError):  # the environment was ended, its pipe is closed
        return
    give_up = time.monotonic() + TIMEOUT_S
    while True:
        try:
            line = lines.get(timeout=max(0.0, give_up - time.monotonic()))
        except queue.Empty:
            return
        if line.endswith(mark):
            yield line.removesuffix(mark)
            return
        yield line
