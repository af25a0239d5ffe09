from django.test import TestCase, tag

from shop.tests.making import a_product, a_tenant

NORTH = {"X-Tenant": "north"}


@tag("performance")
class QueryTests(TestCase):
    """Queries are counted: a clock would measure the machine."""

    def test_a_long_list_costs_no_more_queries_than_a_short_one(self):
        tenant = a_tenant()
        for count in (1, 50):
            for number in range(count):
                a_product(tenant, sku=f"{count}-{number}")
            with self.subTest(count=count), self.assertNumQueries(2):
                self.client.get("/api/products/", headers=NORTH)

    def test_prices_come_from_the_cache(self):
        a_product(a_tenant())
        self.client.get("/api/products/prices/", headers=NORTH)
        with self.assertNumQueries(1):  # Whose shop it is.
            self.client.get("/api/products/prices/", headers=NORTH)
