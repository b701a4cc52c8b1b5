"""Migrations of the store's own collections; read models are not migrated but rebuilt."""
