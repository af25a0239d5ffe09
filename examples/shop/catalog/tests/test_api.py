from rest_framework.test import APITestCase

from catalog.models import Product
from shop.tests.making import a_customer, a_product, a_tenant

NORTH = {"X-Tenant": "north"}


class ProductApiTests(APITestCase):
    def setUp(self):
        self.tenant = a_tenant()

    def test_anybody_may_look(self):
        a_product(self.tenant)
        found = self.client.get("/api/products/", headers=NORTH).json()
        self.assertEqual(found[0]["price"], "19.90")
        self.assertIs(found[0]["available"], True)

    def test_only_who_is_known_may_write(self):
        response = self.client.post("/api/products/", {"sku": "X"}, headers=NORTH)
        self.assertEqual(response.status_code, 403)

    def test_a_product_is_created_in_the_shop_of_the_request(self):
        self.client.force_authenticate(a_customer())
        data = {"sku": "X-1", "name": "Chair", "price": "40.00", "stock": 1}
        self.assertEqual(self.client.post("/api/products/", data, headers=NORTH).status_code, 201)
        self.assertEqual(Product.objects.get().tenant, self.tenant)

    def test_a_negative_price_is_refused(self):
        self.client.force_authenticate(a_customer())
        data = {"sku": "X-1", "name": "Chair", "price": "-1", "stock": 1}
        response = self.client.post("/api/products/", data, headers=NORTH)
        self.assertEqual(response.status_code, 400)
        self.assertIn("price", response.json())

    def test_the_product_of_another_shop_is_not_found(self):
        other = a_product(a_tenant("south"))
        self.assertEqual(self.client.get(f"/api/products/{other.pk}/", headers=NORTH).status_code, 404)
