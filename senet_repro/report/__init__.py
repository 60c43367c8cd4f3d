"""Report floor: from records to the paper's tables. No torch."""
