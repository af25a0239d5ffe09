from decimal import Decimal

from django.test import TestCase

from orders.models import Line, Order, OutOfStock
from shop.tests.making import a_customer, a_product, a_tenant


class OrderTests(TestCase):
    def setUp(self):
        self.tenant = a_tenant()
        self.lamp = a_product(self.tenant)
        self.chair = a_product(self.tenant, sku="A-2", price="40.00", stock=1)
        self.order = Order.objects.create(tenant=self.tenant, customer=a_customer())

    def take(self, product, quantity):
        Line.objects.create(order=self.order, product=product, quantity=quantity, price=product.price)

    def test_an_empty_order_costs_nothing(self):
        self.assertEqual(self.order.total, 0)

    def test_the_total_counts_quantities(self):
        self.take(self.lamp, 2)
        self.take(self.chair, 1)
        self.assertEqual(self.order.total, Decimal("79.80"))

    def test_placing_takes_the_goods_out_of_stock(self):
        self.take(self.lamp, 2)
        self.order.place()
        self.lamp.refresh_from_db()
        self.assertEqual((self.lamp.stock, self.order.status), (1, "placed"))

    def test_all_or_nothing(self):
        self.take(self.lamp, 1)
        self.take(self.chair, 2)
        with self.assertRaisesMessage(OutOfStock, "A-2"):
            self.order.place()
        self.lamp.refresh_from_db()
        self.assertEqual(self.lamp.stock, 3)
