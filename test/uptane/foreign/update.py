"""python-tuf's client: one update from a repository in a folder, behind Python's own web server.

Usage: update.py REPOSITORY STATE ROOT [TARGET…]
Prints a line for each target, "PATH SHA256" or "PATH none"; or the name of the exception.
"""
import functools
import hashlib
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tuf.ngclient import Updater


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


repository, state, root, *targets = sys.argv[1:]
handler = functools.partial(Handler, directory=repository)
server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
metadata, downloads = Path(state, "metadata"), Path(state, "targets")
for folder in (metadata, downloads):
    folder.mkdir(parents=True, exist_ok=True)
try:
    updater = Updater(
        str(metadata),
        f"{url}/metadata/",
        str(downloads),
        f"{url}/targets/",
        bootstrap=Path(root).read_bytes(),
    )
    updater.refresh()
    for path in targets:
        info = updater.get_targetinfo(path)
        if info is None:
            print(path, "none")
            continue
        file = updater.download_target(info)
        print(path, hashlib.sha256(Path(file).read_bytes()).hexdigest())
except Exception as error:
    print(type(error).__name__)
