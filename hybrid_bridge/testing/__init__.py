"""Strict fakes, fault wrappers and data sets: shipped, so that users test their adapters with ours."""
