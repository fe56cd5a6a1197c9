"""Who may ask, and from where: hosts, origins, tokens, and the headers of every answer. Pure decisions."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


def is_loopback(host: str | None) -> bool:
    """Whether a Host header names this machine as itself. A stranger's DNS may lead other names here, too."""
    return host is not None and _HOST.fullmatch(host) is not None


def is_own(headers: Mapping[str, str]) -> bool:
    """Whether a form was sent by one of our pages, as far as the browser tells.

    Sec-Fetch-Site decides where there is one: a page without referrers sends `Origin: null` with its forms.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None or (origin == "null" and site == "same-origin"):
        return True
    return origin == f"http://{headers.get('host', '')}"


def is_fetched_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether another site's page fetches or frames it, as far as the browser tells. Its links may lead here."""
    elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    by_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return elsewhere and not by_link


def same(given: str | None, secret: str) -> bool:
    """Compare in a time that says nothing about the secret."""
    return hmac.compare_digest((given or "").encode("utf-8", "replace"), secret.encode())


class Session:
    """A viewer's cookie, and the token of the forms that belongs to it."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes()
        self.cookie: str = secrets.token_urlsafe()

    def form_token(self) -> str:
        """What every form of a page must carry."""
        return hmac.new(self._key, self.cookie.encode(), "sha256").hexdigest()

    def has_cookie(self, cookies: Mapping[str, str], name: str) -> bool:
        """Whether a request has the cookie."""
        return same(cookies.get(name), self.cookie)

    def is_form(self, cookies: Mapping[str, str], name: str, token: str | None) -> bool:
        """Whether a form has both the cookie and its token."""
        return self.has_cookie(cookies, name) and same(token, self.form_token())


class Invitation:
    """A token that works once."""

    def __init__(self) -> None:
        self.token: str = secrets.token_urlsafe()
        self._spent = False

    def accept(self, given: str | None) -> bool:
        """Whether this is the token, and its first use."""
        if self._spent or not same(given, self.token):
            return False
        self._spent = True
        return True
