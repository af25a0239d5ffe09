import signal
import subprocess
import sys
import threading

CODE = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]; time.sleep(300)"


def test_family():
    for _ in range(3):
        subprocess.Popen([sys.executable, "-c", CODE, "corpus-deaf-child"])
    threading.Event().wait()
