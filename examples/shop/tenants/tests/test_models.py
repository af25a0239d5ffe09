from django.db import IntegrityError
from django.test import TestCase

from shop.tests.making import a_product, a_tenant
from tenants.models import Tenant


class TenantTests(TestCase):
    def test_is_shown_by_its_name(self):
        self.assertEqual(str(a_tenant()), "North")

    def test_slugs_are_unique(self):
        a_tenant()
        with self.assertRaises(IntegrityError):
            a_tenant()

    def test_its_products_go_with_it(self):
        tenant = a_tenant()
        a_product(tenant)
        tenant.delete()
        self.assertEqual(Tenant.objects.count(), 0)
