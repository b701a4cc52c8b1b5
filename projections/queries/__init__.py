"""The queries that the read models answer; REST, GraphQL and live channels share them."""
