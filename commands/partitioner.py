"""Which partition a home key belongs to: as Kafka's default partitioner computes it in every client."""

_SEED, _M, _R = 0x9747B28C, 0x5BD1E995, 24
_MASK = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


def partition_of(home: str, partitions: int) -> int:
    """Return the partition of *home* among *partitions*."""
    return 0 if partitions == 1 else (murmur2(home.encode()) & _POSITIVE) % partitions


def murmur2(data: bytes) -> int:
    """Return the 32 bits of MurmurHash2 (Appleby, 2008) with the seed that Kafka's producers use."""
    value, whole = _SEED ^ len(data), len(data) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        word = (word ^ word >> _R) * _M & _MASK
        value = (value * _M & _MASK) ^ word
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    value = (value ^ value >> 13) * _M & _MASK
    return value ^ value >> 15
