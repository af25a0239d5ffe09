from django.test import TestCase

from orders.models import Order
from orders.tasks import confirm, confirm_all
from shop.tests.making import a_customer, a_tenant


class ConfirmTests(TestCase):
    def setUp(self):
        self.tenant, self.customer = a_tenant(), a_customer()

    def placed(self):
        return Order.objects.create(tenant=self.tenant, customer=self.customer, status="placed")

    def test_confirms_once(self):
        order = self.placed()
        self.assertIs(confirm.delay(order.pk).get(), True)
        self.assertIs(confirm.delay(order.pk).get(), False)

    def test_leaves_open_orders_alone(self):
        order = Order.objects.create(tenant=self.tenant, customer=self.customer)
        self.assertIs(confirm.delay(order.pk).get(), False)

    def test_confirms_all_of_a_shop(self):
        self.placed()
        self.placed()
        self.assertEqual(confirm_all.delay("north").get(), 2)
        self.assertEqual(Order.objects.filter(status="confirmed").count(), 2)
