"""What REST and GraphQL share: parameters, query structs, structs of answers, and answers as data."""
