"""The price list of a shop, which everybody asks for and hardly anybody changes."""

from django.core.cache import cache
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from catalog.models import Product

SECONDS = 300


def key_of(tenant_id):
    return f"prices-{tenant_id}"


def price_list(tenant):
    """{sku: price as text}, from the cache if it is there."""
    found = cache.get(key_of(tenant.pk))
    if found is None:
        found = {product.sku: str(product.price) for product in tenant.products.all()}
        cache.set(key_of(tenant.pk), found, SECONDS)
    return found


def forget_list(tenant_id):
    cache.delete(key_of(tenant_id))


@receiver([post_save, post_delete], sender=Product)
def forget(instance, **_):
    forget_list(instance.tenant_id)
