"""Serves MiniStack until the process that started this one is gone.

argv: the folder to remove when that process dies without ending this one. stdin: a pipe that nobody writes to; the
system closes it when its other end dies, SIGKILL included. stdout: the port, once it is taken.
"""

import asyncio, os, shutil, signal, socket, sys, threading

# Bound before the emulator is loaded and handed to it, so that no other process can take the port in between.
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
os.environ["GATEWAY_PORT"] = str(port)
# The functions inherit it. Who wants to see what they ask for has set it to a proxy.
os.environ.setdefault("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")


def end_with_the_caller(folder):
    os.read(0, 1)  # returns at the end of the pipe only; without Python's buffer, whose lock would hinder a normal exit
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)  # the group: this process and the functions that the emulator started


threading.Thread(target=end_with_the_caller, args=(sys.argv[1],), daemon=True).start()
print(port, flush=True)
os.dup2(2, 1)  # whatever the emulator prints goes to its log

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app


async def over_tls(scope, receive, send):
    # What is deployed refuses whoever comes without TLS, which nobody has on this machine.
    await app({**scope, "scheme": "https"}, receive, send)


config = Config()
config.bind = [f"fd://{listener.fileno()}"]
config.graceful_timeout = 0.1  # open connections of idle clients are no reason to wait
config.keep_alive_timeout = 75  # as ministack's own start sets it
asyncio.run(serve(over_tls if os.environ.get("AUTH") else app, config))
