import logging


def test_logs():
    ring = {}
    ring['ring'] = ring
    logging.getLogger('x').warning('round and round', extra={'ring': ring})
