"""What can be said about a compact model: its range, its functions of one input, rows to check it on."""
