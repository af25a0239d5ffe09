"""Whose shop a request is about: the header X-Tenant names it."""

from django.http import JsonResponse

from tenants.models import Tenant


class TenantMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.tenant = None
        slug = request.headers.get("X-Tenant")
        if slug:
            request.tenant = Tenant.objects.filter(slug=slug, active=True).first()
            if request.tenant is None:
                return JsonResponse({"detail": "there is no such shop"}, status=404)
        elif request.path.startswith("/api/"):
            return JsonResponse({"detail": "X-Tenant is missing"}, status=400)
        return self.get_response(request)
