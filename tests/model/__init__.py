"""A model of the copy engine: its real rules against a random venue, in virtual time, without a database."""
