from django.core.cache import cache
from django.test import TestCase

from catalog.prices import key_of, price_list
from shop.tests.making import a_product, a_tenant


class PriceListTests(TestCase):
    def setUp(self):
        self.tenant = a_tenant()
        self.product = a_product(self.tenant)
        self.addCleanup(cache.delete, key_of(self.tenant.pk))

    def test_the_second_look_asks_no_database(self):
        self.assertEqual(price_list(self.tenant), {"A-1": "19.90"})
        with self.assertNumQueries(0):
            price_list(self.tenant)

    def test_a_new_price_is_seen_at_once(self):
        price_list(self.tenant)
        self.product.price = "25.00"
        self.product.save()
        self.assertEqual(price_list(self.tenant), {"A-1": "25.00"})

    def test_a_product_that_is_gone_is_not_listed(self):
        price_list(self.tenant)
        self.product.delete()
        self.assertEqual(price_list(self.tenant), {})

    def test_the_api_shows_the_list(self):
        response = self.client.get("/api/products/prices/", headers={"X-Tenant": "north"})
        self.assertEqual(response.json(), {"A-1": "19.90"})
