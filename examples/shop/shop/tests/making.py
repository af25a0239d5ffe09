"""What the tests start from: a shop, a product, a customer."""

from django.contrib.auth.models import User

from catalog.models import Product
from tenants.models import Tenant


def a_tenant(slug="north"):
    return Tenant.objects.create(slug=slug, name=slug.title())


def a_product(tenant, sku="A-1", **fields):
    return Product.objects.create(
        tenant=tenant, sku=sku, **{"name": "Lamp", "price": "19.90", "stock": 3, **fields}
    )


def a_customer(name="ada"):
    return User.objects.create_user(name, password="lovelace")
