import subprocess
import sys
from pathlib import Path


def test_leaves_a_daemon():
    subprocess.run([sys.executable, Path(__file__).with_name("become_a_daemon.py")], check=True)
