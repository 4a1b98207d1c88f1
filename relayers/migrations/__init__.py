"""The journal's schema, one revision a file, each moved to from the one before. Linear; never edited once released.

A revision says what it means by itself: it imports no table of the program, for those move on.
"""
