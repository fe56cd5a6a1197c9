"""`picoworkers demo`: the library shown on two services that it serves itself.

It uses only the public interface, so its files are examples, too.
"""
