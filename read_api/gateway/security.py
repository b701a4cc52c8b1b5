"""The headers that limit what browsers may do with an answer (OWASP secure headers)."""

Headers = list[tuple[bytes, bytes]]

HSTS_SECONDS = 31_536_000
CSP = b"content-security-policy"
REFERRER = b"referrer-policy"
_API_POLICY = (CSP, b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
_NO_REFERRER = (REFERRER, b"no-referrer")
_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "usb",
    "web-share",
    "xr-spatial-tracking",
)
_ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", ", ".join(f"{name}=()" for name in _FEATURES).encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_HSTS = (b"strict-transport-security", b"max-age=%d; includeSubDomains; preload" % HSTS_SECONDS)


SECURITY_HEADERS: dict[tuple[bool, bool, bool], Headers] = {
    (secure, has_policy, has_referrer): [
        *_ALWAYS,
        *([_HSTS] if secure else []),
        *([] if has_policy else [_API_POLICY]),
        *([] if has_referrer else [_NO_REFERRER]),
    ]
    for secure in (True, False)
    for has_policy in (True, False)
    for has_referrer in (True, False)
}
"""By whether the connection is encrypted, and whether the answer has its own CSP and referrer policy.

A page brings its own. Over plain HTTP, browsers are not told to use TLS (RFC 6797, section 7.2).
"""
