"""Read listings: forwards page by page, and backwards while they move."""
