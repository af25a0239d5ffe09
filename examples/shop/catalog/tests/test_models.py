from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import TestCase

from catalog.models import Product
from shop.tests.making import a_product, a_tenant


class ProductTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.tenant = a_tenant()

    def test_is_available_while_there_is_stock(self):
        self.assertTrue(a_product(self.tenant).available)
        self.assertFalse(a_product(self.tenant, sku="A-2", stock=0).available)

    def test_a_sku_stands_once_in_a_shop(self):
        a_product(self.tenant)
        with self.assertRaises(IntegrityError):
            a_product(self.tenant)

    def test_two_shops_may_use_the_same_sku(self):
        a_product(self.tenant)
        a_product(a_tenant("south"))
        self.assertEqual(Product.objects.filter(sku="A-1").count(), 2)

    def test_nothing_is_free(self):
        for price in ("0.00", "-1.00"):
            with self.subTest(price=price), self.assertRaises(ValidationError):
                Product(tenant=self.tenant, sku="B", name="B", price=Decimal(price)).full_clean()
