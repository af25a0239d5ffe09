from django.contrib import admin

from catalog.models import Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["sku", "name", "tenant", "price", "stock"]
    list_filter = ["tenant"]
    search_fields = ["sku", "name"]
    actions = ["sell_out"]

    @admin.action(description="Set the stock to nothing")
    def sell_out(self, request, queryset):
        queryset.update(stock=0)
