"""The analysts' topics: which events are published, as what, and the schemas that describe them.

All of it is pure; nothing here knows a broker.
"""
