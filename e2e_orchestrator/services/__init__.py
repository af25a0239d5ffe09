"""What tests need while they run: started, waited for, watched, and stopped in reverse order."""
