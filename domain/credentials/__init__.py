"""The credentials of an account: its password, its one-time passwords, and when all its sessions ended."""
