"""PostgreSQL: a member's ledger and private records (`store`), and its derived registry (`database`)."""
