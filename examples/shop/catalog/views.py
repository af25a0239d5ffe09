from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from catalog.models import Product
from catalog.prices import price_list
from catalog.tasks import write_price_list


class ProductSerializer(serializers.ModelSerializer):
    class Meta:
        model = Product
        fields = ["id", "sku", "name", "price", "stock", "available"]


class ProductViewSet(viewsets.ModelViewSet):
    serializer_class = ProductSerializer

    def get_queryset(self):
        return Product.objects.filter(tenant=self.request.tenant)

    def perform_create(self, serializer):
        serializer.save(tenant=self.request.tenant)

    @action(detail=False)
    def prices(self, request):
        return Response(price_list(request.tenant))

    @action(detail=False, methods=["post"])
    def refresh(self, request):
        """Has the price list written anew, in the background."""
        write_price_list.delay(request.tenant.pk)
        return Response(status=status.HTTP_202_ACCEPTED)
