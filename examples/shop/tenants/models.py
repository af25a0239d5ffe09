from django.db import models


class Tenant(models.Model):
    """A merchant; everything that is sold belongs to exactly one."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    active = models.BooleanField(default=True)

    def __str__(self):
        return self.name
