"""Only tests that reach every branch of core and steps pay for the tracer; on the others it would lie threefold."""

import sys


def test_a_test_outside_the_traced_folders_is_not_traced():
    assert "coverage" not in type(sys.gettrace()).__module__
