"""What REST and GraphQL share: the views of the contract, lists, and answers about the past."""
