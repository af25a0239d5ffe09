from rest_framework.test import APITestCase

from shop.tests.making import a_customer, a_product, a_tenant

NORTH = {"X-Tenant": "north"}


class OrderApiTests(APITestCase):
    def setUp(self):
        self.product = a_product(a_tenant())
        self.client.force_authenticate(a_customer())

    def order(self, sku="A-1", quantity=1):
        data = {"items": [{"sku": sku, "quantity": quantity}]}
        return self.client.post("/api/orders/", data, format="json", headers=NORTH)

    def test_an_order_starts_open(self):
        response = self.order(quantity=2)
        self.assertEqual(response.status_code, 201)
        self.assertEqual(response.json()["status"], "open")

    def test_what_the_shop_does_not_have_cannot_be_ordered(self):
        response = self.order(sku="Z-9")
        self.assertEqual(response.status_code, 400)
        self.assertIn("Z-9", str(response.json()))

    def test_a_placed_order_is_confirmed(self):
        number = self.order().json()["id"]
        response = self.client.post(f"/api/orders/{number}/place/", headers=NORTH)
        self.assertEqual(response.json()["status"], "confirmed")

    def test_too_many_are_a_conflict(self):
        number = self.order(quantity=9).json()["id"]
        response = self.client.post(f"/api/orders/{number}/place/", headers=NORTH)
        self.assertEqual(response.status_code, 409)
