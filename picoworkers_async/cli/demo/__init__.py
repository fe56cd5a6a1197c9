"""`picoworkers demo`: what the library does, shown on two services that it serves itself.

It uses what the library makes public and nothing else, so its files are examples, too.
"""
