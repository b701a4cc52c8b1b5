"""Several processes that read a long part of a partition and check its messages ahead of the follower."""
