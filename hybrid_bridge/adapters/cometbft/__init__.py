"""CometBFT, the distributed engine: its socket to our application, its RPC, the files it starts from."""
