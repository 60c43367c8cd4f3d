"""The paper's tables rebuilt from records."""
