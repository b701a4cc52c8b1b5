"""The whole HTTP surface: resources, live channels, pages, and the gateway in front of them."""
