from django.db import transaction
from django.test import TransactionTestCase

from orders.models import Order
from shop.tests.making import a_customer, a_tenant


class CommitTests(TransactionTestCase):
    """Really commits, and empties the database afterwards."""

    def test_what_happens_on_commit_happens(self):
        heard = []
        with transaction.atomic():
            transaction.on_commit(lambda: heard.append(Order.objects.count()))
            Order.objects.create(tenant=a_tenant(), customer=a_customer())
        self.assertEqual(heard, [1])
