"""The public topics for analysts: the published events, their form, and the schemas that describe them.

Everything here is pure; nothing knows a broker.
"""
