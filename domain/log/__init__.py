"""Events about the log itself."""
