"""Small real servers and what asks them, for runs with services."""

import sys

PYTHON = sys.executable

# Listens on PORT; /die ends it with status 7, /hang makes it say nothing any more.
SERVER = """
import http.server, json, os, sys, threading
stuck = threading.Event()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked for", self.path, flush=True)
        if self.path == "/die":
            print("the cause of it all", flush=True)
            os._exit(7)
        if self.path == "/hang":
            stuck.set()
        if stuck.is_set() and self.path != "/hang":
            threading.Event().wait()
        body = json.dumps({"status": "up", "slot": os.environ.get("E2E_SLOT"), "db": {"ok": True}, "pid": os.getpid()})
        self.send_response(200); self.end_headers(); self.wfile.write(body.encode())
    def log_message(self, *_): pass
print("listening, token", os.environ.get("MY_TOKEN"), flush=True)
host = os.environ.get("HOST", "127.0.0.1")
if ":" in host:
    import socket
    http.server.ThreadingHTTPServer.address_family = socket.AF_INET6
http.server.ThreadingHTTPServer((host, int(sys.argv[1])), Handler).serve_forever()
"""

# Asks one address after the other; says what it got.
ASK = """
import sys, urllib.request
for address in sys.argv[1:]:
    print(urllib.request.urlopen(address, timeout=20).read().decode())
"""

FILES = {"server.py": SERVER, "ask.py": ASK}
ASKING = f"{PYTHON} ask.py"
WEB = {
    "command": f"{PYTHON} server.py ${{port}}",
    "ready": {"http": "http://127.0.0.1:${port}/", "timeout": "20s"},
}
