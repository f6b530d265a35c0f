"""Endpoints of brokers: what is wrong with one, and how ZeroMQ must connect to it."""

import ipaddress
import re
import socket

FORM = ("expected tcp://HOST:PORT with a port from 1 to 65535 (HOST: a name, 127.0.0.1 or [::1]), "
        "or ipc://PATH")
PATH_MAX = 107  # Bytes of the path of a UNIX-domain socket.


def fault(endpoint: str) -> str:
    """What is wrong with an endpoint, and what to write instead; empty if nothing is."""
    if endpoint.startswith("ipc://"):
        return _fault_of_path(endpoint)
    found = re.fullmatch(r"tcp://(\[[^\]]*\]|[^\[\]]+):([0-9]{1,5})", endpoint)
    if not found or not 1 <= int(found[2]) <= 65535:
        return f"is {endpoint!r}, {FORM}"
    host, port = found[1], found[2]
    if host == "*":
        return (f"is {endpoint!r}, which is for listening; expected the broker's host, such as "
                f"tcp://127.0.0.1:{port}")
    if host.startswith("["):
        return "" if _is_ipv6(host[1:-1]) else f"is {endpoint!r}, expected an IPv6 address"
    if _is_ipv6(host):
        return f"is {endpoint!r}, expected brackets: tcp://[{host}]:{port}"
    return "" if re.fullmatch(r"[A-Za-z0-9._-]+", host) else f"is {endpoint!r}, {FORM}"


def _fault_of_path(endpoint: str) -> str:
    path = endpoint.removeprefix("ipc://")
    if path[:1] not in ("/", "@") or path == "@":
        return f"is {endpoint!r}, expected an absolute path such as ipc:///run/collage/producers"
    if len(path.encode()) > PATH_MAX:
        return f"is {endpoint!r}, expected a path of at most {PATH_MAX} bytes"
    return ""


def unresolved(endpoint: str) -> str:
    """Why the endpoint's name cannot be looked up now; empty if it can be, or is an address."""
    name = _name(endpoint)
    try:
        if name:
            socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return f"the name {name} does not resolve ({error.strerror})"
    return ""


def needs_ipv6(endpoint: str) -> bool | None:
    """The value of ZMQ_IPV6: with it libzmq prefers the IPv6 address of a name that has both, so
    it is set only for names that have no other.  None: the name cannot be looked up now."""
    name = _name(endpoint)
    if not name:
        return endpoint.startswith("tcp://[")
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return None
    return all(family != socket.AF_INET for family, *_ in found)


def _name(endpoint: str) -> str:
    """The name to be looked up; empty for an address or a path."""
    if not endpoint.startswith("tcp://") or endpoint.startswith("tcp://["):
        return ""
    host = endpoint.removeprefix("tcp://").rpartition(":")[0]
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return host
    return ""


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True
