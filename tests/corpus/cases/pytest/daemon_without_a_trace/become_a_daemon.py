import os
import sys

if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
for number in range(3):
    os.close(number)
os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(300)", "corpus-quiet-daemon"], {})
