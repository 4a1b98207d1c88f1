"""Rules of each record type: fields, lifecycle, who may do what. A rule sees claims and the state, never a clock."""
