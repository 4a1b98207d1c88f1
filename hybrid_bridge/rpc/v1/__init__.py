"""The generated code of `bridge.proto`; do not edit, run `make proto`."""
