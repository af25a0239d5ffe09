"""What runs inside other programs and brings the engine along: a Django test runner, a pytest option."""
