from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models

from tenants.models import Tenant


class Product(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="products")
    sku = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    price = models.DecimalField(
        max_digits=9, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    stock = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["sku"]
        constraints = [models.UniqueConstraint(fields=["tenant", "sku"], name="one_sku_in_a_shop")]

    def __str__(self):
        return f"{self.sku} {self.name}"

    @property
    def available(self):
        return self.stock > 0
