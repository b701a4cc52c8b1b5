"""What an account is signed in to with: its password, its one-time passwords, and when all its sessions ended."""
