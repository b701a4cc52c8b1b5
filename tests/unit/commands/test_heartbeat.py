"""Heartbeats in Redis: those that nodes of the installation made count, and no others."""

import redis

from commands.nodes.heartbeat import Heartbeat
from commands.nodes.proof import NodeProofs

SECRET = "secret-of-the-installation"


class StoredHash:
    """A Redis with one hash; *gone* is one that does not answer."""

    def __init__(self):
        self.values, self.gone = {}, False

    def hset(self, _key, name, value):
        if self.gone:
            raise redis.ConnectionError("gone")
        self.values[name.encode()] = value.encode()

    def hgetall(self, _key):
        if self.gone:
            raise redis.ConnectionError("gone")
        return dict(self.values)

    def hdel(self, _key, name):
        self.values.pop(name.encode(), None)


class Watch:
    """The heartbeat of the node `own`, round by round."""

    def __init__(self, clock=lambda: 1_000.0):
        self.hash, self.proofs = StoredHash(), NodeProofs(SECRET, clock)
        self.heartbeat = Heartbeat(self.hash, "nodes", "own", self.proofs)
        self.heartbeat.close()
        self.hash.values.clear()

    def alive(self, **stored):
        """Return who is alive after a round in which other nodes *stored* this."""
        for name, text in stored.items():
            self.hash.hset("nodes", name, text)
        self.heartbeat._round()
        return sorted(self.heartbeat.alive())


def beat(proofs, node="other", at=1_000_000):
    return proofs.of_heartbeat(node, at)


def test_a_heartbeat_of_the_installation_makes_a_node_alive():
    watch = Watch()
    assert watch.alive() == ["own"]
    assert watch.alive(other=beat(watch.proofs)) == ["other", "own"]
    assert watch.heartbeat.refused == 0


def test_a_heartbeat_that_no_node_made_is_ignored_and_counted_once():
    watch = Watch()
    forged = {
        "number": "17",
        "empty": "",
        "foreign": beat(NodeProofs("another"), "foreign"),
        "renamed": beat(watch.proofs, "other"),
        "later": "9" + beat(watch.proofs, "later"),
        "long": "9" * 5_000 + " " + "0" * 64,
        "letters": "\u0664 " + "0" * 64,
    }
    assert watch.alive(**forged) == ["own"]
    assert watch.heartbeat.refused == len(forged)
    assert watch.alive() == ["own"]
    assert watch.heartbeat.refused == len(forged)
    assert watch.alive(number="18") == ["own"]
    assert watch.heartbeat.refused == len(forged) + 1


def test_bytes_that_are_no_text_are_ignored():
    watch = Watch()
    watch.hash.values[b"\xff\xfe"] = b"\xff"
    assert watch.alive() == ["own"]
    assert watch.heartbeat.refused == 1


def test_a_recorded_heartbeat_makes_no_node_alive_later():
    now = 1_000.0
    watch = Watch(lambda: now)
    recorded = [beat(watch.proofs, at=1_000_000 + number) for number in range(3)]
    assert watch.alive(other=recorded[2]) == ["other", "own"]
    seen = watch.heartbeat._alive["other"]
    assert watch.alive(other=recorded[0])
    assert watch.heartbeat._alive["other"] == seen
    now = 1_060.0
    fresh = Watch(lambda: now)
    assert fresh.alive(other=recorded[1]) == ["own"]


def test_a_node_whose_clock_is_set_back_stays_alive():
    now = 1_000.0
    watch = Watch(lambda: now)
    watch.alive()
    before = watch.hash.values[b"own"]
    now = 990.0
    watch.alive()
    assert int(watch.hash.values[b"own"].split()[0]) == int(before.split()[0]) + 1


def test_without_redis_no_node_is_alive():
    watch = Watch()
    assert watch.alive() == ["own"]
    watch.hash.gone = True
    watch.heartbeat._round()
    assert watch.heartbeat.alive() == []
