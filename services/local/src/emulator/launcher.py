"""Serves MiniStack until the process that started this one is gone.

argv: the folder to remove when that process dies without ending this one. stdin: a pipe; a byte in it asks for a clean
end and a new start with the state that was kept; the system closes it when its other end dies, SIGKILL included.
stdout: the port, once it is taken, and again at every new start.
"""

import asyncio, os, shutil, signal, socket, sys, threading

folder, *inherited = sys.argv[1:]
if inherited:  # a new start: the listener, and where to tell the port
    listener, told = socket.socket(fileno=int(inherited[0])), int(inherited[1])
else:
    # Bound before the emulator is loaded and handed to it, so that no other process can take the port in between.
    listener, told = socket.create_server(("127.0.0.1", 0)), os.dup(1)
    os.dup2(2, 1)  # whatever the emulator prints goes to its log
port = listener.getsockname()[1]
os.environ["GATEWAY_PORT"] = str(port)
# The functions inherit it. Who wants to see what they ask for has set it to a proxy.
os.environ.setdefault("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
starts_again = False


def obey_the_caller():
    global starts_again
    while os.read(0, 1):  # without Python's buffer, whose lock would hinder a normal exit
        starts_again = True
        os.kill(os.getpid(), signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # the group: this process and the functions that the emulator started


threading.Thread(target=obey_the_caller, daemon=True).start()
os.write(told, f"{port}\n".encode())

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.core.lambda_runtime import ProvidedWorker

let_logs_be_whole(ProvidedWorker)  # from whole_logs.py, which stands before this program


async def over_tls(scope, receive, send):
    # What is deployed refuses whoever comes without TLS, which nobody has on this machine.
    await app({**scope, "scheme": "https"}, receive, send)


config = Config()
config.bind = [f"fd://{os.dup(listener.fileno())}"]  # closed at the end, while the port stays taken for a new start
config.graceful_timeout = 0.1  # open connections of idle clients are no reason to wait
config.keep_alive_timeout = 75  # as ministack's own start sets it
asyncio.run(serve(over_tls if os.environ.get("AUTH") else app, config))
write_memory(folder)  # from leaks/memory.py, which stands before it, too

if starts_again:
    # The functions live on until they notice that nobody takes their answers, as after a failure of their host.
    for kept in (listener.fileno(), told):
        os.set_inheritable(kept, True)
    command = sys.orig_argv[: sys.orig_argv.index(folder) + 1]
    os.execv(sys.executable, [*command, str(listener.fileno()), str(told)])
