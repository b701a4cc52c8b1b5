"""What REST and GraphQL share: parameters, query structs, shapes of answers, and the answers themselves as data."""
