"""A function that has answered, and whose lines are read only after MiniStack has stopped waiting for them."""

import subprocess, threading

from ministack.core.lambda_runtime import ProvidedWorker

gave_up = threading.Event()
drain_what_is_early = ProvidedWorker._drain_stderr_bounded


def drain_before_anything_is_read(worker):
    lines = drain_what_is_early(worker)
    gave_up.set()
    return lines


def read_late(worker):
    gave_up.wait()
    worker._pump_output(worker._proc.stdout, worker._stderr_queue)


ProvidedWorker._drain_stderr_bounded = drain_before_anything_is_read
let_logs_be_whole(ProvidedWorker)
worker = ProvidedWorker("function", {}, b"")
worker._stderr_queue = queue.Queue()
function = ["sh", "-c", "echo one; echo two; echo answer >&2; read -r end"]
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
worker._proc = subprocess.Popen(function, **pipes)
threading.Thread(target=read_late, args=[worker], daemon=True).start()
worker._proc.stderr.readline()
print(worker._drain_stderr_bounded())
# Nothing of the mark is left for the next invocation, which is silent.
print(worker._drain_stderr_bounded(), end="", flush=True)
worker._proc.stdin.close()  # the function ends
worker._proc.wait()
