"""The report in the form that reproducibility courses and journals ask for, as Markdown and LaTeX."""
