from celery import shared_task

from catalog.prices import forget_list, price_list
from tenants.models import Tenant


@shared_task
def write_price_list(tenant_id):
    """Into the cache, so that no visitor has to wait for it."""
    tenant = Tenant.objects.get(pk=tenant_id)
    forget_list(tenant_id)
    price_list(tenant)
