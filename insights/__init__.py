"""What CodePark tells people about their code: measures, suggestions, and the models behind them."""
