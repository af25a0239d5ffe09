raise RuntimeError('the conftest is ill')
