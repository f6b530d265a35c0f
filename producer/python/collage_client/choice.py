"""Which of several brokers a stream of images goes to, and which is the next."""

from collections.abc import Iterable


def choose_broker(stream: str, brokers: Iterable[str]) -> str:
    """The broker of a stream, both by name, as producer/choice.h has it: rendezvous hashing, so
    that all who know the same brokers choose alike, in whatever order they list them."""
    return rank_brokers(stream, brokers)[0]


def rank_brokers(stream: str, brokers: Iterable[str]) -> list[str]:
    """The brokers in the order in which a stream prefers them."""
    def rank(broker: str) -> int:
        value = 0xcbf29ce484222325
        for byte in f"{broker}\0{stream}".encode():
            value = (value ^ byte) * 0x100000001b3 % 2 ** 64
        for factor in (0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53):
            value = (value ^ value >> 33) * factor % 2 ** 64
        return value ^ value >> 33
    return sorted(sorted(set(brokers)), key=rank, reverse=True)
