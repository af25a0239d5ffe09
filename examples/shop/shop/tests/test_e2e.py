import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.test import LiveServerTestCase, tag

from shop.tests.making import a_product, a_tenant


@tag("e2e")
class StoreFrontTests(LiveServerTestCase):
    """Through a real socket, as a browser would."""

    def ask(self, path, tenant="north"):
        request = Request(self.live_server_url + path, headers={"X-Tenant": tenant})
        with urlopen(request, timeout=10) as response:
            return json.load(response)

    def test_a_visitor_sees_what_there_is(self):
        a_product(a_tenant())
        self.assertEqual([one["sku"] for one in self.ask("/api/products/")], ["A-1"])

    def test_a_visitor_of_another_shop_sees_nothing_of_it(self):
        a_product(a_tenant("north"))
        a_tenant("south")
        self.assertEqual(self.ask("/api/products/", tenant="south"), [])

    def test_an_unknown_shop_is_told(self):
        with self.assertRaises(HTTPError) as caught:
            self.ask("/api/products/", tenant="moon")
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()
