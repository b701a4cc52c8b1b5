"""What can be wrong with a stored object."""


class ObjectFaultError(Exception):
    """An object cannot be read."""


class MissingObjectError(ObjectFaultError):
    """The repository does not have the object."""

    def __init__(self, oid: bytes) -> None:
        """Name the object."""
        super().__init__(f"the object {oid.hex()} is missing")
        self.oid = oid


class DamagedObjectError(ObjectFaultError):
    """The stored bytes are not those of an object."""


class LargeObjectError(ObjectFaultError):
    """The object, or one that it is stored as a difference to, is larger than the reader accepts."""
