from celery import shared_task

from orders.models import Order


@shared_task
def confirm(order_id):
    """Confirms a placed order, once; says whether it did."""
    changed = Order.objects.filter(pk=order_id, status=Order.Status.PLACED).update(
        status=Order.Status.CONFIRMED
    )
    return bool(changed)


@shared_task
def confirm_all(tenant_slug):
    placed = Order.objects.filter(tenant__slug=tenant_slug, status=Order.Status.PLACED)
    return sum(confirm(pk) for pk in placed.values_list("pk", flat=True))
