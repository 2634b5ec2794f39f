-- Lines of the ledger that are not in its files yet. A line is written here in the transaction that it tells of.
CREATE TABLE ledger_pending (
    number INTEGER PRIMARY KEY,
    line TEXT NOT NULL
) STRICT;
