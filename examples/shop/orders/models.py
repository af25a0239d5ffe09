from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Sum

from catalog.models import Product
from tenants.models import Tenant


class OutOfStock(Exception):
    pass


class Order(models.Model):
    class Status(models.TextChoices):
        OPEN = "open"
        PLACED = "placed"
        CONFIRMED = "confirmed"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="orders")
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)

    def __str__(self):
        return f"order {self.pk} ({self.status})"

    @property
    def total(self):
        return self.lines.aggregate(total=Sum(F("price") * F("quantity")))["total"] or 0

    def place(self):
        """Takes the goods out of stock, all or nothing; raises OutOfStock."""
        with transaction.atomic():
            for line in self.lines.select_related("product"):
                taken = Product.objects.filter(pk=line.product_id, stock__gte=line.quantity).update(
                    stock=F("stock") - line.quantity
                )
                if not taken:
                    raise OutOfStock(line.product.sku)
            self.status = self.Status.PLACED
            self.save(update_fields=["status"])


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=9, decimal_places=2)

    def __str__(self):
        return f"{self.quantity} x {self.product}"
