import subprocess
import sys


def test_leaves_a_child():
    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)', 'corpus-loud-lodger'])
