from django.core.cache import cache
from django.test import tag

from catalog.prices import key_of
from shop.tests.making import a_customer, a_product, a_tenant
from shop.tests.running import RunningShopTestCase


@tag("e2e")
class PriceListTests(RunningShopTestCase):
    """The worker writes the cache that the shop reads."""

    def test_a_list_that_was_asked_for_is_written_in_the_background(self):
        tenant = a_tenant()
        a_product(tenant)
        cache.set(key_of(tenant.pk), {"A-1": "old"})
        self.addCleanup(cache.delete, key_of(tenant.pk))
        self.assertEqual(self.ask("/api/products/prices/"), {"A-1": "old"})
        self.ask("/api/products/refresh/", user=a_customer(), now=True)
        self.wait_for(lambda: self.ask("/api/products/prices/"), {"A-1": "19.90"})
