from django.contrib.auth.models import User
from django.test import TestCase, tag

from catalog.models import Product
from shop.tests.making import a_customer, a_product, a_tenant

PRODUCTS = "/admin/catalog/product/"


@tag("admin")
class ProductAdminTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.chief = User.objects.create_superuser("grace", password="hopper")
        cls.product = a_product(a_tenant())

    def test_strangers_are_sent_to_the_login(self):
        self.assertRedirects(self.client.get(PRODUCTS), f"/admin/login/?next={PRODUCTS}")

    def test_customers_are_kept_out(self):
        self.client.force_login(a_customer())
        self.assertEqual(self.client.get(PRODUCTS).status_code, 302)

    def test_products_are_found_by_their_sku(self):
        self.client.force_login(self.chief)
        self.assertContains(self.client.get(PRODUCTS, {"q": "A-1"}), "Lamp")
        self.assertNotContains(self.client.get(PRODUCTS, {"q": "Z-9"}), "Lamp")

    def test_selling_out_empties_the_stock(self):
        self.client.force_login(self.chief)
        self.client.post(PRODUCTS, {"action": "sell_out", "_selected_action": [self.product.pk]})
        self.assertEqual(Product.objects.get().stock, 0)
