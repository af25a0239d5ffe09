from django.test import tag

from orders.models import Order
from shop.tests.making import a_customer, a_product, a_tenant
from shop.tests.running import RunningShopTestCase


@tag("e2e")
class WorkerTests(RunningShopTestCase):
    """Through a real queue: what is asked for over HTTP, a worker does."""

    def setUp(self):
        self.customer = a_customer()
        a_product(a_tenant(), stock=5)

    def order(self):
        return self.ask("/api/orders/", user=self.customer, items=[{"sku": "A-1", "quantity": 1}])["id"]

    def place(self, order):
        return self.ask(f"/api/orders/{order}/place/", user=self.customer, really=True)

    def confirmed(self):
        return set(Order.objects.filter(status="confirmed").values_list("pk", flat=True))

    def test_a_placed_order_is_confirmed_in_the_background(self):
        order = self.order()
        self.place(order)
        self.wait_for(lambda: self.ask(f"/api/orders/{order}/", user=self.customer)["status"], "confirmed")

    def test_only_what_was_placed_is_confirmed(self):
        waiting, *placed = (self.order() for _ in range(3))
        for order in placed:
            self.place(order)
        self.wait_for(self.confirmed, set(placed))
        self.assertEqual(Order.objects.get(pk=waiting).status, "open")
