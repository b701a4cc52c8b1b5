"""Migrations of what the store keeps beside the read models: read models themselves are built anew, never migrated."""
