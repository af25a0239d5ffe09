from django.test import TestCase

from shop.tests.making import a_product, a_tenant


class TenantMiddlewareTests(TestCase):
    def test_the_api_asks_whose_shop_it_is(self):
        self.assertEqual(self.client.get("/api/products/").status_code, 400)

    def test_an_unknown_shop_is_not_found(self):
        self.assertEqual(self.client.get("/api/products/", headers={"X-Tenant": "moon"}).status_code, 404)

    def test_a_closed_shop_is_not_found(self):
        tenant = a_tenant()
        tenant.active = False
        tenant.save()
        self.assertEqual(self.client.get("/api/products/", headers={"X-Tenant": "north"}).status_code, 404)

    def test_a_shop_shows_only_its_own_products(self):
        a_product(a_tenant("north"), sku="N-1")
        a_product(a_tenant("south"), sku="S-1")
        found = self.client.get("/api/products/", headers={"X-Tenant": "south"}).json()
        self.assertEqual([one["sku"] for one in found], ["S-1"])
