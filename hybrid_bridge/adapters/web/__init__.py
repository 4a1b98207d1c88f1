"""HTTP services of others: timestamping authorities, witnesses. One bounded exchange at a time."""
