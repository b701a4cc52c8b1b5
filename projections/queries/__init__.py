"""What may be asked of the read models; REST, GraphQL and live channels all ask here."""
