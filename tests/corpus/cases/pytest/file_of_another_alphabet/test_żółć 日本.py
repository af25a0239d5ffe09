class TestGrün:
    def test_größe(self):
        assert 'ß' == 'ß'
