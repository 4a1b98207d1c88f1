"""Keys that never leave where they are: tokens over PKCS#11, and the key services of clouds."""
