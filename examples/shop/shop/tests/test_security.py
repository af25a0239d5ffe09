from django.conf import settings
from django.test import SimpleTestCase, TestCase, tag

from shop.tests.making import a_customer, a_tenant


@tag("security")
class SettingsTests(SimpleTestCase):
    def test_nobody_sees_tracebacks(self):
        self.assertFalse(settings.DEBUG)

    def test_requests_from_other_sites_are_refused(self):
        self.assertIn("django.middleware.csrf.CsrfViewMiddleware", settings.MIDDLEWARE)


@tag("security")
class AccessTests(TestCase):
    def setUp(self):
        a_tenant()

    def test_orders_are_for_customers(self):
        self.assertEqual(self.client.get("/api/orders/", headers={"X-Tenant": "north"}).status_code, 403)

    def test_pages_may_not_be_framed(self):
        self.client.force_login(a_customer())
        response = self.client.get("/api/products/", headers={"X-Tenant": "north"})
        self.assertEqual(response.headers["X-Frame-Options"], "DENY")
