from django.db import transaction
from rest_framework import permissions, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from catalog.models import Product
from orders.models import Line, Order, OutOfStock
from orders.tasks import confirm


class LineSerializer(serializers.Serializer):
    sku = serializers.CharField()
    quantity = serializers.IntegerField(min_value=1, default=1)


class OrderSerializer(serializers.ModelSerializer):
    items = LineSerializer(many=True, write_only=True)

    class Meta:
        model = Order
        fields = ["id", "status", "total", "items"]
        read_only_fields = ["status"]

    def validate_items(self, items):
        tenant = self.context["request"].tenant
        known = {one.sku: one for one in Product.objects.filter(tenant=tenant)}
        for item in items:
            if item["sku"] not in known:
                raise serializers.ValidationError(f"there is no {item['sku']} in this shop")
        return [(known[item["sku"]], item["quantity"]) for item in items]

    @transaction.atomic
    def create(self, data):
        items = data.pop("items")
        order = Order.objects.create(**data)
        Line.objects.bulk_create(
            Line(order=order, product=product, quantity=quantity, price=product.price)
            for product, quantity in items
        )
        return order


class OrderViewSet(viewsets.ModelViewSet):
    serializer_class = OrderSerializer
    permission_classes = [permissions.IsAuthenticated]
    http_method_names = ["get", "post"]

    def get_queryset(self):
        return Order.objects.filter(tenant=self.request.tenant, customer=self.request.user).order_by("pk")

    def perform_create(self, serializer):
        serializer.save(tenant=self.request.tenant, customer=self.request.user)

    @action(detail=True, methods=["post"])
    def place(self, request, pk=None):
        order = self.get_object()
        try:
            order.place()
        except OutOfStock as error:
            return Response({"detail": f"{error} is out of stock"}, status=status.HTTP_409_CONFLICT)
        confirm.delay(order.pk)
        order.refresh_from_db()
        return Response(self.get_serializer(order).data)
