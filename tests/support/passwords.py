"""Passwords for tests: hashed as everywhere else, but with one round. Other processes can check them, for the hash tells its rounds."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1
