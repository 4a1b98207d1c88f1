"""Another member's node over gRPC: for relayers (`log`), for members (`peer`), for its owner (`desk`)."""
